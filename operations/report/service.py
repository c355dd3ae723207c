"""How the platform served in the month: requests, errors, latency, alarms, as CloudWatch has them; releases."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.plans.observability.objectives import SHARES
from operations import balancer
from operations.aws import pages
from operations.errors import OperationError
from operations.report.model import Matter, State, Told, judged
from operations.rollout.journal import Journal
from operations.rollout.model import Book, Record, Result, Target

DAY_SECONDS = 86_400
HISTORY = timedelta(days=30)  # that CloudWatch keeps what alarms did (CloudWatch user guide, "Alarms and actions")
SHOWN = 10
_METRICS = {"requests": ("RequestCount", "Sum"), "target": ("HTTPCode_Target_5XX_Count", "Sum"),
            "own": ("HTTPCode_ELB_5XX_Count", "Sum"), "mean": ("TargetResponseTime", "Average"),
            "p95": ("TargetResponseTime", "p95")}


def requests(matter: Matter) -> Told:
    """Of the front door's load balancer as it is now, a value a day."""
    found = _days(matter)
    total = sum(found["requests"].values())
    if not total:
        raise OperationError("CloudWatch counted no request at the load balancer that is there now; it may be younger "
                             "than the month")
    errors = sum(found["target"].values()) + sum(found["own"].values())
    budget = next(each.budget for each in SHARES if each.name == "availability")
    limit = matter.scene.settings.observability.thresholds.latency_p95_seconds
    slow = sorted(day for day, value in found["p95"].items() if value > limit)
    worst = max(found["p95"].values(), default=None)
    share = errors / total
    data = {"requests": round(total), "errors": round(errors), "availabilityPercent": 100 * (1 - share),
            "errorPercent": 100 * share, "objectiveErrorPercent": 100 * budget, "worstDayP95Seconds": worst,
            "objectiveP95Seconds": limit, "slowDays": [f"{day:%Y-%m-%d}" for day in slow],
            "days": len(found["requests"])}
    sentences = [f"{100 * (1 - share):.3f} % available: {errors:.0f} of {total:.0f} requests failed "
                 f"({100 * share:.3f} %; {100 * budget:g} % are allowed)"]
    if worst is not None:
        sentences.append(f"95 % of the answers came within {worst:.2f} s on the slowest day; {limit:g} s are the "
                         f"objective, missed on {len(slow)} days")
    return Told(judged(share > budget or slow), tuple(sentences), data)


def alarms(matter: Matter) -> Told:
    """How often each went on."""
    oldest = matter.scene.now() - HISTORY
    if matter.until <= oldest:
        raise OperationError(f"CloudWatch keeps what alarms did for {HISTORY.days} days, and the month ended before")
    prefix, on = f"{matter.scene.names.prefix}-", Counter[str]()
    for kind in ("MetricAlarm", "CompositeAlarm"):
        for entry in pages(matter.scene.aws("cloudwatch"), "describe_alarm_history", "AlarmHistoryItems",
                           HistoryItemType="StateUpdate", AlarmTypes=[kind], StartDate=matter.first,
                           EndDate=matter.until):
            if entry["AlarmName"].startswith(prefix) and _new_state(entry) == "ALARM":
                on[entry["AlarmName"]] += 1
    told = [f"{name} went on {_times(count)}" for name, count in on.most_common(SHOWN)]
    since = [] if matter.first >= oldest else [f"only from {oldest:%Y-%m-%d} on: CloudWatch keeps {HISTORY.days} days"]
    return Told(State.GOOD, tuple((told or ["no alarm went on"]) + since), dict(on.most_common()))


def releases(matter: Matter) -> Told:
    """Of the rollouts' journals in the cluster, which keep the last ones of each service."""
    found: dict[str, dict[str, int]] = {}
    sentences, short = [], []
    for service in matter.scene.settings.services:
        target = Target.of(matter.scene.stack, matter.scene.settings, service.name)
        book = Journal(matter.scene.kubernetes, target).load()
        ended = Counter(record.result.value for record in book.all if matter.within(_began(record)))
        if ended:
            found[service.name] = dict(ended)
            sentences.append(f"{service.name}: {sum(ended.values())} rollouts, "
                             + ", ".join(f"{count} {result}" for result, count in sorted(ended.items())))
        if len(book.past) >= Book.KEPT and _began(book.past[0]) > matter.first:
            short.append(service.name)
    if short:
        sentences.append(f"the journal of {', '.join(short)} keeps the last {Book.KEPT + 1} only: there were more")
    back = sum(each.get(result.value, 0) for each in found.values() for result in (Result.ROLLED_BACK, Result.ABORTED))
    held = [name for name, each in found.items() if each.get(Result.HELD)]
    head = f"{sum(sum(each.values()) for each in found.values())} rollouts, {back} of them taken back"
    return Told(judged(held), (head, *sentences), found)


def _days(matter: Matter) -> dict[str, dict[datetime, float]]:
    scene = matter.scene
    of = [{"Name": "LoadBalancer", "Value": _load_balancer(matter)}]
    asked = [{"Id": id, "MetricStat": {
        "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": of},
        "Period": DAY_SECONDS, "Stat": statistic}} for id, (name, statistic) in _METRICS.items()]
    found: dict[str, dict[datetime, float]] = {id: {} for id in _METRICS}
    for result in pages(scene.aws("cloudwatch"), "get_metric_data", "MetricDataResults", MetricDataQueries=asked,
                        StartTime=matter.first, EndTime=matter.until):
        if result.get("StatusCode") == "InternalError":
            raise OperationError(f"CloudWatch does not answer for {_METRICS[result['Id']][0]}")
        found[result["Id"]].update(zip(result["Timestamps"], result["Values"], strict=True))
    return found


def _load_balancer(matter: Matter) -> str:
    """As CloudWatch calls it: `app/name/id`."""
    elb = matter.scene.aws("elbv2")
    arns = {arn for group in balancer.target_groups(elb, matter.scene.names.cluster).values()
            for arn in balancer.of_group(elb, group)}
    if len(arns) != 1:
        raise OperationError(f"{len(arns)} load balancers belong to the cluster {matter.scene.names.cluster}; the "
                             "front door is one")
    return arns.pop().partition(":loadbalancer/")[2]


def _new_state(entry: Mapping[str, Any]) -> str:
    return str(json.loads(entry["HistoryData"]).get("newState", {}).get("stateValue", ""))


def _began(record: Record) -> datetime:
    return datetime.fromtimestamp(record.began, UTC)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

