"""CloudTrail. moto looks for the bucket among its own, while MiniStack has them: kept."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Naming, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.engine.values import Properties


@resource
class Trail(KeptObject):
    """The id is the ARN."""

    type = "aws:cloudtrail/trail:Trail"
    naming = Naming("name", maximum=128)
    defaults = {"enableLogFileValidation": False, "enableLogging": True, "includeGlobalServiceEvents": True,
                "isMultiRegionTrail": False, "isOrganizationTrail": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {
            "s3BucketName": references.bucket, "kmsKeyId": references.kms_key,
            "cloudWatchLogsGroupArn": references.log_group, "cloudWatchLogsRoleArn": references.role})

    def identify(self, call: Call, inputs: Properties) -> str:
        self._check(inputs)
        arn = call.arn("cloudtrail", f"trail/{inputs['name']}")
        if _claims.is_taken(call, arn, lambda: self.read(call, arn, {}) is not None):
            raise refused("TrailAlreadyExistsException", f"the trail {inputs['name']!r} exists already", "CreateTrail")
        return arn

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._check(new)
        super().update(call, id, old, new, changed)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": id, "homeRegion": call.region, "tags": dict(call.tags)}

    def _check(self, inputs: Properties) -> None:
        """CreateTrail of the API reference."""
        if bool(inputs.get("cloudWatchLogsGroupArn")) != bool(inputs.get("cloudWatchLogsRoleArn")):
            raise refused("InvalidParameterCombinationException", "cloudWatchLogsGroupArn and cloudWatchLogsRoleArn "
                          "come together", "CreateTrail")
        if inputs.get("cloudWatchLogsGroupArn") and not str(inputs["cloudWatchLogsGroupArn"]).endswith(":*"):
            raise refused("InvalidCloudWatchLogsLogGroupArnException", "cloudWatchLogsGroupArn must end in :*",
                          "CreateTrail")
        if inputs.get("isMultiRegionTrail") and inputs.get("includeGlobalServiceEvents") is False:
            raise refused("InvalidParameterCombinationException", "a trail of all regions includes the events of "
                          "global services", "CreateTrail")
