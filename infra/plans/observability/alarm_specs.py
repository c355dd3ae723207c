"""From rows of the table to the arguments of CloudWatch's alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.plans.observability.alarm import Alarm, Each, Metric, Place, Watched

MEMBERS_AT_ONCE = 10  # metrics in the expression of an alarm (CloudWatch User Guide, "Using metric math")
_SCHEDULED = "scheduled"


@dataclass(frozen=True)
class Places:
    """Values of the places: texts here, outputs in the program.

    each: what the alarms that exist once a member differ in, by the member's name.
    """

    of: Mapping[Place, Sequence[Any]]
    each: Mapping[Each, Mapping[str, Mapping[Place, Sequence[Any]]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """One alarm of CloudWatch. `arguments`: of MetricAlarm, in snake_case, without name and actions."""

    name: str
    physical_name: str
    alarm: Alarm
    arguments: Mapping[str, Any]


def prefix(environment: str, *, scheduled: bool) -> str:
    """What alarms' names begin with. Those that a scheduled scale-down fires share a longer prefix, by which its
    function silences them (F8)."""
    return f"{environment}-candlefish-{_SCHEDULED}-" if scheduled else f"{environment}-candlefish-"


def wanted(alarms: Sequence[Alarm], which: Literal["all", "critical", "none"]) -> tuple[Alarm, ...]:
    return tuple(alarm for alarm in alarms
                 if which == "all" or (which == "critical" and alarm.severity.pages))


def specs(alarms: Sequence[Alarm], environment: str, places: Places) -> Iterator[Spec]:
    """Those whose places are all there."""
    for alarm in alarms:
        if alarm.watched is None:
            continue
        for member, here in _members(alarm, places):
            if all(here.get(place) for place in alarm.watched.places):
                for part, arguments in enumerate(_watching(alarm, alarm.watched, environment, here)):
                    name = "-".join([alarm.name, *([member] if member else []), *([str(part + 1)] if part else [])])
                    yield Spec(name, prefix(environment, scheduled=alarm.scheduled) + name, alarm,
                               {**_judging(alarm), **arguments})


def rule(members: Sequence[str], excuse: str | None) -> str:
    """A composite's rule: any member is in alarm, and the excusing alarm is not."""
    any_of = " OR ".join(f'ALARM("{name}")' for name in members)
    return any_of if excuse is None else f'({any_of}) AND NOT ALARM("{excuse}")'


def _members(alarm: Alarm, places: Places) -> Iterator[tuple[str, Mapping[Place, Sequence[Any]]]]:
    if alarm.each is None:
        yield "", places.of
    else:
        for member, more in places.each.get(alarm.each, {}).items():
            yield member, {**places.of, **more}


def _judging(alarm: Alarm) -> dict[str, Any]:
    return {"comparison_operator": alarm.comparison.value, "threshold": alarm.threshold,
            "evaluation_periods": alarm.periods, "datapoints_to_alarm": alarm.datapoints or alarm.periods,
            "treat_missing_data": alarm.missing.value, "alarm_description": alarm.description}


def _watching(alarm: Alarm, watched: Watched, environment: str,
              places: Mapping[Place, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    if watched.expression is None:
        metric = next(iter(watched.metrics.values()))
        kind = "extended_statistic" if metric.statistic.startswith("p") else "statistic"
        yield {"namespace": namespace(metric, environment), "metric_name": metric.name, kind: metric.statistic,
               "period": alarm.seconds, "dimensions": _dimensions(metric, places)}
    elif watched.members:
        metric = watched.metrics["m"]
        (place,) = watched.places
        values = places[place]
        for start in range(0, len(values), MEMBERS_AT_ONCE):
            chunk = {f"m{index + 1}": {**places, place: [value]}
                     for index, value in enumerate(values[start:start + MEMBERS_AT_ONCE])}
            yield {"metric_queries": [_result(alarm, watched.expression),
                                      *(_query(alarm, id, metric, environment, here) for id, here in chunk.items())]}
    else:
        yield {"metric_queries": [_result(alarm, watched.expression),
                                  *(_query(alarm, id, metric, environment, places)
                                    for id, metric in watched.metrics.items())]}


def _result(alarm: Alarm, expression: str) -> dict[str, Any]:
    return {"id": "result", "expression": expression, "label": alarm.summary, "return_data": True}


def _query(alarm: Alarm, id: str, metric: Metric, environment: str,
           places: Mapping[Place, Sequence[Any]]) -> dict[str, Any]:
    return {"id": id, "return_data": False, "metric": {
        "namespace": namespace(metric, environment), "metric_name": metric.name, "stat": metric.statistic,
        "period": alarm.seconds, "dimensions": _dimensions(metric, places)}}


def namespace(metric: Metric, environment: str) -> str:
    """Metrics that come from log lines have no dimension that could tell the environment."""
    from_logs = not metric.dimensions
    return f"{metric.namespace}/{environment}" if from_logs else metric.namespace


def _dimensions(metric: Metric, places: Mapping[Place, Sequence[Any]]) -> dict[str, Any]:
    return {name: places[value][0] if isinstance(value, Place) else value
            for name, value in metric.dimensions.items()}
