"""CloudWatch's dashboard `{environment}-candlefish-animation` (M1), from a table of widgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.plans.observability.alarm import Alarm, Metric, Place
from infra.plans.observability.alarm_specs import namespace
from infra.plans.observability.emitted import ANIMATION, LOGS
from infra.plans.observability.log_filters import FILTERS

WIDTH, HEIGHT, ACROSS = 8, 6, 3  # a dashboard's grid is 24 wide
PERIOD = 60


@dataclass(frozen=True)
class Widget:
    """metrics: lines of the graph; one of a place with several members becomes a line a member.
    limit: the row of the alarm table whose threshold is drawn. expression: over the metrics' ids m1, m2, … instead of
    the metrics themselves. edge: of us-east-1."""

    title: str
    metrics: tuple[Metric, ...]
    limit: str | None = None
    expression: str | None = None
    unit: str = ""
    edge: bool = False


def _animation(name: str, statistic: str = "Average") -> Metric:
    return Metric(ANIMATION, name, statistic, {"Environment": Place.ENVIRONMENT})


def _balancer(name: str, statistic: str) -> Metric:
    return Metric("AWS/ApplicationELB", name, statistic, {"LoadBalancer": Place.LOAD_BALANCER})


def _database(name: str) -> Metric:
    return Metric("AWS/RDS", name, "Average", {"DBInstanceIdentifier": Place.DATABASE})


def _cache(name: str) -> Metric:
    return Metric("AWS/ElastiCache", name, "Average", {"CacheClusterId": Place.CACHE_NODE})


def _functions(name: str, statistic: str = "Sum") -> Metric:
    return Metric("AWS/Lambda", name, statistic, {"FunctionName": Place.FUNCTION})


def _distribution(name: str, statistic: str = "Average") -> Metric:
    return Metric("AWS/CloudFront", name, statistic, {"DistributionId": Place.DISTRIBUTION, "Region": "Global"})


WIDGETS = (
    Widget("Frame rate", (_animation("candlefish_animation_fps"), _animation("candlefish_animation_fps", "p10")),
           "animation-fps", unit="frames/s"),
    Widget("Dropped frames", (_animation("candlefish_frame_drop_rate"),), "animation-frame-drops", unit="%"),
    Widget("Memory of the animation", (_animation("candlefish_webgl_memory_usage"),
                                       _animation("candlefish_webgl_memory_usage", "p95")),
           "animation-memory-critical", unit="MB"),
    Widget("Time to render a frame", (_animation("candlefish_render_time"),
                                      _animation("candlefish_render_time", "p95")), unit="ms"),
    Widget("Time to load", (_animation("candlefish_load_time"), _animation("candlefish_load_time", "p95")),
           unit="ms"),
    Widget("API as browsers see it", (_animation("candlefish_api_response_time"),
                                      _animation("candlefish_api_response_time", "p95")), unit="ms"),
    Widget("Largest contentful paint", (_animation("candlefish_largest_contentful_paint", "p75"),), unit="ms"),
    Widget("First input delay", (_animation("candlefish_first_input_delay", "p75"),), unit="ms"),
    Widget("Cumulative layout shift", (_animation("candlefish_cumulative_layout_shift", "p75"),)),
    Widget("Trust gained in a session", (_animation("candlefish_trust_progression"),), "trust-progression",
           unit="points"),
    Widget("Sessions", (_animation("candlefish_session_duration"), _animation("candlefish_interaction_rate"),
                        _animation("candlefish_return_rate"))),
    Widget("Connections", (_animation("candlefish_active_connections", "Maximum"),)),
    Widget("Share of failed requests", (_balancer("HTTPCode_Target_5XX_Count", "Sum"),
                                        _balancer("HTTPCode_ELB_5XX_Count", "Sum"), _balancer("RequestCount", "Sum")),
           "error-rate", "100 * (FILL(m1, 0) + FILL(m2, 0)) / m3", unit="%"),
    Widget("Requests", (_balancer("RequestCount", "Sum"),)),
    Widget("Response time", (_balancer("TargetResponseTime", "p50"), _balancer("TargetResponseTime", "p95"),
                             _balancer("TargetResponseTime", "p99")), "latency-p95", unit="s"),
    Widget("Checks from outside", (Metric("CloudWatchSynthetics", "SuccessPercent", "Average",
                                          {"CanaryName": Place.CANARY}),), "synthetic-checks", unit="%"),
    Widget("CloudFront: hit rate", (_distribution("CacheHitRate"),), "cdn-hit-rate", unit="%", edge=True),
    Widget("CloudFront: errors", (_distribution("4xxErrorRate"), _distribution("5xxErrorRate")), "cdn-errors",
           unit="%", edge=True),
    Widget("Database: CPU", (_database("CPUUtilization"),), "database-cpu", unit="%"),
    Widget("Database: connections", (_database("DatabaseConnections"),), "database-connections"),
    Widget("Database: free disk", (_database("FreeStorageSpace"),), "database-storage", unit="bytes"),
    Widget("Cache: hit rate", (_cache("CacheHitRate"),), "cache-hit-rate", unit="%"),
    Widget("Cache: memory", (_cache("DatabaseMemoryUsagePercentage"),), "cache-memory", unit="%"),
    Widget("Cache: replication lag", (_cache("ReplicationLag"),), "cache-replication-lag", unit="s"),
    Widget("Functions: errors", (_functions("Errors"),), "functions-errors"),
    Widget("Functions: duration", (_functions("Duration", "p95"),), unit="ms"),
    Widget("Logs", tuple(Metric(LOGS, each.metric, "Sum", {}) for each in FILTERS)),
)


def body(environment: str, region: str, edge_region: str, alarms: Sequence[Alarm], alarm_arns: Sequence[str],
         places: Mapping[Place, Sequence[str]]) -> dict[str, Any]:
    """The dashboard's JSON. Widgets whose places aren't there are left out."""
    limits = {alarm.name: alarm for alarm in alarms}
    widgets = [_alarms(alarm_arns)] if alarm_arns else []
    for widget in WIDGETS:
        lines = [line for metric in widget.metrics for line in _lines(metric, environment, places)]
        if lines:
            index = len(widgets) - bool(alarm_arns)
            widgets.append({
                "type": "metric", "width": WIDTH, "height": HEIGHT, "x": WIDTH * (index % ACROSS),
                "y": HEIGHT * (index // ACROSS) + HEIGHT,
                "properties": _properties(widget, lines, edge_region if widget.edge else region, limits)})
    return {"start": "-PT6H", "widgets": widgets}


def _alarms(arns: Sequence[str]) -> dict[str, Any]:
    return {"type": "alarm", "x": 0, "y": 0, "width": 24, "height": HEIGHT,
            "properties": {"title": "Alarms", "alarms": list(arns), "sortBy": "stateUpdatedTimestamp"}}


def _properties(widget: Widget, lines: list[list[Any]], region: str, limits: Mapping[str, Alarm]) -> dict[str, Any]:
    if widget.expression:
        lines = [[{"expression": widget.expression, "label": widget.title, "id": "result"}],
                 *([*line[:-1], {**line[-1], "id": f"m{index + 1}", "visible": False}]
                   for index, line in enumerate(lines))]
    properties: dict[str, Any] = {"title": widget.title, "region": region, "view": "timeSeries", "stacked": False,
                                  "period": PERIOD, "metrics": lines}
    if widget.unit:
        properties["yAxis"] = {"left": {"label": widget.unit, "showUnits": False}}
    if widget.limit and widget.limit in limits:
        alarm = limits[widget.limit]
        properties["annotations"] = {"horizontal": [{
            "label": f"{alarm.severity}: {alarm.name}", "value": alarm.threshold,
            "fill": "below" if alarm.comparison.sign == "<" else "above"}]}
    return properties


def _lines(metric: Metric, environment: str, places: Mapping[Place, Sequence[str]]) -> Iterator[list[Any]]:
    wanted = [value for value in metric.dimensions.values() if isinstance(value, Place)]
    members = places.get(wanted[0], ()) if wanted else [""]
    for member in members:
        dimensions = [part for name, value in metric.dimensions.items()
                      for part in (name, member if isinstance(value, Place) else value)]
        yield [namespace(metric, environment), metric.name, *dimensions, {"stat": metric.statistic}]
