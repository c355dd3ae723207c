"""A function's code as it is uploaded, and what Lambda refuses before it takes any."""

from __future__ import annotations

from typing import Any

from rehearsal.aws.services._assets import zipped
from rehearsal.aws.services._convert import present, refused
from rehearsal.engine.values import Archive, Properties

_DIRECT_UPLOAD_BYTES = 50 * 1024 * 1024  # of the zip; a quota of the API
# Of the runtimes that botocore 1.43.106 knows, those taken as not blocked for creation; the Lambda Developer Guide's
# table of deprecations was not compared.
RUNTIMES = {
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "dotnet8",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "provided.al2",
    "provided.al2023",
}


def code(inputs: Properties) -> dict[str, Any]:
    if inputs.get("imageUri"):
        return {"ImageUri": inputs["imageUri"]}
    if inputs.get("s3Bucket"):
        return present(
            S3Bucket=inputs["s3Bucket"], S3Key=inputs.get("s3Key"), S3ObjectVersion=inputs.get("s3ObjectVersion")
        )
    archive = inputs.get("code")
    if not isinstance(archive, Archive):
        raise refused(
            "InvalidParameterValueException",
            f"the function {inputs['name']} has no code: give code (an archive), s3Bucket and s3Key, or imageUri",
            "CreateFunction",
        )
    data = zipped(archive)
    if len(data) > _DIRECT_UPLOAD_BYTES:
        raise refused(
            "RequestEntityTooLargeException",
            f"the code of {inputs['name']} is {len(data)} bytes zipped; "
            f"more than {_DIRECT_UPLOAD_BYTES} must go through S3",
            "CreateFunction",
            413,
        )
    return {"ZipFile": data}


def check(inputs: Properties) -> None:
    problem = None
    zip_file = (inputs.get("packageType") or "Zip") == "Zip"
    size, timeout = inputs.get("memorySize") or 128, inputs.get("timeout") or 3
    if zip_file and inputs.get("runtime") not in RUNTIMES:
        problem = f"Value {inputs.get('runtime')} at 'runtime' failed to satisfy constraint: one of {sorted(RUNTIMES)}"
    elif zip_file and not inputs.get("handler"):
        problem = "a handler is needed for the package type Zip"
    elif set(inputs.get("architectures") or ()) - {"x86_64", "arm64"}:
        problem = f"'architectures' failed to satisfy constraint: {inputs['architectures']} is not x86_64 or arm64"
    elif not 128 <= size <= 10240:
        problem = f"'MemorySize' value failed to satisfy constraint: {size} is not between 128 and 10240 (MB)"
    elif not 1 <= timeout <= 900:
        problem = f"'Timeout' value failed to satisfy constraint: {timeout} is not between 1 and 900 (seconds)"
    else:
        variables = (inputs.get("environment") or {}).get("variables") or {}
        used = sum(len(key.encode()) + len(str(value).encode()) for key, value in variables.items())
        if used > 4096:
            problem = f"the environment variables of {inputs['name']} take {used} bytes; the limit is 4096"
    if problem:
        raise refused("InvalidParameterValueException", problem, "CreateFunction")
