"""What a command ends with, for machines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from operations.rollout.model import Record, Target


def requests(record: Record) -> dict[str, int] | None:
    """Of each colour in this rollout, as the judge's source counted them; None without one."""
    if record.judge is None:
        return None
    state = record.judge["state"]
    return {record.live: int(state["live_all"]["requests"]), record.idle: int(state["new_all"]["requests"])}


def outcome(target: Target, record: Record, weights: Mapping[str, int] | None) -> dict[str, Any]:
    """weights: what the front door has now, by colour. seconds: since it began, until it ended or now."""
    return {"service": target.name, "stack": target.stack, "strategy": record.strategy, "result": record.result,
            "reason": record.reason, "revision": record.revision, "image": record.image, "weights": weights,
            "requests": requests(record), "seconds": round((record.ended or time.time()) - record.began, 1)}
