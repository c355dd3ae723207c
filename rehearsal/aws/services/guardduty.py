"""GuardDuty: the detector and its features, kept: moto takes a second detector, and any
frequency for six hours."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.engine.values import Properties


@resource
class Detector(KeptObject):
    """One an account and region; the id is drawn."""

    type = "aws:guardduty/detector:Detector"
    defaults = {"enable": True, "findingPublishingFrequency": "SIX_HOURS"}

    def identify(self, call: Call, inputs: Properties) -> str:
        self._check(call, inputs)
        if _claims.is_taken(call, "detector", lambda: bool(call.kept.list(call.account, call.region, self.type))):
            raise refused("BadRequestException", "a detector already exists for the current account", "CreateDetector")
        return call.context.random.randbytes(16).hex()

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._check(call, new)
        super().update(call, id, old, new, changed)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": call.arn("guardduty", f"detector/{id}"), "accountId": call.account, "tags": dict(call.tags)}

    def _check(self, call: Call, inputs: Properties) -> None:
        _one_of(call, "FindingPublishingFrequency", inputs.get("findingPublishingFrequency") or "SIX_HOURS")


@resource
class DetectorFeature(KeptObject):
    """The id is `detector/name`. Its deletion leaves the feature as it is, as the provider's does."""

    type = "aws:guardduty/detectorFeature:DetectorFeature"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield Reference("detectorId", inputs["detectorId"], lambda call: call.kept.get(
            call.account, call.region, Detector.type, inputs["detectorId"]) is not None)

    def identify(self, call: Call, inputs: Properties) -> str:
        _one_of(call, "DetectorFeature", inputs["name"])
        _one_of(call, "FeatureStatus", inputs["status"])
        return f"{inputs['detectorId']}/{inputs['name']}"


def _one_of(call: Call, shape: str, value: str) -> None:
    known = call.client("guardduty").meta.service_model.shape_for(shape).enum
    if value not in known:
        raise refused("BadRequestException", f"{value!r} is no {shape}: one of {', '.join(known)}", "UpdateDetector")
