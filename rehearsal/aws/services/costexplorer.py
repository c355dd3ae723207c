"""Cost Explorer: anomaly monitors and subscriptions. Neither emulator has them: kept."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rehearsal.aws.handler import Call, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.engine.values import Properties

_IDS = "anomaly"


class _Anomaly(KeptObject):
    """The id is the ARN, which ends in something that the service draws."""

    global_region = "us-east-1"
    kind = ""

    def identify(self, call: Call, inputs: Properties) -> str:
        self.check(inputs)
        drawn = call.context.random.randbytes(16).hex()
        return call.arn("ce", f"{_IDS}{self.kind}/{drawn}", region="")

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.check(new)
        super().update(call, id, old, new, changed)

    def check(self, inputs: Properties) -> None:
        raise NotImplementedError


@resource
class AnomalyMonitor(_Anomaly):
    type = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
    documents = ("monitorSpecification",)
    kind = "monitor"

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": id, "tags": dict(call.tags)}

    def check(self, inputs: Properties) -> None:
        needs = {"CUSTOM": "monitorSpecification", "DIMENSIONAL": "monitorDimension"}
        kind = inputs["monitorType"]
        if kind not in needs or not inputs.get(needs[kind]):
            raise refused("ValidationException", f"monitorType is {kind!r}: CUSTOM needs monitorSpecification, "
                          "DIMENSIONAL monitorDimension", "CreateAnomalyMonitor")
        if kind == "CUSTOM":
            given = {key for key, value in json.loads(inputs["monitorSpecification"]).items() if value is not None}
            if not given or not given <= {"And", "CostCategories", "Dimensions", "Not", "Or", "Tags"}:
                raise refused("ValidationException", f"monitorSpecification holds {sorted(given)}; one of And, "
                              "CostCategories, Dimensions, Not, Or, Tags is needed", "CreateAnomalyMonitor")


@resource
class AnomalySubscription(_Anomaly):
    type = "aws:costexplorer/anomalySubscription:AnomalySubscription"
    kind = "subscription"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        for index, arn in enumerate(inputs["monitorArnLists"]):
            yield Reference(f"monitorArnLists[{index}]", arn, lambda call, arn=arn: call.kept.get(  # type: ignore[misc]
                call.account, call.region, AnomalyMonitor.type, arn) is not None)
        for index, subscriber in enumerate(inputs["subscribers"]):
            if subscriber["type"] == "SNS":
                yield references.topic(f"subscribers[{index}].address", subscriber["address"])

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": id, "accountId": call.account, "tags": dict(call.tags)}

    def check(self, inputs: Properties) -> None:
        """Topics are told at once, e-mail by the day or the week."""
        kinds, frequency = {each["type"] for each in inputs["subscribers"]}, inputs["frequency"]
        allowed = {"IMMEDIATE": {"SNS"}, "DAILY": {"EMAIL"}, "WEEKLY": {"EMAIL"}}
        if frequency not in allowed or not kinds <= allowed[frequency]:
            raise refused("ValidationException", f"frequency {frequency!r} with subscribers of {sorted(kinds)}: "
                          "IMMEDIATE is for SNS, DAILY and WEEKLY are for EMAIL", "CreateAnomalySubscription")
