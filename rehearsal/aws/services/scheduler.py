"""EventBridge Scheduler: schedules and their groups, by MiniStack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import available_timezones

from rehearsal.aws.clock import occurrences
from rehearsal.aws.clock.cron import ExpressionError
from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import (
    Names,
    found,
    input_shape,
    iso,
    output_shape,
    pairs,
    present,
    refused,
    retag,
    tag_map,
    unless,
)
from rehearsal.engine.values import Properties

GONE = "ResourceNotFoundException"
DEFAULT_GROUP = "default"
_NAMES = Names({"eventbridgeParameters": "EventBridgeParameters", "sagemakerPipelineParameters":
                "SageMakerPipelineParameters", "maximumEventAgeInSeconds": "MaximumEventAgeInSeconds"})
_RETRY = {"maximumEventAgeInSeconds": (60, 86400), "maximumRetryAttempts": (0, 185)}  # RetryPolicy, API reference


@resource
class Schedule(Handler):
    """The id is `group/name`."""

    type = "aws:scheduler/schedule:Schedule"
    naming = Naming("name", maximum=64)
    tags_property = None
    defaults = {"groupName": DEFAULT_GROUP, "scheduleExpressionTimezone": "UTC", "state": "ENABLED",
                "actionAfterCompletion": "NONE"}
    kept = ("namePrefix",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        target = inputs.get("target") or {}
        yield from references.given(inputs, {"kmsKeyArn": references.kms_key})
        if target.get("roleArn"):
            yield references.role("target.roleArn", target["roleArn"])
        if target.get("arn"):
            yield references.destination("target.arn", target["arn"])
        letters = (target.get("deadLetterConfig") or {}).get("arn")
        if letters:
            yield references.queue("target.deadLetterConfig.arn", letters)

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("scheduler").create_schedule(**self._sent(call, inputs, "CreateSchedule"))
        return f"{inputs.get('groupName') or DEFAULT_GROUP}/{inputs['name']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group, _, name = id.rpartition("/")
        client = call.client("scheduler")
        answer = found(lambda: client.get_schedule(GroupName=group or DEFAULT_GROUP, Name=name), GONE)
        if answer is None:
            return None
        told = {key: value for key, value in answer.items() if value not in (None, "") and key in _TOLD}
        outputs: Properties = _NAMES.response(output_shape(client, "GetSchedule"), told)
        return {**outputs, **present(startDate=iso(answer.get("StartDate")), endDate=iso(answer.get("EndDate")))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("scheduler").update_schedule(**self._sent(call, new, "UpdateSchedule"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        group, _, name = id.rpartition("/")
        with unless(GONE):
            call.client("scheduler").delete_schedule(GroupName=group or DEFAULT_GROUP, Name=name)

    def _sent(self, call: Call, inputs: Properties, operation: str) -> dict[str, Any]:
        _check(inputs, operation)
        sent = {key: value for key, value in {**self.defaults, **inputs}.items() if key != "namePrefix"}
        return dict(_NAMES.request(input_shape(call.client("scheduler"), operation), sent))


_TOLD = ("ActionAfterCompletion", "Arn", "Description", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name",
         "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Target")


def _check(inputs: Properties, operation: str) -> None:
    """What Scheduler refuses and MiniStack doesn't."""
    expression = inputs["scheduleExpression"]
    try:
        occurrences.check(expression)
    except ExpressionError as error:
        raise refused("ValidationException", f"Invalid Schedule Expression: {error}.", operation) from error
    zone = inputs.get("scheduleExpressionTimezone") or "UTC"
    zones = available_timezones()  # none on a machine without a time zone database
    if zones and zone not in zones:
        raise refused("ValidationException", f"{zone!r} is not a supported timezone.", operation)
    window = inputs["flexibleTimeWindow"]
    if (window["mode"] == "FLEXIBLE") != bool(window.get("maximumWindowInMinutes")):
        raise refused("ValidationException", "A flexible time window has a maximum, and no other has.", operation)
    policy = (inputs.get("target") or {}).get("retryPolicy") or {}
    for name, (least, most) in _RETRY.items():
        value = policy.get(name)
        if value is not None and not least <= value <= most:
            raise refused("ValidationException", f"{name} is {value}; it must be within {least} and {most}.", operation)


@resource
class ScheduleGroup(Handler):
    """The id is the group's name."""

    type = "aws:scheduler/scheduleGroup:ScheduleGroup"
    naming = Naming("name", maximum=64)
    kept = ("namePrefix",)

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("scheduler").create_schedule_group(Name=inputs["name"], Tags=call.tag_list)
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("scheduler")
        answer = found(lambda: client.get_schedule_group(Name=id), GONE)
        if answer is None:
            return None
        return {"arn": answer["Arn"], "name": id, "state": answer["State"], "tags": _tags(call, answer["Arn"]),
                "creationDate": iso(answer.get("CreationDate")),
                "lastModificationDate": iso(answer.get("LastModificationDate"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client, arn = call.client("scheduler"), call.arn("scheduler", f"schedule-group/{id}")
        retag(call, _tags(call, arn), lambda tags: client.tag_resource(ResourceArn=arn, Tags=pairs(tags)),
              lambda keys: client.untag_resource(ResourceArn=arn, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("scheduler").delete_schedule_group(Name=id)


def _tags(call: Call, arn: str) -> dict[str, str]:
    return tag_map(call.client("scheduler").list_tags_for_resource(ResourceArn=arn).get("Tags"))
