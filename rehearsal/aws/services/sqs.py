"""SQS: queues and their policies, by MiniStack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, retag, unless
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")

# property → attribute of the API, and how its text reads
_NUMBERS = {"delaySeconds": "DelaySeconds", "maxMessageSize": "MaximumMessageSize",
            "messageRetentionSeconds": "MessageRetentionPeriod", "receiveWaitTimeSeconds":
            "ReceiveMessageWaitTimeSeconds", "visibilityTimeoutSeconds": "VisibilityTimeout",
            "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds"}
_SWITCHES = {"fifoQueue": "FifoQueue", "contentBasedDeduplication": "ContentBasedDeduplication",
             "sqsManagedSseEnabled": "SqsManagedSseEnabled"}
_TEXTS = {"kmsMasterKeyId": "KmsMasterKeyId", "policy": "Policy", "redrivePolicy": "RedrivePolicy",
          "redriveAllowPolicy": "RedriveAllowPolicy", "deduplicationScope": "DeduplicationScope",
          "fifoThroughputLimit": "FifoThroughputLimit"}
# SetQueueAttributes of the API reference: what an attribute is when nobody sets it
_UNSET = {"delaySeconds": 0, "maxMessageSize": 262144, "messageRetentionSeconds": 345600, "receiveWaitTimeSeconds": 0,
          "visibilityTimeoutSeconds": 30, "kmsDataKeyReusePeriodSeconds": 300, "fifoQueue": False,
          "contentBasedDeduplication": False}
_RANGES = {"delaySeconds": (0, 900), "maxMessageSize": (1024, 1048576), "messageRetentionSeconds": (60, 1209600),
           "receiveWaitTimeSeconds": (0, 20), "visibilityTimeoutSeconds": (0, 43200),
           "kmsDataKeyReusePeriodSeconds": (60, 86400)}


def queue_url(call: Call, name: str) -> str | None:
    answer = found(lambda: call.client("sqs").get_queue_url(QueueName=name), *GONE)
    return None if answer is None else str(answer["QueueUrl"])


@resource
class Queue(Handler):
    """The id is the queue's URL."""

    type = "aws:sqs/queue:Queue"
    naming = Naming("name", maximum=80)
    documents = ("policy", "redrivePolicy", "redriveAllowPolicy")
    defaults = _UNSET
    kept = ("namePrefix",)

    def name_suffix(self, inputs: Properties) -> str:
        return ".fifo" if inputs.get("fifoQueue") is True else ""

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"kmsMasterKeyId": references.kms_key})
        target = _document(inputs.get("redrivePolicy")).get("deadLetterTargetArn")
        if target:
            yield Reference("redrivePolicy", target, lambda call: queue_url(call, target.split(":")[-1]) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        _check(inputs)
        attributes = {name: value for name, value in _attributes(inputs, tuple(inputs)).items() if value}
        if not inputs.get("fifoQueue"):
            attributes.pop("FifoQueue", None)
        return str(call.client("sqs").create_queue(
            QueueName=inputs["name"], Attributes=attributes, tags=call.tags)["QueueUrl"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("sqs")
        answer = found(lambda: client.get_queue_attributes(QueueUrl=id, AttributeNames=["All"]), *GONE)
        if answer is None:
            return None
        attributes = answer["Attributes"]
        outputs: Properties = {"arn": attributes["QueueArn"], "url": id, "name": attributes["QueueArn"].split(":")[-1],
                               "tags": client.list_queue_tags(QueueUrl=id).get("Tags", {})}
        outputs |= {name: int(attributes[api]) for name, api in _NUMBERS.items() if api in attributes}
        outputs |= {name: attributes[api].lower() == "true" for name, api in _SWITCHES.items() if api in attributes}
        outputs |= {name: attributes[api] for name, api in _TEXTS.items() if attributes.get(api)}
        return outputs

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check(new)
        attributes = _attributes(new, sorted(changed - {"tags"}))
        client = call.client("sqs")
        if attributes:
            client.set_queue_attributes(QueueUrl=id, Attributes=attributes)
        if "tags" in changed:
            retag(call, client.list_queue_tags(QueueUrl=id).get("Tags", {}),
                  lambda tags: client.tag_queue(QueueUrl=id, Tags=tags),
                  lambda keys: client.untag_queue(QueueUrl=id, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*GONE):
            call.client("sqs").delete_queue(QueueUrl=id)


@resource
class QueuePolicy(Handler):
    type = "aws:sqs/queuePolicy:QueuePolicy"
    tags_property = None
    documents = ("policy",)

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={"Policy": inputs["policy"]})
        return str(inputs["queueUrl"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client("sqs").get_queue_attributes(QueueUrl=id, AttributeNames=["Policy"]), *GONE)
        policy = (answer or {}).get("Attributes", {}).get("Policy")
        return {"queueUrl": id, "policy": policy} if policy else None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("sqs").set_queue_attributes(QueueUrl=id, Attributes={"Policy": new["policy"]})

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*GONE):
            call.client("sqs").set_queue_attributes(QueueUrl=id, Attributes={"Policy": ""})


@data_source("aws:sqs/getQueue:getQueue")
def get_queue(call: Call, arguments: Properties) -> Properties:
    url = queue_url(call, arguments["name"])
    if url is None:
        raise ProviderError(f"the queue {arguments['name']!r} does not exist in {call.region}")
    return {"name": arguments["name"], "url": url, "id": url, "arn": call.arn("sqs", arguments["name"]), "tags": {}}


def _attributes(inputs: Properties, names: Iterable[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for name in names:
        value = inputs.get(name, _UNSET.get(name))
        if name in _NUMBERS:
            made[_NUMBERS[name]] = str(value)
        elif name in _SWITCHES:
            made[_SWITCHES[name]] = "true" if value else "false"
        elif name in _TEXTS:
            made[_TEXTS[name]] = value or ""
    return made


def _check(inputs: Properties) -> None:
    """Ranges of the API reference, and the two things that CreateQueue refuses about names."""
    for name, (low, high) in _RANGES.items():
        value = inputs.get(name)
        if value is not None and not low <= value <= high:
            raise ProviderError(f"{name} is {value}; {low} to {high} are allowed")
    if bool(inputs.get("fifoQueue")) != str(inputs["name"]).endswith(".fifo"):
        raise ProviderError(f"the queue name {inputs['name']!r} must end in .fifo exactly when fifoQueue is true")


def _document(text: Any) -> dict[str, Any]:
    return dict(json.loads(text)) if isinstance(text, str) and text else {}
