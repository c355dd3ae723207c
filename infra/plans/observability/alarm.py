"""An alarm, as both CloudWatch and Prometheus know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from infra.plans.observability.severity import Severity

RUNBOOKS = "docs/runbooks"  # where the pages are; the notifications know the address of this folder
RATE_WINDOW = "5m"  # of counters in Prometheus: several scrapes, so that one that fails doesn't show


class Place(StrEnum):
    """What a dimension's value is, known only when the resource is there. An alarm whose place an environment has not
    is not made in it."""

    ENVIRONMENT = "environment"
    LOAD_BALANCER = "load balancer"
    BLUE, GREEN = "blue target group", "green target group"
    DATABASE = "database"
    CACHE_NODE = "cache node"
    DISTRIBUTION = "distribution"
    FUNCTION = "function"
    QUEUE = "dead-letter queue"
    API, STAGE = "REST API", "REST API stage"
    CERTIFICATE = "certificate"
    CDN_CERTIFICATE = "CloudFront's certificate"
    CANARY = "canary"


class Each(StrEnum):
    """One alarm a member, with the member's name behind its own."""

    SERVICE = "service"


class Comparison(StrEnum):
    BELOW = "LessThanThreshold"
    ABOVE = "GreaterThanThreshold"

    @property
    def sign(self) -> str:
        return "<" if self is Comparison.BELOW else ">"


class Missing(StrEnum):
    """What no data says: see PutMetricAlarm of the API reference."""

    FINE = "notBreaching"
    BREACHING = "breaching"
    KEEP = "ignore"


@dataclass(frozen=True)
class Metric:
    """statistic: Average, Sum, Minimum, Maximum, or a percentile such as p95. Dimension values that aren't places are
    literal."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, Place | str]


@dataclass(frozen=True)
class Watched:
    """What CloudWatch compares with the threshold: one metric, or an expression over several by their ids.

    A metric of a place that has several members (cache nodes, functions, queues) becomes one metric a member, with
    ids `m1`, `m2`, …, and the expression is over METRICS(): CloudWatch takes 10 of them in an alarm.
    """

    metrics: Mapping[str, Metric]
    expression: str | None = None
    members: bool = False

    @property
    def places(self) -> frozenset[Place]:
        return frozenset(place for metric in self.metrics.values() for place in metric.dimensions.values()
                         if isinstance(place, Place))


@dataclass(frozen=True)
class Alarm:
    """One row of the table (`alarm_table`).

    threshold: in the metric's unit. seconds: CloudWatch's period; of `periods` of them `datapoints` must breach.
    prometheus: an expression without the comparison, where the metric is in Prometheus; labels that it keeps make one
        alert each.
    runbook: file in docs/runbooks and anchor. scheduled: a scheduled scale-down causes it (F8). edge: watched in
        us-east-1, where CloudFront's metrics are. composite: its composite alarm notifies instead of it.
    """

    name: str
    severity: Severity
    summary: str
    why: str
    comparison: Comparison
    threshold: float
    seconds: int
    periods: int
    runbook: str
    watched: Watched | None = None
    prometheus: str | None = None
    datapoints: int | None = None
    missing: Missing = Missing.FINE
    each: Each | None = None
    scheduled: bool = False
    edge: bool = False
    composite: str | None = None

    @property
    def minutes(self) -> int:
        return self.seconds * self.periods // 60

    @property
    def threshold_text(self) -> str:
        return f"{self.threshold:.10g}"

    @property
    def description(self) -> str:
        """What the notification says; at most 1,024 characters."""
        return (f"{self.severity} ({self.severity.word}, answer within {self.severity.response}): {self.summary}. "
                f"Runbook: {self.runbook}")


@dataclass(frozen=True)
class Composite:
    """Several alarms as one notification. unless: another composite that explains it already."""

    name: str
    severity: Severity
    summary: str
    runbook: str
    unless: str | None = None
    scheduled: bool = field(default=False)

    @property
    def description(self) -> str:
        return (f"{self.severity} ({self.severity.word}, answer within {self.severity.response}): {self.summary}. "
                f"Runbook: {self.runbook}")


def one(namespace: str, name: str, statistic: str, **dimensions: Place | str) -> Watched:
    return Watched({"m": Metric(namespace, name, statistic, dimensions)})


def over_members(expression: str, namespace: str, name: str, statistic: str, **dimensions: Place | str) -> Watched:
    return Watched({"m": Metric(namespace, name, statistic, dimensions)}, expression, members=True)
