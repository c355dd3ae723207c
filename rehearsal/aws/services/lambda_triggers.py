"""What invokes a function: permissions and event source mappings. Lambda, by MiniStack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import Names, found, input_shape, present, refused, retag, unless
from rehearsal.aws.services.lambda_ import GONE
from rehearsal.engine.values import Properties

_NAMES = Names(
    {
        "kmsKeyArn": "KMSKeyArn",
        "sourceAccessConfigurations": "SourceAccessConfigurations",
        "onFailure.destinationArn": "Destination",
        "destinationArn": "Destination",
    }
)


@resource
class Permission(Handler):
    """Id: the statement's."""

    type = "aws:lambda/permission:Permission"
    tags_property = None
    kept = (
        "statementIdPrefix",
        "eventSourceToken",
        "invokedViaFunctionUrl",
        "principalOrgId",
        "sourceAccount",
        "functionUrlAuthType",
    )

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"function": references.function})

    def create(self, call: Call, inputs: Properties) -> str:
        drawn = hashlib.sha256(call.context.operation.encode()).hexdigest()[:26]
        statement = inputs.get("statementId") or f"{inputs.get('statementIdPrefix') or 'terraform-'}{drawn}"
        call.client("lambda").add_permission(
            FunctionName=inputs["function"],
            StatementId=statement,
            Action=inputs["action"],
            Principal=inputs["principal"],
            **present(
                SourceArn=inputs.get("sourceArn"),
                SourceAccount=inputs.get("sourceAccount"),
                Qualifier=inputs.get("qualifier"),
                EventSourceToken=inputs.get("eventSourceToken"),
                PrincipalOrgID=inputs.get("principalOrgId"),
                FunctionUrlAuthType=inputs.get("functionUrlAuthType"),
            ),
        )
        return str(statement)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        function, statement_id, qualifier = self._place(id, known)
        answer = found(
            lambda: call.client("lambda").get_policy(
                FunctionName=function, **({"Qualifier": qualifier} if qualifier else {})
            ),
            GONE,
        )
        statements = json.loads(answer["Policy"])["Statement"] if answer else []
        statement = next((each for each in statements if each["Sid"] == statement_id), None)
        if statement is None:
            return None
        principal = statement["Principal"]
        like = statement.get("Condition") or {}
        arn = (like.get("ArnLike") or {}).get("AWS:SourceArn") or (like.get("ArnLike") or {}).get("aws:SourceArn")
        return {
            "statementId": statement_id,
            "function": function,
            "qualifier": qualifier,
            "action": statement["Action"],
            "sourceArn": arn or known.get("sourceArn"),
            "principal": principal if isinstance(principal, str) else _account(next(iter(principal.values())), known),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Every property replaces."""

    def delete(self, call: Call, id: str, known: Properties) -> None:
        function, statement, qualifier = self._place(id, known)
        with unless(GONE):
            call.client("lambda").remove_permission(
                FunctionName=function, StatementId=statement, **({"Qualifier": qualifier} if qualifier else {})
            )

    def _place(self, id: str, known: Properties) -> tuple[str, str, str | None]:
        """An import says `function/statement` or `function:qualifier/statement`."""
        if known.get("function"):
            return known["function"], id, known.get("qualifier")
        place, _, statement = id.rpartition("/")
        function, _, qualifier = place.partition(":")
        if not place:
            raise refused("ValidationException", f"{id!r}: import a permission as function/statement", "GetPolicy")
        return function, statement, qualifier or None


def _account(principal: str, known: Properties) -> str:
    """`arn:aws:iam::123456789012:root` is how a policy says the account."""
    wanted = known.get("principal")
    return str(wanted) if wanted and principal == f"arn:aws:iam::{wanted}:root" else principal


@resource
class EventSourceMapping(Handler):
    """Id: its UUID. What a stream's settings mean is acted out by `rehearsal.aws.emulators.streams`."""

    type = "aws:lambda/eventSourceMapping:EventSourceMapping"
    defaults = {"enabled": True}
    kept = (
        "amazonManagedKafkaEventSourceConfig",
        "documentDbEventSourceConfig",
        "kmsKeyArn",
        "metricsConfig",
        "provisionedPollerConfig",
        "queues",
        "selfManagedEventSource",
        "selfManagedKafkaEventSourceConfig",
        "sourceAccessConfigurations",
        "startingPositionTimestamp",
        "topics",
        "tumblingWindowInSeconds",
        "useResourceTimeoutForPropagation",
    )

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"functionName": references.function, "kmsKeyArn": references.kms_key})
        arn = inputs.get("eventSourceArn") or ""
        if ":sqs:" in arn:
            yield references.queue("eventSourceArn", arn)
        elif ":dynamodb:" in arn:
            yield Reference("eventSourceArn", arn, lambda call: _stream_exists(call, arn))
        failure = ((inputs.get("destinationConfig") or {}).get("onFailure") or {}).get("destinationArn")
        if failure:
            yield references.destination("destinationConfig.onFailure.destinationArn", failure)

    def create(self, call: Call, inputs: Properties) -> str:
        _check(inputs)
        client = call.client("lambda")
        sent = _sent(client, "CreateEventSourceMapping", inputs)
        return str(client.create_event_source_mapping(**sent, Tags=call.tags)["UUID"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("lambda")
        got = found(lambda: client.get_event_source_mapping(UUID=id), GONE)
        if got is None or got.get("State") == "Deleting":
            return None
        shape = client.meta.service_model.shape_for("EventSourceMappingConfiguration")
        shown: Properties = _NAMES.response(
            shape,
            {
                key: got[key]
                for key in _SHOWN
                if got.get(key) is not None
            },
        )
        modified = got.get("LastModified")
        arn = got.get("EventSourceMappingArn") or call.arn("lambda", f"event-source-mapping:{id}")
        return shown | {
            "uuid": id,
            "arn": arn,
            "functionArn": got["FunctionArn"],
            "state": got.get("State", "Enabled"),
            "functionName": known.get("functionName") or got["FunctionArn"],
            "enabled": got.get("State") not in ("Disabled", "Disabling"),
            "functionResponseTypes": shown.get("functionResponseTypes") or None,
            "filterCriteria": _unless_empty(shown.get("filterCriteria"), "filters"),
            "destinationConfig": _unless_empty(shown.get("destinationConfig"), "onFailure"),
            "scalingConfig": shown.get("scalingConfig") or None,
            "lastModified": modified.isoformat() if modified else "",
            "stateTransitionReason": "USER_INITIATED",
            "lastProcessingResult": got.get("LastProcessingResult") or "No records processed",
            "tags": found(lambda: client.list_tags(Resource=arn)["Tags"], GONE) or {},
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("lambda")
        _check(new)
        if changed - {"tags", "tagsAll"}:
            sent = _sent(client, "UpdateEventSourceMapping", new)
            for property, parameter, empty in (
                ("filterCriteria", "FilterCriteria", {"Filters": []}),
                ("functionResponseTypes", "FunctionResponseTypes", []),
                ("destinationConfig", "DestinationConfig", {"OnFailure": {}}),
                ("bisectBatchOnFunctionError", "BisectBatchOnFunctionError", False),
                ("scalingConfig", "ScalingConfig", {}),
            ):
                if property in changed and not new.get(property):
                    sent[parameter] = empty
            client.update_event_source_mapping(UUID=id, **sent)
        if "tags" in changed:
            arn = call.arn("lambda", f"event-source-mapping:{id}")
            retag(
                call,
                client.list_tags(Resource=arn).get("Tags") or {},
                lambda tags: client.tag_resource(Resource=arn, Tags=tags),
                lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
            )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("lambda").delete_event_source_mapping(UUID=id)


_SHOWN = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "EventSourceArn",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ScalingConfig",
    "StartingPosition",
)


def _unless_empty(value: Properties | None, part: str) -> Properties | None:
    """A setting that was taken away is sent as an object without its part."""
    return value if value and value.get(part) else None


def _sent(client: Any, operation: str, inputs: Properties) -> dict[str, Any]:
    shape = input_shape(client, operation)
    members = {member.lower() for member in shape.members}
    given = {
        key: value
        for key, value in inputs.items()
        if value is not None
        and key not in ("tags", "tagsAll", "region", "useResourceTimeoutForPropagation", "startingPositionTimestamp")
    }
    if operation.startswith("Update"):
        given = {key: value for key, value in given.items() if key.lower() in members}
    sent: dict[str, Any] = _NAMES.request(shape, given)
    return sent


def _stream_exists(call: Call, arn: str) -> bool:
    client = call.client("dynamodbstreams")
    return any(
        each["StreamArn"] == arn
        for each in client.list_streams(TableName=arn.split(":table/", 1)[-1].split("/", 1)[0]).get("Streams", ())
    )


def _check(inputs: Properties) -> None:
    arn = inputs.get("eventSourceArn") or ""
    stream = any(f":{service}:" in arn for service in ("dynamodb", "kinesis"))
    problem = None
    if stream and not inputs.get("startingPosition"):
        problem = "1 validation error detected: StartingPosition is needed for a stream"
    if ":sqs:" in arn and inputs.get("startingPosition"):
        problem = "StartingPosition is not valid for SQS event sources"
    if ":sqs:" in arn and (inputs.get("batchSize") or 10) > 10 and not inputs.get("maximumBatchingWindowInSeconds"):
        problem = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
    for each in (inputs.get("filterCriteria") or {}).get("filters") or ():
        try:
            json.loads(each.get("pattern") or "{}")
        except ValueError as error:
            problem = f"Invalid filter pattern definition: {error}"
    if problem:
        raise refused("InvalidParameterValueException", problem, "CreateEventSourceMapping")
