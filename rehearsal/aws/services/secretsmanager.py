"""Secrets Manager: secrets and their versions, by moto. Rotation and policies are in `secretsmanager_access`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, iso, pairs, present, refused, retag, tag_map, unless
from rehearsal.engine.values import Properties

GONE = "ResourceNotFoundException"
_DEFAULT_WINDOW_DAYS = 30


def describe(call: Call, id: str) -> dict[str, Any] | None:
    """The secret, or None when there is none or it only waits for the end of its recovery window."""
    secret = found(lambda: call.client("secretsmanager").describe_secret(SecretId=id), GONE)
    return None if secret is None or secret.get("DeletedDate") else dict(secret)


def secret_exists(property: str, value: str) -> Reference:
    return Reference(property, value, lambda call: describe(call, value) is not None)


@resource
class Secret(Handler):
    type = "aws:secretsmanager/secret:Secret"
    naming = Naming("name", maximum=512)
    defaults = {"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": _DEFAULT_WINDOW_DAYS}
    documents = ("policy",)
    kept = ("forceOverwriteReplicaSecret", "namePrefix", "recoveryWindowInDays", "type")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"kmsKeyId": references.kms_key})

    def create(self, call: Call, inputs: Properties) -> str:
        if not re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", inputs["name"]):
            raise refused(
                "ValidationException",
                f"Invalid name {inputs['name']!r}. Must be a valid name containing "
                "alphanumeric characters, or any of the following: -/_+=.@!",
                "CreateSecret",
            )
        window = inputs.get("recoveryWindowInDays")
        if window is not None and window != 0 and not 7 <= window <= 30:
            raise refused(
                "InvalidParameterException",
                "The RecoveryWindowInDays value must be between 7 and 30 days "
                f"(inclusive), or 0 to delete at once; it is {window}.",
                "CreateSecret",
            )
        client = call.client("secretsmanager")
        arn = client.create_secret(
            Name=inputs["name"],
            Tags=call.tag_list,
            **present(Description=inputs.get("description") or None, KmsKeyId=inputs.get("kmsKeyId"), Type=None),
        )["ARN"]
        call.made(str(arn))
        if inputs.get("replicas"):
            _replicate(call, arn, inputs["replicas"], bool(inputs.get("forceOverwriteReplicaSecret")))
        if inputs.get("policy"):
            client.put_resource_policy(SecretId=arn, ResourcePolicy=inputs["policy"])
        return str(arn)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        secret = describe(call, id)
        if secret is None:
            return None
        policy = found(lambda: call.client("secretsmanager").get_resource_policy(SecretId=id), GONE) or {}
        given = {each["region"]: each.get("kmsKeyId") for each in known.get("replicas") or ()}  # moto loses the keys
        order = list(given)
        replicas = sorted(
            secret.get("ReplicationStatus") or (),
            key=lambda each: order.index(each["Region"]) if each["Region"] in order else len(order),
        )
        return {
            "arn": secret["ARN"],
            "name": secret["Name"],
            "description": secret.get("Description"),
            "kmsKeyId": secret.get("KmsKeyId"),
            "policy": policy.get("ResourcePolicy"),
            "replicas": [
                present(
                    region=each["Region"],
                    kmsKeyId=given.get(each["Region"]) or each.get("KmsKeyId"),
                    status=each.get("Status"),
                    statusMessage=each.get("StatusMessage"),
                )
                for each in replicas
            ]
            or None,
            "tags": tag_map(secret.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("secretsmanager")
        if changed & {"description", "kmsKeyId"}:
            client.update_secret(
                SecretId=id, Description=new.get("description") or "", **present(KmsKeyId=new.get("kmsKeyId"))
            )
        if "policy" in changed:
            if new.get("policy"):
                client.put_resource_policy(SecretId=id, ResourcePolicy=new["policy"])
            else:
                client.delete_resource_policy(SecretId=id)
        if "replicas" in changed:
            before = [each["region"] for each in old.get("replicas") or ()]
            after = {each["region"]: each for each in new.get("replicas") or ()}
            gone = [region for region in before if region not in after]
            if gone:
                client.remove_regions_from_replication(SecretId=id, RemoveReplicaRegions=gone)
            fresh = [each for region, each in after.items() if region not in before]
            if fresh:
                _replicate(call, id, fresh, bool(new.get("forceOverwriteReplicaSecret")))
        if "tags" in changed:
            secret = describe(call, id) or {}
            retag(
                call,
                tag_map(secret.get("Tags")),
                lambda tags: client.tag_resource(SecretId=id, Tags=pairs(tags)),
                lambda keys: client.untag_resource(SecretId=id, TagKeys=keys),
            )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("secretsmanager")
        secret = describe(call, id)
        if secret is None:
            return
        replicas = [each["Region"] for each in secret.get("ReplicationStatus") or ()]
        if replicas:
            client.remove_regions_from_replication(SecretId=id, RemoveReplicaRegions=replicas)
        window = known.get("recoveryWindowInDays", _DEFAULT_WINDOW_DAYS)
        with unless(GONE):
            client.delete_secret(
                SecretId=id,
                **({"ForceDeleteWithoutRecovery": True} if window == 0 else {"RecoveryWindowInDays": window}),
            )


def _replicate(call: Call, id: str, replicas: list[Properties], overwrite: bool) -> None:
    call.client("secretsmanager").replicate_secret_to_regions(
        SecretId=id,
        ForceOverwriteReplicaSecret=overwrite,
        AddReplicaRegions=[present(Region=each["region"], KmsKeyId=each.get("kmsKeyId")) for each in replicas],
    )


@resource
class SecretVersion(Handler):
    """Deleting one only takes its labels away, except AWSCURRENT, which a secret never loses: as the provider does."""

    type = "aws:secretsmanager/secretVersion:SecretVersion"
    tags_property = None
    kept = ("secretStringWo", "secretStringWoVersion")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield secret_exists("secretId", inputs["secretId"])

    def create(self, call: Call, inputs: Properties) -> str:
        text = inputs.get("secretString") or inputs.get("secretStringWo")
        binary = inputs.get("secretBinary")
        answer = call.client("secretsmanager").put_secret_value(
            SecretId=inputs["secretId"],
            **present(
                SecretString=text if binary is None else None,
                VersionStages=inputs.get("versionStages") or None,
                SecretBinary=None if binary is None else base64.b64decode(binary, validate=True),
            ),
        )
        return f"{answer['ARN']}|{answer['VersionId']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        arn, _, version = id.rpartition("|")
        if describe(call, arn) is None:
            return None
        got = found(lambda: call.client("secretsmanager").get_secret_value(SecretId=arn, VersionId=version), GONE)
        if got is None:
            return None
        binary = got.get("SecretBinary")
        return {
            "arn": arn,
            "secretArn": arn,
            "secretId": known.get("secretId") or arn,
            "versionId": version,
            "versionStages": sorted(got.get("VersionStages") or ()),
            "secretString": got.get("SecretString"),
            "secretBinary": None if binary is None else base64.b64encode(binary).decode(),
            "hasSecretStringWo": known.get("secretStringWo") is not None,
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Only the labels; another value is another version, which replaces."""
        if "versionStages" not in changed:
            return
        arn, _, version = id.rpartition("|")
        client = call.client("secretsmanager")
        versions = (describe(call, arn) or {}).get("VersionIdsToStages") or {}
        have = set(versions.get(version) or ())
        want = set(new.get("versionStages") or ["AWSCURRENT"])
        for stage in sorted(want - have):
            holder = next((each for each, stages in versions.items() if stage in stages), None)
            client.update_secret_version_stage(
                SecretId=arn, VersionStage=stage, MoveToVersionId=version, **present(RemoveFromVersionId=holder)
            )
        for stage in sorted(have - want - {"AWSCURRENT", "AWSPREVIOUS"}):
            client.update_secret_version_stage(SecretId=arn, VersionStage=stage, RemoveFromVersionId=version)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        arn, _, version = id.rpartition("|")
        stages = ((describe(call, arn) or {}).get("VersionIdsToStages") or {}).get(version) or ()
        for stage in sorted(set(stages) - {"AWSCURRENT", "AWSPREVIOUS"}):
            with unless(GONE):
                call.client("secretsmanager").update_secret_version_stage(
                    SecretId=arn, VersionStage=stage, RemoveFromVersionId=version
                )


@data_source("aws:secretsmanager/getSecret:getSecret")
def get_secret(call: Call, arguments: Properties) -> Properties:
    id = arguments.get("arn") or arguments.get("name") or ""
    secret = describe(call, id)
    if secret is None:
        raise refused(GONE, f"Secrets Manager can't find the specified secret: {id}", "DescribeSecret")
    policy = call.client("secretsmanager").get_resource_policy(SecretId=secret["ARN"]).get("ResourcePolicy")
    return {
        "id": secret["ARN"],
        "arn": secret["ARN"],
        "name": secret["Name"],
        "policy": policy or "",
        "description": secret.get("Description", ""),
        "kmsKeyId": secret.get("KmsKeyId", ""),
        "createdDate": iso(secret.get("CreatedDate")),
        "lastChangedDate": iso(secret.get("LastChangedDate")),
        "tags": tag_map(secret.get("Tags")),
    }


@data_source("aws:secretsmanager/getSecretVersion:getSecretVersion")
def get_secret_version(call: Call, arguments: Properties) -> Properties:
    asked = present(VersionId=arguments.get("versionId"), VersionStage=arguments.get("versionStage"))
    got = call.client("secretsmanager").get_secret_value(
        SecretId=arguments["secretId"], **(asked or {"VersionStage": "AWSCURRENT"})
    )
    binary = got.get("SecretBinary")
    return {
        **arguments,
        "id": f"{arguments['secretId']}|{asked.get('VersionId') or asked.get('VersionStage') or 'AWSCURRENT'}",
        "arn": got["ARN"],
        "versionId": got["VersionId"],
        "versionStages": got.get("VersionStages", []),
        "secretString": got.get("SecretString", ""),
        "createdDate": iso(got.get("CreatedDate")),
        "secretBinary": "" if binary is None else base64.b64encode(binary).decode(),
    }
