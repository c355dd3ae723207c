"""Log lines as JSON. Callers give codes, counts and times: never what a visitor sent, nor an identifier."""

from __future__ import annotations

import json
import sys
from typing import Any

# What a line may say beside its event: a name that isn't here is a mistake, found by the first test that logs it.
FIELDS = frozenset({"code", "count", "dropped", "error", "failed", "gone", "milliseconds", "reason", "requestId",
                    "route", "status", "where"})


def log(level: str, event: str, **fields: Any) -> None:
    """`level`: INFO, WARNING or ERROR. `event`: what happened, the same words each time."""
    if unknown := fields.keys() - FIELDS:
        raise ValueError(f"log fields {sorted(unknown)} are not in common.logs.FIELDS")
    sys.stdout.write(json.dumps({"level": level, "event": event, **fields}) + "\n")


def where(error: BaseException) -> str:
    """Module and line at which an error arose: enough to find it, and nothing of what was being handled."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "unknown"
