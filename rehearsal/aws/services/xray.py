"""X-Ray: sampling rules and groups. moto has only traces: kept."""

from __future__ import annotations

import re

from rehearsal.aws.handler import Call, Naming, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services._kept import KeptObject
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

# SamplingRule of the API reference: the longest that each may be
_LENGTHS = {"ruleName": 32, "serviceName": 64, "serviceType": 64, "host": 64, "httpMethod": 10, "urlPath": 128,
            "resourceArn": 500}
_PRIORITIES = (1, 9999)
_GROUP = re.compile(r"[a-zA-Z0-9_-]{1,32}")


@resource
class SamplingRule(KeptObject):
    """The id is the rule's name."""

    type = "aws:xray/samplingRule:SamplingRule"
    naming = Naming("ruleName", maximum=32)

    def identify(self, call: Call, inputs: Properties) -> str:
        _check_rule(inputs)
        name = str(inputs["ruleName"])
        if _claims.is_taken(call, name, lambda: self.read(call, name, {}) is not None):
            raise ProviderError(f"a sampling rule {name!r} exists already (InvalidRequestException)")
        return name

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_rule(new)
        super().update(call, id, old, new, changed)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": call.arn("xray", f"sampling-rule/{id}"), "tags": dict(call.tags)}


@resource
class Group(KeptObject):
    """The id is the ARN, which ends in something that X-Ray draws."""

    type = "aws:xray/group:Group"

    def identify(self, call: Call, inputs: Properties) -> str:
        name = str(inputs["groupName"])
        if not _GROUP.fullmatch(name) or name == "Default":
            raise ProviderError(f"`groupName` is {name!r}; 1 to 32 letters, digits, - and _ are allowed, and not "
                                "Default")
        arn = call.arn("xray", f"group/{name}/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        if _claims.is_taken(call, arn, lambda: self.read(call, arn, {}) is not None):
            raise ProviderError(f"a group {name!r} exists already (InvalidRequestException)")
        return arn

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        insights = inputs.get("insightsConfiguration") or {"insightsEnabled": False}
        return {"arn": id, "tags": dict(call.tags),
                "insightsConfiguration": {"notificationsEnabled": False, **insights}}


def _check_rule(inputs: Properties) -> None:
    for name, most in _LENGTHS.items():
        if len(str(inputs.get(name) or "")) > most:
            raise ProviderError(f"`{name}` has {len(str(inputs[name]))} characters; {most} are allowed")
    if not _PRIORITIES[0] <= inputs["priority"] <= _PRIORITIES[1]:
        raise ProviderError(f"`priority` is {inputs['priority']}; {_PRIORITIES[0]} to {_PRIORITIES[1]} are allowed")
    if not 0 <= inputs["fixedRate"] <= 1:
        raise ProviderError(f"`fixedRate` is {inputs['fixedRate']}; 0 to 1 is allowed")
    if inputs["version"] != 1:
        raise ProviderError(f"`version` is {inputs['version']}; X-Ray knows 1 only")
