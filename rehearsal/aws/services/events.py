"""EventBridge: rules and their targets, by MiniStack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.clock import occurrences
from rehearsal.aws.clock.cron import ExpressionError
from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import (
    Names,
    found,
    input_shape,
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
_BUS = "default"
_PATTERN_CHARACTERS = 4096  # what the provider takes of a normalized pattern
_NAMES = Names({"targetId": "Id", "inputPaths": "InputPathsMap"})
_PARTS = ("input", "inputPath", "inputTransformer", "roleArn", "retryPolicy", "deadLetterConfig")


@resource
class EventRule(Handler):
    """The id is the rule's name, behind `bus/` for another bus than the default one."""

    type = "aws:cloudwatch/eventRule:EventRule"
    naming = Naming("name", maximum=64)
    defaults = {"eventBusName": _BUS, "state": "ENABLED", "forceDestroy": False}
    documents = ("eventPattern",)
    kept = ("forceDestroy", "isEnabled", "namePrefix")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"roleArn": references.role})

    def create(self, call: Call, inputs: Properties) -> str:
        self._put(call, inputs["name"], inputs, Tags=call.tag_list)
        bus = inputs.get("eventBusName") or _BUS
        return str(inputs["name"] if bus == _BUS else f"{bus}/{inputs['name']}")

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        events, (bus, name) = call.client("events"), _place(id)
        got = found(lambda: events.describe_rule(Name=name, EventBusName=bus), GONE)
        if got is None:
            return None
        return {"arn": got["Arn"], "name": name, "eventBusName": bus, "description": got.get("Description") or None,
                "eventPattern": got.get("EventPattern") or None, "state": got["State"],
                "scheduleExpression": got.get("ScheduleExpression") or None, "roleArn": got.get("RoleArn") or None,
                "tags": tag_map(events.list_tags_for_resource(ResourceARN=got["Arn"])["Tags"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        events, (_, name) = call.client("events"), _place(id)
        if changed - {"tags", "tagsAll"}:
            self._put(call, name, new)
        if "tags" in changed:
            arn = old["arn"]
            retag(call, tag_map(events.list_tags_for_resource(ResourceARN=arn)["Tags"]),
                  lambda tags: events.tag_resource(ResourceARN=arn, Tags=pairs(tags)),
                  lambda keys: events.untag_resource(ResourceARN=arn, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        events, (bus, name) = call.client("events"), _place(id)
        if found(lambda: events.describe_rule(Name=name, EventBusName=bus), GONE) is None:
            return
        if events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]:
            raise refused("ValidationException", f"Rule can't be deleted since it has targets: {name}", "DeleteRule")
        with unless(GONE):
            events.delete_rule(Name=name, EventBusName=bus)

    def _put(self, call: Call, name: str, inputs: Properties, **more: Any) -> None:
        pattern = inputs.get("eventPattern")
        if not pattern and not inputs.get("scheduleExpression"):
            raise refused("ValidationException", "a rule needs eventPattern or scheduleExpression", "PutRule")
        if pattern:
            _check_pattern(pattern)
        if inputs.get("scheduleExpression"):
            try:
                occurrences.of_rule(inputs["scheduleExpression"])
            except ExpressionError as error:
                raise refused("ValidationException", f"Parameter ScheduleExpression is not valid: {error}.",
                              "PutRule") from error
        state = inputs.get("state") or ("DISABLED" if inputs.get("isEnabled") is False else "ENABLED")
        call.client("events").put_rule(
            Name=name, EventBusName=inputs.get("eventBusName") or _BUS, State=state, **more,
            **present(Description=inputs.get("description"), EventPattern=pattern, RoleArn=inputs.get("roleArn"),
                      ScheduleExpression=inputs.get("scheduleExpression")))


def _check_pattern(pattern: str) -> None:
    """Every leaf of a pattern is a list of what is allowed; `$or` is a list of patterns."""
    try:
        parsed = json.loads(pattern)
    except ValueError as error:
        raise refused("InvalidEventPatternException", f"eventPattern is not JSON: {error}", "PutRule") from error
    if len(json.dumps(parsed, separators=(",", ":"))) > _PATTERN_CHARACTERS:
        raise refused("InvalidEventPatternException", f"eventPattern is longer than {_PATTERN_CHARACTERS} characters",
                      "PutRule")
    _check_leaves(parsed, "eventPattern")


def _check_leaves(value: Any, where: str) -> None:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            for part in each if key == "$or" and isinstance(each, list) else [each]:
                _check_leaves(part, f"{where}.{key}")
    elif not isinstance(value, list) or not value:
        raise refused("InvalidEventPatternException", f"{where}: a list of what is allowed, or a map of such",
                      "PutRule")


@resource
class EventTarget(Handler):
    """The id is `rule-target`. Targets of other kinds than functions, queues and topics are not used here."""

    type = "aws:cloudwatch/eventTarget:EventTarget"
    tags_property = None
    defaults = {"eventBusName": _BUS, "forceDestroy": False}
    kept = ("forceDestroy",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"arn": references.destination, "roleArn": references.role})
        queue = (inputs.get("deadLetterConfig") or {}).get("arn")
        if queue:
            yield references.queue("deadLetterConfig.arn", queue)
        bus, name = inputs.get("eventBusName") or _BUS, inputs["rule"]
        yield Reference("rule", name, lambda call: found(
            lambda: call.client("events").describe_rule(Name=name, EventBusName=bus), GONE) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        target = inputs.get("targetId") or f"terraform-{call.context.random.randbytes(13).hex()}"
        self._put(call, target, inputs)
        return f"{inputs['rule']}-{target}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        events, (bus, rule) = call.client("events"), _rule_of(id, known)
        answer = found(lambda: events.list_targets_by_rule(Rule=rule, EventBusName=bus), GONE)
        for target in (answer or {}).get("Targets", ()):
            if id == f"{rule}-{target['Id']}" or id.endswith(f"/{target['Id']}"):
                shown = _NAMES.response(output_shape(events, "ListTargetsByRule").members["Targets"].member, target)
                return {"arn": shown["arn"], "rule": rule, "eventBusName": bus, "targetId": target["Id"],
                        **{key: shown[key] for key in _PARTS if shown.get(key)}}
        return None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._put(call, old["targetId"], new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        bus, rule = _rule_of(id, known)
        target = known.get("targetId") or id.removeprefix(f"{rule}-")
        with unless(GONE):
            call.client("events").remove_targets(Rule=rule, EventBusName=bus, Ids=[target])

    def _put(self, call: Call, target: str, inputs: Properties) -> None:
        events = call.client("events")
        shape = input_shape(events, "PutTargets").members["Targets"].member
        sent = _NAMES.request(shape, present(
            targetId=target, arn=inputs["arn"], **{key: inputs.get(key) for key in _PARTS}))
        failed = events.put_targets(Rule=inputs["rule"], EventBusName=inputs.get("eventBusName") or _BUS,
                                    Targets=[sent])["FailedEntries"]
        if failed:
            raise refused(failed[0]["ErrorCode"], failed[0]["ErrorMessage"], "PutTargets")


def _place(id: str) -> tuple[str, str]:
    bus, _, name = id.rpartition("/")
    return bus or _BUS, name


def _rule_of(id: str, known: Properties) -> tuple[str, str]:
    """Of an import: `bus/rule/target` or `rule/target`."""
    if known.get("rule"):
        return known.get("eventBusName") or _BUS, known["rule"]
    *bus, rule, _ = id.split("/")
    return "/".join(bus) or _BUS, rule
