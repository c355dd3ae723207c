"""Prometheus' rules: alerts from the table of alarms (M3), burn rates from the table of objectives (M4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.plans.observability.alarm import Alarm
from infra.plans.observability.objectives import BUDGET_DAYS, BURNS, LEVELS, SHARES, STRETCH, Level, Share, windows
from infra.plans.observability.severity import Severity

RATIO = "slo:error_ratio:rate"
REMAINING = "slo:error_budget:remaining"
Rule = dict[str, Any]
Groups = list[dict[str, Any]]


def alarm_groups(alarms: Sequence[Alarm], runbooks: str) -> Groups:
    """The rows that Prometheus has metrics for. runbooks: address that their names hang on."""
    return [{"name": "candlefish-alarms", "rules": [_alert(alarm, runbooks) for alarm in alarms if alarm.prometheus]}]


def objective_groups(runbooks: str) -> Groups:
    recorded = [record for share in SHARES for record in _records(share)]
    return [{"name": "candlefish-objectives-recorded", "rules": recorded},
            {"name": "candlefish-objectives", "rules": [
                *(_burn(share, index, runbooks) for share in SHARES for index in range(len(BURNS))),
                *(_level(level, runbooks) for level in LEVELS)]}]


def title(name: str) -> str:
    """`error-rate-abort` → `ErrorRateAbort`, as Prometheus' alerts are called."""
    return "".join(word.capitalize() for word in name.split("-"))


def _alert(alarm: Alarm, runbooks: str) -> Rule:
    return _rule(f"Candlefish{title(alarm.name)}", f"{alarm.prometheus} {alarm.comparison.sign} "
                 f"{alarm.threshold_text}", f"{alarm.minutes}m", alarm.severity, alarm.summary, alarm.why,
                 f"{runbooks}/{alarm.runbook}")


def _burn(share: Share, index: int, runbooks: str) -> Rule:
    burn = BURNS[index]
    limit = f"{burn.rate * share.budget:.6g}"
    at = f'{{slo="{share.name}"}}'
    days = f"{BUDGET_DAYS / burn.rate:.3g}"
    return _rule(
        f"Candlefish{title(share.name)}Burn{f'{burn.rate:g}'.replace('.', '_')}x",
        f"{RATIO}{burn.long}{at} > {limit} and {RATIO}{burn.short}{at} > {limit}", None, burn.severity,
        f"{share.summary}: the error budget burns {burn.rate:g} times too fast",
        f"Objective: {share.figure}. At this rate {BUDGET_DAYS} days' budget is gone in {days} days",
        f"{runbooks}/{share.runbook}", slo=share.name)


def _level(level: Level, runbooks: str) -> Rule:
    return _rule(f"CandlefishObjective{title(level.name)}", f"{level.promql} {level.sign} {level.limit:g}", "1h",
                 Severity.P3, level.summary, f"Objective: {level.figure}", f"{runbooks}/{level.runbook}",
                 slo=level.name)


def _records(share: Share) -> list[Rule]:
    labels = {"slo": share.name}
    ratios: list[Rule] = [{"record": f"{RATIO}{window}", "expr": share.ratio(window), "labels": labels}
                          for window in windows()]
    return [*ratios, *_remaining(share, share.budget, labels),
            *(_remaining(share, STRETCH, {"slo": f"{share.name}-stretch"}) if share.name == "availability" else [])]


def _remaining(share: Share, budget: float, labels: dict[str, str]) -> list[Rule]:
    """1: untouched, 0: used up. Over what Prometheus still has of the 30 days; each hour counts alike."""
    return [{"record": REMAINING, "labels": labels, "expr":
             f'1 - avg_over_time({RATIO}1h{{slo="{share.name}"}}[{BUDGET_DAYS}d]) / {budget:g}'}]


def _rule(name: str, expression: str, minutes: str | None, severity: Severity, summary: str, why: str, runbook: str,
          **labels: str) -> Rule:
    return {"alert": name, "expr": expression, **({"for": minutes} if minutes else {}),
            "labels": {"severity": severity.value, "word": severity.word, **labels},
            "annotations": {"summary": summary, "description": why, "value": "{{ $value | humanize }}",
                            "respond_within": severity.response, "runbook_url": runbook}}
