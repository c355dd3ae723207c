"""CloudWatch Synthetics: canaries. moto makes them and can't take them away: kept. Nothing runs them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rehearsal.aws.handler import Call, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.s3_bucket import GONE, client_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_NAME = re.compile(r"[0-9a-z_-]{1,255}")
_RUNTIME = re.compile(r"syn-(python-selenium|nodejs-puppeteer|nodejs-playwright|nodejs|java)-\d+\.\d+")
_RATE = re.compile(r"rate\((0|[1-9]|[1-5]\d|60) minutes?\)|rate\(1 hour\)|cron\(.+\)")
# Bounds of CreateCanary of the API reference, and of the provider's internal/service/synthetics/canary.go.
_RANGES = {"timeoutInSeconds": (3, 840), "memoryInMb": (960, 3008), "ephemeralStorage": (1024, 5120)}
_RETENTION = (1, 455)


@resource
class Canary(KeptObject):
    """The id is the canary's name."""

    type = "aws:synthetics/canary:Canary"
    defaults = {"deleteLambda": False, "startCanary": False, "failureRetentionPeriod": 31,
                "successRetentionPeriod": 31}
    aliases = {"artifactS3Location": lambda value: str(value).removeprefix("s3://")}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"executionRoleArn": references.role, "kmsKeyArn": references.kms_key,
                                             "s3Bucket": references.bucket})
        location = str(inputs.get("artifactS3Location", "")).removeprefix("s3://")
        yield references.bucket("artifactS3Location", location.partition("/")[0])
        bucket, key = inputs.get("s3Bucket"), inputs.get("s3Key")
        if bucket and key:
            yield Reference("s3Key", f"{bucket}/{key}", lambda call: found(
                lambda: client_of(call, bucket).head_object(Bucket=bucket, Key=key), *GONE, "NoSuchKey") is not None)

    def identify(self, call: Call, inputs: Properties) -> str:
        _check(inputs)
        name = str(inputs["name"])
        if _claims.is_taken(call, name, lambda: self.read(call, name, {}) is not None):
            raise ProviderError(f"a canary {name!r} exists already (ConflictException)")
        return name

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check(new)
        super().update(call, id, old, new, changed)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        function = f"function:cwsyn-{id}-00000000-0000-0000-0000-000000000000"
        return {"arn": call.arn("synthetics", f"canary:{id}"), "engineArn": call.arn("lambda", f"{function}:1"),
                "sourceLocationArn": call.arn("lambda", function.replace("function:", "layer:") + ":1"),
                "status": "RUNNING" if inputs.get("startCanary") else "READY", "tags": dict(call.tags)}


def _check(inputs: Properties) -> None:
    if not _NAME.fullmatch(str(inputs["name"])):
        raise ProviderError(f"`name` is {inputs['name']!r}; 1 to 255 lower-case letters, digits, - and _ are allowed")
    if not _RUNTIME.fullmatch(str(inputs["runtimeVersion"])):
        raise ProviderError(f"`runtimeVersion` is {inputs['runtimeVersion']!r}; such as syn-python-selenium-14.0")
    if not str(inputs["handler"]).endswith(".handler"):
        raise ProviderError(f"`handler` is {inputs['handler']!r}; it must end in .handler")
    if not _RATE.fullmatch(str(inputs["schedule"]["expression"])):
        raise ProviderError(f"`schedule.expression` is {inputs['schedule']['expression']!r}; rate(0 to 60 minutes), "
                            "rate(1 hour) or a cron expression")
    if bool(inputs.get("zipFile")) == bool(inputs.get("s3Bucket")):
        raise ProviderError("a canary's script is either `zipFile` or `s3Bucket` with `s3Key`, exactly one of them")
    run = inputs.get("runConfig") or {}
    for name, (low, high) in _RANGES.items():
        if run.get(name) is not None and not low <= run[name] <= high:
            raise ProviderError(f"`runConfig.{name}` is {run[name]}; {low} to {high} are allowed")
    if (run.get("memoryInMb") or 960) % 64:
        raise ProviderError(f"`runConfig.memoryInMb` is {run['memoryInMb']}; it must be a multiple of 64")
    for name in ("successRetentionPeriod", "failureRetentionPeriod"):
        days = inputs.get(name)
        if days is not None and not _RETENTION[0] <= days <= _RETENTION[1]:
            raise ProviderError(f"`{name}` is {days}; {_RETENTION[0]} to {_RETENTION[1]} days are allowed")
