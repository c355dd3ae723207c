"""Lambda functions, by MiniStack. Versions and layers are in `lambda_versions`, triggers in `lambda_triggers`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import (
    OFTEN,
    Names,
    found,
    given_back,
    input_shape,
    present,
    retag,
    unless,
)
from rehearsal.aws.services.lambda_code import check, code
from rehearsal.engine.values import Properties

GONE = "ResourceNotFoundException"
NAMES = Names({"kmsKeyArn": "KMSKeyArn", "EphemeralStorage.size": "Size"})
_SETTINGS = (
    "deadLetterConfig",
    "description",
    "environment",
    "ephemeralStorage",
    "handler",
    "imageConfig",
    "kmsKeyArn",
    "layers",
    "loggingConfig",
    "memorySize",
    "role",
    "runtime",
    "snapStart",
    "timeout",
    "tracingConfig",
)


@resource
class Function(Handler):
    """Id: the function's name."""

    type = "aws:lambda/function:Function"
    naming = Naming("name", maximum=64)
    defaults = {
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "timeout": 3,
    }
    kept = (
        "publishTo",
        "skipDestroy",
        "sourceKmsKeyArn",
        "replaceSecurityGroupsOnDestroy",
        "replacementSecurityGroupIds",
        "useResourceTimeoutForPropagation",
        "tenancyConfig",
        "durableConfig",
        "capacityProviderConfig",
        "fileSystemConfig",
        "imageConfig",
    )
    _unshown = ("code", "s3Bucket", "s3Key", "s3ObjectVersion", "publish", "codeSigningConfigArn", "vpcConfig")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(
            inputs, {"role": references.role, "kmsKeyArn": references.kms_key, "s3Bucket": references.bucket}
        )
        vpc = inputs.get("vpcConfig") or {}
        for index, each in enumerate(vpc.get("subnetIds") or ()):
            yield references.subnet(f"vpcConfig.subnetIds[{index}]", each)
        for index, each in enumerate(vpc.get("securityGroupIds") or ()):
            yield references.security_group(f"vpcConfig.securityGroupIds[{index}]", each)
        target = (inputs.get("deadLetterConfig") or {}).get("targetArn")
        if target:
            yield references.destination("deadLetterConfig.targetArn", target)
        group = (inputs.get("loggingConfig") or {}).get("logGroup")
        if group:
            yield references.log_group("loggingConfig.logGroup", group)

    def create(self, call: Call, inputs: Properties) -> str:
        check(inputs)
        client = call.client("lambda")
        name = str(inputs["name"])
        client.create_function(
            FunctionName=name,
            Code=code(inputs),
            PackageType=inputs.get("packageType") or "Zip",
            Publish=bool(inputs.get("publish")),
            Tags=call.tags,
            **_configuration(client, "CreateFunction", inputs),
            **present(
                Architectures=inputs.get("architectures"), CodeSigningConfigArn=inputs.get("codeSigningConfigArn")
            ),
        )
        call.made(name)
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
        self._reserve(call, name, inputs)
        return name

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("lambda")
        answer = found(lambda: client.get_function(FunctionName=id), GONE)
        if answer is None:
            return None
        got = answer["Configuration"]
        shape = client.meta.service_model.shape_for("FunctionConfiguration")
        shown: Properties = NAMES.response(shape, {key: value for key, value in got.items() if key in _SHOWN})
        arn = call.arn("lambda", f"function:{id}")
        version = _latest(call, id) if known.get("publish") else "$LATEST"
        invoke = f"arn:aws:apigateway:{call.region}:lambda:path/2015-03-31/functions/{{}}/invocations"
        shown.pop("vpcConfig", None)
        environment = (got.get("Environment") or {}).get("Variables") or {}
        reserved = (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions")
        layers = [each["Arn"] for each in got.get("Layers") or ()]
        return (
            shown
            | given_back(known, self._unshown)
            | {
                "name": id,
                "arn": arn,
                "invokeArn": invoke.format(arn),
                "version": version,
                "qualifiedArn": f"{arn}:{version}",
                "qualifiedInvokeArn": invoke.format(f"{arn}:{version}"),
                "responseStreamingInvokeArn": invoke.format(arn)
                .replace("2015-03-31", "2021-11-15")
                .replace("/invocations", "/response-streaming-invocations"),
                "codeSha256": got["CodeSha256"],
                "sourceCodeSize": got["CodeSize"],
                "lastModified": got["LastModified"],
                "sourceCodeHash": known.get("sourceCodeHash") or got["CodeSha256"],
                "environment": {"variables": environment} if environment else None,
                "layers": layers or None,
                "reservedConcurrentExecutions": -1 if reserved is None else reserved,
                "packageType": got["PackageType"],
                "description": got.get("Description") or None,
                "kmsKeyArn": got.get("KMSKeyArn") or None,
                "deadLetterConfig": shown.get("deadLetterConfig") or None,
                "loggingConfig": {
                    "logFormat": "Text",
                    "logGroup": f"/aws/lambda/{id}",
                    **(shown.get("loggingConfig") or {}),
                },
                "imageUri": (answer.get("Code") or {}).get("ImageUri"),
                "signingJobArn": "",
                "signingProfileVersionArn": "",
                "snapStart": _snap_start(shown.get("snapStart")),
                "tags": answer.get("Tags") or {},
            }
        )

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("lambda")
        check(new)
        coded = changed & {
            "code",
            "s3Bucket",
            "s3Key",
            "s3ObjectVersion",
            "imageUri",
            "architectures",
            "sourceCodeHash",
        }
        if changed & {*_SETTINGS, "vpcConfig", "fileSystemConfig"}:
            sent = _configuration(client, "UpdateFunctionConfiguration", new)
            # What was taken away must be said: UpdateFunctionConfiguration leaves alone what it is not told.
            gone = {
                "environment": ("Environment", {"Variables": {}}),
                "layers": ("Layers", []),
                "description": ("Description", ""),
                "kmsKeyArn": ("KMSKeyArn", ""),
                "deadLetterConfig": ("DeadLetterConfig", {"TargetArn": ""}),
                "tracingConfig": ("TracingConfig", {"Mode": "PassThrough"}),
                "vpcConfig": ("VpcConfig", {"SubnetIds": [], "SecurityGroupIds": []}),
            }
            for property, (parameter, empty) in gone.items():
                if property in changed and new.get(property) is None:
                    sent[parameter] = empty
            client.update_function_configuration(FunctionName=id, **sent)
            client.get_waiter("function_updated_v2").wait(FunctionName=id, WaiterConfig=OFTEN)
        if coded:
            client.update_function_code(
                FunctionName=id, **code(new), **present(Architectures=new.get("architectures"))
            )
            client.get_waiter("function_updated_v2").wait(FunctionName=id, WaiterConfig=OFTEN)
        if new.get("publish") and (coded or changed & {*_SETTINGS, "publish"}):
            client.publish_version(FunctionName=id)
        if "reservedConcurrentExecutions" in changed:
            self._reserve(call, id, new)
        if "codeSigningConfigArn" in changed:
            if new.get("codeSigningConfigArn"):
                client.put_function_code_signing_config(
                    FunctionName=id, CodeSigningConfigArn=new["codeSigningConfigArn"]
                )
            else:
                client.delete_function_code_signing_config(FunctionName=id)
        if "tags" in changed:
            arn = call.arn("lambda", f"function:{id}")
            retag(
                call,
                client.list_tags(Resource=arn).get("Tags") or {},
                lambda tags: client.tag_resource(Resource=arn, Tags=tags),
                lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
            )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if known.get("skipDestroy"):
            return
        with unless(GONE):
            call.client("lambda").delete_function(FunctionName=id)

    def _reserve(self, call: Call, name: str, inputs: Properties) -> None:
        reserved = inputs.get("reservedConcurrentExecutions")
        client = call.client("lambda")
        if reserved is not None and reserved >= 0:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        elif found(lambda: client.get_function_concurrency(FunctionName=name), GONE):
            client.delete_function_concurrency(FunctionName=name)


_SHOWN = {
    "Architectures",
    "DeadLetterConfig",
    "EphemeralStorage",
    "Handler",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
}


def _snap_start(shown: Properties | None) -> Properties | None:
    return None if not shown or shown.get("applyOn") in (None, "None") else shown


def _latest(call: Call, name: str) -> str:
    pages = call.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=name)
    numbers = [int(each["Version"]) for page in pages for each in page["Versions"] if each["Version"].isdigit()]
    return str(max(numbers)) if numbers else "$LATEST"


def _configuration(client: Any, operation: str, inputs: Properties) -> dict[str, Any]:
    sent = {key: inputs[key] for key in _SETTINGS if inputs.get(key) is not None}
    if inputs.get("vpcConfig"):
        sent["vpcConfig"] = {key: value for key, value in inputs["vpcConfig"].items() if key != "vpcId"}
    if inputs.get("packageType") == "Image":
        sent.pop("handler", None)
        sent.pop("runtime", None)
    configuration: dict[str, Any] = NAMES.request(input_shape(client, operation), sent)
    return configuration
