"""AWS Config: recorder, delivery channel and rules. Kept: moto assumes that the bucket exists."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rehearsal.aws.handler import Call, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.engine.values import Properties


class _Single(KeptObject):
    """One an account and region; the id is its name."""

    tags_property = None
    code = ""

    def identify(self, call: Call, inputs: Properties) -> str:
        if call.kept.list(call.account, call.region, self.type):
            raise refused(self.code, f"{call.region} has one already", "Put")
        return str(inputs["name"])


def _recorder(property: str, name: str) -> Reference:
    return Reference(property, name, lambda call: call.kept.get(
        call.account, call.region, Recorder.type, name) is not None)


@resource
class Recorder(_Single):
    type = "aws:cfg/recorder:Recorder"
    naming = Naming("name", maximum=256)
    code = "MaxNumberOfConfigurationRecordersExceededException"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.role("roleArn", inputs["roleArn"])

    def identify(self, call: Call, inputs: Properties) -> str:
        self._check(inputs)
        return super().identify(call, inputs)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._check(new)
        super().update(call, id, old, new, changed)

    def _check(self, inputs: Properties) -> None:
        group = inputs.get("recordingGroup") or {}
        if group.get("includeGlobalResourceTypes") and group.get("allSupported") is False:
            raise refused("InvalidRecordingGroupException", "includeGlobalResourceTypes needs allSupported",
                          "PutConfigurationRecorder")


@resource
class DeliveryChannel(_Single):
    type = "aws:cfg/deliveryChannel:DeliveryChannel"
    naming = Naming("name", maximum=256)
    code = "MaxNumberOfDeliveryChannelsExceededException"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {
            "s3BucketName": references.bucket, "s3KmsKeyArn": references.kms_key, "snsTopicArn": references.topic})

    def identify(self, call: Call, inputs: Properties) -> str:
        if not call.kept.list(call.account, call.region, Recorder.type):
            raise refused("NoAvailableConfigurationRecorderException", "a channel needs a recorder",
                          "PutDeliveryChannel")
        return super().identify(call, inputs)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if any(status["isEnabled"] for _, status in call.kept.list(call.account, call.region, RecorderStatus.type)):
            raise refused("LastDeliveryChannelDeleteFailedException", "there is a running configuration recorder",
                          "DeleteDeliveryChannel")
        super().delete(call, id, known)


@resource
class RecorderStatus(KeptObject):
    """Running or not; deleting it stops the recorder. The id is the recorder's name."""

    type = "aws:cfg/recorderStatus:RecorderStatus"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield _recorder("name", inputs["name"])

    def identify(self, call: Call, inputs: Properties) -> str:
        if inputs["isEnabled"] and not call.kept.list(call.account, call.region, DeliveryChannel.type):
            raise refused("NoAvailableDeliveryChannelException", "a recorder without a delivery channel can't start",
                          "StartConfigurationRecorder")
        return str(inputs["name"])


@resource
class Rule(KeptObject):
    """The id is the name."""

    type = "aws:cfg/rule:Rule"
    naming = Naming("name", maximum=128)
    documents = ("inputParameters",)

    def identify(self, call: Call, inputs: Properties) -> str:
        self._check(call, inputs)
        return str(inputs["name"])

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._check(call, new)
        super().update(call, id, old, new, changed)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": call.arn("config", f"config-rule/{id}"), "ruleId": f"config-rule-{id}", "tags": dict(call.tags)}

    def _check(self, call: Call, inputs: Properties) -> None:
        if not call.kept.list(call.account, call.region, Recorder.type):
            raise refused("NoAvailableConfigurationRecorderException", "a rule needs a recorder", "PutConfigRule")
        source = inputs["source"]
        owners = call.client("config").meta.service_model.shape_for("Owner").enum
        if source["owner"] not in owners:
            raise refused("ValidationException", f"source.owner {source['owner']!r}: one of {', '.join(owners)}",
                          "PutConfigRule")
        if inputs.get("inputParameters"):
            json.loads(inputs["inputParameters"])
