"""KMS: keys and aliases, by MiniStack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, unless
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

GONE = "NotFoundException"
_DEFAULT_ROTATION_DAYS = 365


def default_policy(call: Call) -> str:
    """What CreateKey without a policy gives: full access for the account."""
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
        "Sid": "Enable IAM User Permissions", "Effect": "Allow", "Resource": "*", "Action": "kms:*",
        "Principal": {"AWS": f"arn:aws:iam::{call.account}:root"}}]})


def describe(call: Call, id: str) -> dict[str, Any] | None:
    """The key, or None when there is none or it only waits for the end of its deletion window."""
    answer = found(lambda: call.client("kms").describe_key(KeyId=id), GONE)
    if answer is None or answer["KeyMetadata"]["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
        return None
    return dict(answer["KeyMetadata"])


@resource
class Key(Handler):
    type = "aws:kms/key:Key"
    defaults = {"customerMasterKeySpec": "SYMMETRIC_DEFAULT", "keyUsage": "ENCRYPT_DECRYPT", "isEnabled": True,
                "enableKeyRotation": False, "multiRegion": False, "bypassPolicyLockoutSafetyCheck": False}
    documents = ("policy",)
    kept = ("deletionWindowInDays", "bypassPolicyLockoutSafetyCheck", "customKeyStoreId", "xksKeyId")

    def create(self, call: Call, inputs: Properties) -> str:
        _check_window(inputs)
        client = call.client("kms")
        id = call.made(client.create_key(
            Description=inputs.get("description") or "", Policy=inputs.get("policy") or default_policy(call),
            KeyUsage=inputs.get("keyUsage") or "ENCRYPT_DECRYPT",
            KeySpec=inputs.get("customerMasterKeySpec") or "SYMMETRIC_DEFAULT",
            MultiRegion=bool(inputs.get("multiRegion")),
            Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in call.tag_list])["KeyMetadata"]["KeyId"])
        if inputs.get("enableKeyRotation"):
            self._rotate(call, id, inputs)
        if inputs.get("isEnabled") is False:
            client.disable_key(KeyId=id)
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        key = describe(call, id)
        if key is None:
            return None
        client = call.client("kms")
        rotation = client.get_key_rotation_status(KeyId=id) if key["KeySpec"] == "SYMMETRIC_DEFAULT" else {}
        rotated = rotation.get("KeyRotationEnabled", False)
        tags = {tag["TagKey"]: tag["TagValue"]
                for page in client.get_paginator("list_resource_tags").paginate(KeyId=id) for tag in page["Tags"]}
        return {
            "arn": key["Arn"], "keyId": key["KeyId"], "description": key.get("Description", ""),
            "keyUsage": key["KeyUsage"], "customerMasterKeySpec": key["KeySpec"], "isEnabled": key["Enabled"],
            "multiRegion": key.get("MultiRegion", False), "tags": tags,
            "enableKeyRotation": rotated,
            "rotationPeriodInDays": rotation.get("RotationPeriodInDays") if rotated else None,
            "policy": client.get_key_policy(KeyId=id, PolicyName="default")["Policy"]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_window(new)
        client = call.client("kms")
        if "isEnabled" in changed and new.get("isEnabled", True):
            client.enable_key(KeyId=id)
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            self._rotate(call, id, new)
        if "description" in changed:
            client.update_key_description(KeyId=id, Description=new.get("description") or "")
        if "policy" in changed:
            client.put_key_policy(KeyId=id, PolicyName="default", Policy=new.get("policy") or default_policy(call))
        if "isEnabled" in changed and not new.get("isEnabled", True):
            client.disable_key(KeyId=id)
        if "tags" in changed:
            gone = sorted(set(old.get("tagsAll") or {}) - set(call.tags))
            if gone:
                client.untag_resource(KeyId=id, TagKeys=gone)
            if call.tags:
                client.tag_resource(
                    KeyId=id, Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in call.tag_list])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if describe(call, id) is not None:
            with unless(GONE):
                call.client("kms").schedule_key_deletion(
                    KeyId=id, PendingWindowInDays=known.get("deletionWindowInDays") or 30)

    def _rotate(self, call: Call, id: str, inputs: Properties) -> None:
        if inputs.get("enableKeyRotation"):
            call.client("kms").enable_key_rotation(
                KeyId=id, RotationPeriodInDays=inputs.get("rotationPeriodInDays") or _DEFAULT_ROTATION_DAYS)
        else:
            call.client("kms").disable_key_rotation(KeyId=id)


@resource
class Alias(Handler):
    type = "aws:kms/alias:Alias"
    naming = Naming("name", maximum=256)
    tags_property = None
    kept = ("namePrefix",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"targetKeyId": references.kms_key})

    def create(self, call: Call, inputs: Properties) -> str:
        # pulumi-aws names an alias after the resource and puts the prefix that KMS asks for before it.
        name = str(inputs["name"])
        call.client("kms").create_alias(AliasName=_alias(name), TargetKeyId=inputs["targetKeyId"])
        return _alias(name)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        for page in call.client("kms").get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == id:
                    arn = call.arn("kms", f"key/{alias['TargetKeyId']}")
                    given = known.get("targetKeyId")
                    return {"arn": alias["AliasArn"], "name": id, "targetKeyArn": arn,
                            "targetKeyId": arn if given == arn else alias["TargetKeyId"]}
        return None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "targetKeyId" in changed:
            call.client("kms").update_alias(AliasName=id, TargetKeyId=new["targetKeyId"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("kms").delete_alias(AliasName=id)

    aliases = {"name": lambda name: _alias(name) if isinstance(name, str) else name}


@data_source("aws:kms/getKey:getKey")
def get_key(call: Call, arguments: Properties) -> Properties:
    """By id, ARN or alias."""
    key = describe(call, arguments["keyId"])
    if key is None:
        raise ProviderError(f"the KMS key {arguments['keyId']!r} does not exist in {call.region}")
    return {"arn": key["Arn"], "id": key["KeyId"], "keyId": arguments["keyId"], "awsAccountId": call.account,
            "enabled": key["Enabled"], "keyState": key["KeyState"], "keyUsage": key["KeyUsage"],
            "description": key.get("Description", ""), "multiRegion": key.get("MultiRegion", False)}


@data_source("aws:kms/getAlias:getAlias")
def get_alias(call: Call, arguments: Properties) -> Properties:
    alias = Alias().read(call, arguments["name"], {})
    if alias is None:
        raise ProviderError(f"the KMS alias {arguments['name']!r} does not exist in {call.region}")
    return {**alias, "id": alias["arn"]}


def _alias(name: str) -> str:
    return name if name.startswith("alias/") else f"alias/{name}"


def _check_window(inputs: Properties) -> None:
    window = inputs.get("deletionWindowInDays")
    if window is not None and not 7 <= window <= 30:
        raise ProviderError(f"deletionWindowInDays is {window}; 7 to 30 days are allowed")
