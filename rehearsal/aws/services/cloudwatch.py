"""CloudWatch: metric and composite alarms, dashboards, by MiniStack (which does not evaluate alarms)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, pairs, present, retag, tag_map, unless
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_ACTIONS = ("alarmActions", "okActions", "insufficientDataActions")
_SCALARS = {
    "alarmDescription": "AlarmDescription", "actionsEnabled": "ActionsEnabled", "metricName": "MetricName",
    "namespace": "Namespace", "statistic": "Statistic", "extendedStatistic": "ExtendedStatistic", "period": "Period",
    "unit": "Unit", "evaluationPeriods": "EvaluationPeriods", "datapointsToAlarm": "DatapointsToAlarm",
    "threshold": "Threshold", "comparisonOperator": "ComparisonOperator", "treatMissingData": "TreatMissingData",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile", "thresholdMetricId": "ThresholdMetricId",
}
_OF_METRIC = ("metricName", "namespace", "statistic", "extendedStatistic", "period", "unit")
_NAMED = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(([^)]+)\)")
_DAY, _WEEK, _HOUR = 86_400, 604_800, 3_600
_GRID = 24  # columns (CloudWatch User Guide, "Dashboard body structure and syntax")
_LISTS = {"alarmActions": "AlarmActions", "okActions": "OKActions",
          "insufficientDataActions": "InsufficientDataActions"}


@resource
class MetricAlarm(Handler):
    """The id is the alarm's name."""

    type = "aws:cloudwatch/metricAlarm:MetricAlarm"
    naming = Naming("name", maximum=255)
    defaults = {"actionsEnabled": True, "treatMissingData": "missing"}
    kept = ("evaluationCriteria", "evaluationInterval", "metricQueries")  # MiniStack 1.5.33 drops Metrics

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from _topics(inputs)

    def create(self, call: Call, inputs: Properties) -> str:
        _check_metric(inputs)
        self._put(call, inputs["name"], inputs)
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = call.client("cloudwatch").describe_alarms(AlarmNames=[id], AlarmTypes=["MetricAlarm"])
        if not answer["MetricAlarms"]:
            return None
        alarm = answer["MetricAlarms"][0]
        of_metric = set(_OF_METRIC if not alarm.get("MetricName") else ())  # a math alarm has none of these
        outputs: Properties = {name: alarm.get(api) for name, api in _SCALARS.items() if name not in of_metric}
        outputs |= {name: alarm[api] for name, api in _LISTS.items() if alarm.get(api)}
        if alarm.get("Dimensions"):
            outputs["dimensions"] = {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}
        return outputs | {"arn": alarm["AlarmArn"], "name": id, "tags": _tags(call, alarm["AlarmArn"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if changed - {"tags"}:
            _check_metric(new)
            self._put(call, id, new)
        if "tags" in changed:
            _retag(call, call.arn("cloudwatch", f"alarm:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("ResourceNotFound", "ResourceNotFoundException"):
            call.client("cloudwatch").delete_alarms(AlarmNames=[id])

    def _put(self, call: Call, name: str, inputs: Properties) -> None:
        dimensions = [{"Name": key, "Value": value} for key, value in sorted((inputs.get("dimensions") or {}).items())]
        queries = [_query_sent(entry) for entry in inputs.get("metricQueries") or ()]
        call.client("cloudwatch").put_metric_alarm(
            AlarmName=name, Tags=call.tag_list,
            **present(**{api: inputs.get(property) for property, api in (_SCALARS | _LISTS).items()}),
            **({"Dimensions": dimensions} if dimensions else {}), **({"Metrics": queries} if queries else {}))


@resource
class CompositeAlarm(Handler):
    type = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    defaults = {"actionsEnabled": True}
    kept = ("actionsSuppressor",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from _topics(inputs)
        for name in _NAMED.findall(str(inputs["alarmRule"])):
            yield _alarm(name.strip("\"'"))

    def create(self, call: Call, inputs: Properties) -> str:
        self._put(call, inputs)
        return str(inputs["alarmName"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = call.client("cloudwatch").describe_alarms(AlarmNames=[id], AlarmTypes=["CompositeAlarm"])
        if not answer.get("CompositeAlarms"):
            return None
        alarm = answer["CompositeAlarms"][0]
        return {"arn": alarm["AlarmArn"], "alarmName": id, "alarmRule": alarm["AlarmRule"],
                "alarmDescription": alarm.get("AlarmDescription"), "actionsEnabled": alarm.get("ActionsEnabled", True),
                "tags": _tags(call, alarm["AlarmArn"]),
                **{name: alarm[api] for name, api in _LISTS.items() if alarm.get(api)}}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if changed - {"tags"}:
            self._put(call, new)
        if "tags" in changed:
            _retag(call, call.arn("cloudwatch", f"alarm:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("ResourceNotFound", "ResourceNotFoundException"):
            call.client("cloudwatch").delete_alarms(AlarmNames=[id])

    def _put(self, call: Call, inputs: Properties) -> None:
        call.client("cloudwatch").put_composite_alarm(
            AlarmName=inputs["alarmName"], AlarmRule=inputs["alarmRule"], Tags=call.tag_list,
            **present(AlarmDescription=inputs.get("alarmDescription"), ActionsEnabled=inputs.get("actionsEnabled"),
                      **{api: inputs.get(name) for name, api in _LISTS.items()}))


@resource
class Dashboard(Handler):
    """The id is the dashboard's name."""

    type = "aws:cloudwatch/dashboard:Dashboard"
    tags_property = None
    documents = ("dashboardBody",)

    def create(self, call: Call, inputs: Properties) -> str:
        _check_body(inputs["dashboardBody"])
        call.client("cloudwatch").put_dashboard(
            DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"])
        return str(inputs["dashboardName"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client("cloudwatch").get_dashboard(DashboardName=id),
                       "ResourceNotFound", "DashboardNotFoundError")
        return None if answer is None else {
            "dashboardName": id, "dashboardBody": answer["DashboardBody"],
            "dashboardArn": f"arn:aws:cloudwatch::{call.account}:dashboard/{id}"}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_body(new["dashboardBody"])
        call.client("cloudwatch").put_dashboard(DashboardName=id, DashboardBody=new["dashboardBody"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("ResourceNotFound", "DashboardNotFoundError"):
            call.client("cloudwatch").delete_dashboards(DashboardNames=[id])


def _topics(inputs: Properties) -> Iterable[Reference]:
    for property in _ACTIONS:
        for index, action in enumerate(inputs.get(property) or ()):
            if isinstance(action, str) and action.startswith("arn:aws:sns:"):
                yield references.topic(f"{property}[{index}]", action)


def _alarm(name: str) -> Reference:
    """PutCompositeAlarm refuses a rule that names an alarm which is not there."""
    return Reference("alarmRule", name, lambda call: any(call.client("cloudwatch").describe_alarms(
        AlarmNames=[name.rpartition(":alarm:")[2]], AlarmTypes=["MetricAlarm", "CompositeAlarm"]).get(kind)
        for kind in ("MetricAlarms", "CompositeAlarms")))


def _query_sent(entry: Properties) -> dict[str, Any]:
    metric = entry.get("metric")
    return present(
        Id=entry["id"], Expression=entry.get("expression"), Label=entry.get("label"), Period=entry.get("period"),
        ReturnData=entry.get("returnData"), AccountId=entry.get("accountId"),
        MetricStat=metric and present(
            Period=metric["period"], Stat=metric["stat"], Unit=metric.get("unit"),
            Metric=present(MetricName=metric["metricName"], Namespace=metric.get("namespace"), Dimensions=[
                {"Name": key, "Value": value} for key, value in sorted((metric.get("dimensions") or {}).items())])))


def _tags(call: Call, arn: str) -> dict[str, str]:
    return tag_map(call.client("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"])


def _retag(call: Call, arn: str) -> None:
    client = call.client("cloudwatch")
    retag(call, _tags(call, arn), lambda tags: client.tag_resource(ResourceARN=arn, Tags=pairs(tags)),
          lambda keys: client.untag_resource(ResourceARN=arn, TagKeys=keys))


def _check_metric(inputs: Properties) -> None:
    """What PutMetricAlarm refuses and the emulator takes."""
    if bool(inputs.get("metricName")) == bool(inputs.get("metricQueries")):
        raise ProviderError("an alarm watches either `metricName` or `metricQueries`, exactly one of them")
    if inputs.get("metricName") and bool(inputs.get("statistic")) == bool(inputs.get("extendedStatistic")):
        raise ProviderError("an alarm on a metric has either `statistic` or `extendedStatistic`, exactly one of them")
    period = inputs.get("period")
    if period is not None and period not in (10, 20, 30) and (period < 60 or period % 60):
        raise ProviderError(f"`period` is {period} s; 10, 20, 30 or a multiple of 60 is allowed")
    queries = inputs.get("metricQueries") or ()
    periods = [period, *(entry["metric"]["period"] for entry in queries if entry.get("metric"))]
    longest = max((each for each in periods if each), default=0)
    watched, most = longest * inputs["evaluationPeriods"], _WEEK if longest >= _HOUR else _DAY
    if watched > most:
        raise ProviderError(f"`evaluationPeriods` of {longest} s are {watched} s together; {most} s are allowed")
    _check_queries(queries)


def _check_queries(queries: Iterable[Properties]) -> None:
    given = list(queries)
    for entry in given:
        if bool(entry.get("expression")) == bool(entry.get("metric")):
            raise ProviderError(f"the query {entry['id']!r} has either `expression` or `metric`, exactly one of them")
        if not re.fullmatch(r"[a-z][a-zA-Z0-9_]*", entry["id"]):
            raise ProviderError(f"a query's id is {entry['id']!r}; it must begin with a lower-case letter")
    if given and sum(bool(entry.get("returnData")) for entry in given) != 1:
        raise ProviderError("exactly one of the queries has `returnData`: the one that is compared")


def _check_body(body: str) -> None:
    try:
        widgets = json.loads(body).get("widgets")
    except (ValueError, AttributeError) as error:
        raise ProviderError(f"`dashboardBody` is not a JSON object: {error}") from error
    if not isinstance(widgets, list):
        raise ProviderError("`dashboardBody` has no list `widgets`")
    for widget in widgets:
        if widget.get("x", 0) + widget.get("width", 6) > _GRID:
            raise ProviderError(f"a widget reaches to column {widget.get('x', 0) + widget.get('width', 6)}; "
                                f"a dashboard has {_GRID}")
