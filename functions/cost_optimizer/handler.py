"""The function's entry: `handle`, called by a schedule.

Out: the report: `{"at", "environment", "monthlyUsd", "prices", "findings": […], "failed": {check: error}}`.
A check that fails is named in the report and stops no other; only when all fail the function does.

Environment: TOPIC_ARN, ENVIRONMENT, IDLE_DAYS, SNAPSHOT_DAYS, EXEMPT_TAG.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Any

from . import prices
from .checks import CHECKS, Check, Finding
from .reads import Look

_TOLD = 10  # findings in the message; the report has them all


class NothingChecked(Exception):
    """No check could be made: permissions or network, not findings."""


def handle(event: Any, context: Any) -> dict[str, Any]:
    look = Look(_client, os.environ["ENVIRONMENT"], os.environ["EXEMPT_TAG"], int(os.environ["IDLE_DAYS"]),
                int(os.environ["SNAPSHOT_DAYS"]), datetime.now(UTC))
    report = examine(look)
    print(json.dumps(report))
    if report["findings"] or report["failed"]:
        _client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(message(report)))
    return report


def examine(look: Look, checks: Sequence[Check] = CHECKS) -> dict[str, Any]:
    """The report. Raises NothingChecked when every check failed."""
    findings: list[Finding] = []
    failed: dict[str, str] = {}
    for check in checks:
        try:
            findings += check.findings(look)
        except Exception as error:  # whatever one service answers, the others are still looked at
            failed[check.id] = f"{type(error).__name__}: {error}"[:300]
    if len(failed) == len(checks):
        raise NothingChecked("; ".join(f"{id}: {error}" for id, error in failed.items()))
    findings.sort(key=lambda finding: -(finding.monthly_usd or 0.0))
    return {"at": look.now.isoformat(timespec="seconds"), "environment": look.environment,
            "monthlyUsd": round(sum(finding.monthly_usd or 0.0 for finding in findings), 2), "prices": prices.BASIS,
            "findings": [asdict(finding) for finding in findings], "failed": failed}


def message(report: dict[str, Any]) -> dict[str, Any]:
    """As the notifications read it."""
    findings = report["findings"]
    lines = [f"{each['resource']}: {each['reason']} ({_dollars(each['monthly_usd'])})" for each in findings[:_TOLD]]
    if len(findings) > _TOLD:
        lines.append(f"and {len(findings) - _TOLD} more, in the function's log")
    lines += [f"Not checked: {check} ({error})" for check, error in report["failed"].items()]
    return {"candlefish": {
        "title": f"{len(findings)} findings, up to ${report['monthlyUsd']:.2f} a month to save", "severity": "P3",
        "source": "cost-optimizer", "key": f"cost-optimizer/{report['environment']}/{report['at']}",
        "text": "\n".join(lines)}}


def _dollars(amount: float | None) -> str:
    return "price unknown" if amount is None else f"${amount:.2f}"


@cache
def _client(service: str) -> Any:
    """Made at the first use; throttled calls are repeated, as there is time."""
    import boto3  # the runtime's own
    from botocore.config import Config

    return boto3.client(service, config=Config(retries={"mode": "adaptive", "max_attempts": 8}))
