"""CloudWatch Logs: log groups, resource policies, metric filters, by MiniStack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, present, retag, unless
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

GONE = "ResourceNotFoundException"
# PutRetentionPolicy of the API reference; 0 stands for "never expire".
RETENTION_DAYS = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
                  3653)


def find_group(call: Call, name: str) -> dict[str, Any] | None:
    for page in call.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name):
        for group in page["logGroups"]:
            if group["logGroupName"] == name:
                return dict(group)
    return None


@resource
class LogGroup(Handler):
    type = "aws:cloudwatch/logGroup:LogGroup"
    naming = Naming("name", maximum=512)
    defaults = {"retentionInDays": 0, "skipDestroy": False, "logGroupClass": "STANDARD",
                "deletionProtectionEnabled": False}
    kept = ("namePrefix", "skipDestroy", "logGroupClass", "deletionProtectionEnabled")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"kmsKeyId": references.kms_key})

    def create(self, call: Call, inputs: Properties) -> str:
        _check_retention(inputs)
        client = call.client("logs")
        client.create_log_group(
            logGroupName=inputs["name"], tags=call.tags,
            **present(kmsKeyId=inputs.get("kmsKeyId"), logGroupClass=inputs.get("logGroupClass")))
        call.made(inputs["name"])
        if inputs.get("retentionInDays"):
            client.put_retention_policy(logGroupName=inputs["name"], retentionInDays=inputs["retentionInDays"])
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group = find_group(call, id)
        if group is None:
            return None
        arn = group["arn"].removesuffix(":*")
        return {"arn": arn, "name": id, "retentionInDays": group.get("retentionInDays", 0),
                "kmsKeyId": group.get("kmsKeyId"),
                "tags": call.client("logs").list_tags_for_resource(resourceArn=arn)["tags"]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("logs")
        if "retentionInDays" in changed:
            _check_retention(new)
            if new.get("retentionInDays"):
                client.put_retention_policy(logGroupName=id, retentionInDays=new["retentionInDays"])
            else:
                client.delete_retention_policy(logGroupName=id)
        if "kmsKeyId" in changed:
            if new.get("kmsKeyId"):
                client.associate_kms_key(logGroupName=id, kmsKeyId=new["kmsKeyId"])
            else:
                client.disassociate_kms_key(logGroupName=id)
        if "tags" in changed:
            arn = call.arn("logs", f"log-group:{id}")
            retag(call, client.list_tags_for_resource(resourceArn=arn)["tags"],
                  lambda tags: client.tag_resource(resourceArn=arn, tags=tags),
                  lambda keys: client.untag_resource(resourceArn=arn, tagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if known.get("skipDestroy"):
            return
        if known.get("deletionProtectionEnabled"):
            raise ProviderError(f"log group {id}: deletionProtectionEnabled is on; turn it off first")
        with unless(GONE):
            call.client("logs").delete_log_group(logGroupName=id)


@resource
class LogResourcePolicy(Handler):
    type = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    tags_property = None
    documents = ("policyDocument",)
    kept = ("resourceArn",)

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("logs").put_resource_policy(
            policyName=inputs["policyName"], policyDocument=inputs["policyDocument"])
        return str(inputs["policyName"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        policies = call.client("logs").describe_resource_policies()["resourcePolicies"]
        return next(({"policyName": id, "policyDocument": policy["policyDocument"]}
                     for policy in policies if policy["policyName"] == id), None)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("logs").put_resource_policy(policyName=id, policyDocument=new["policyDocument"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("logs").delete_resource_policy(policyName=id)


@resource
class LogMetricFilter(Handler):
    type = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    naming = Naming("name", maximum=512)
    tags_property = None
    kept = ("applyOnTransformedLogs",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        name = inputs.get("logGroupName")
        if name:
            yield Reference("logGroupName", name, lambda call: find_group(call, name) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        self._put(call, inputs["name"], inputs)
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group, _, name = id.rpartition(":")  # `group:name` on import
        answer = found(lambda: call.client("logs").describe_metric_filters(
            logGroupName=known.get("logGroupName") or group, filterNamePrefix=name), GONE)
        for entry in (answer or {}).get("metricFilters", ()):
            if entry["filterName"] == name:
                metric = entry["metricTransformations"][0]
                return {"name": name, "pattern": entry["filterPattern"], "logGroupName": entry["logGroupName"],
                        "metricTransformation": present(
                            name=metric["metricName"], namespace=metric["metricNamespace"],
                            value=metric["metricValue"], unit=metric.get("unit", "None"),
                            dimensions=metric.get("dimensions"),
                            defaultValue=_text(metric.get("defaultValue")))}
        return None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._put(call, id.rpartition(":")[2], new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("logs").delete_metric_filter(
                logGroupName=known["logGroupName"], filterName=id.rpartition(":")[2])

    def _put(self, call: Call, name: str, inputs: Properties) -> None:
        metric = inputs["metricTransformation"]
        default = metric.get("defaultValue")
        call.client("logs").put_metric_filter(
            logGroupName=inputs["logGroupName"], filterName=name, filterPattern=inputs.get("pattern") or "",
            metricTransformations=[present(
                metricName=metric["name"], metricNamespace=metric["namespace"], metricValue=metric["value"],
                unit=metric.get("unit"), dimensions=metric.get("dimensions"),
                defaultValue=None if default is None else float(default))])


@data_source("aws:cloudwatch/getLogGroup:getLogGroup")
def get_log_group(call: Call, arguments: Properties) -> Properties:
    group = find_group(call, arguments["name"])
    if group is None:
        raise ProviderError(f"the log group {arguments['name']!r} does not exist in {call.region}")
    return {"arn": group["arn"].removesuffix(":*"), "id": group["logGroupName"], "name": group["logGroupName"],
            "creationTime": group["creationTime"], "kmsKeyId": group.get("kmsKeyId", ""),
            "retentionInDays": group.get("retentionInDays", 0), "logGroupClass": group.get("logGroupClass", "STANDARD")}


def _check_retention(inputs: Properties) -> None:
    days = inputs.get("retentionInDays") or 0
    if days not in RETENTION_DAYS:
        raise ProviderError(f"retentionInDays is {days}; allowed are {', '.join(map(str, RETENTION_DAYS))}")


def _text(number: float | None) -> str | None:
    return None if number is None else f"{number:g}"
