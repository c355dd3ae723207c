"""DynamoDB tables, by MiniStack. Items, tags and replicas of their own are in `dynamodb_items`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import OFTEN, found, given_back, pairs, present, refused, retag, tag_map, unless
from rehearsal.aws.services.dynamodb_shape import global_indexes, local_indexes, problems, schema, shown_indexes
from rehearsal.engine.values import Properties

GONE = "ResourceNotFoundException"


def describe(call: Call, name: str) -> dict[str, Any] | None:
    answer = found(lambda: call.client("dynamodb").describe_table(TableName=name), GONE)
    return dict(answer["Table"]) if answer else None


def table(property: str, value: str) -> Reference:
    name = value.rsplit("/", 1)[-1]
    return Reference(property, value, lambda call: describe(call, name) is not None)


@resource
class Table(Handler):
    """MiniStack keeps 35 days of recovery whatever it is told: the period that the program gives is shown."""

    type = "aws:dynamodb/table:Table"
    naming = Naming("name", maximum=255)
    defaults = {"billingMode": "PROVISIONED", "tableClass": "STANDARD"}
    kept = (
        "tableClass",
        "onDemandThroughput",
        "warmThroughput",
        "importTable",
        "globalTableWitness",
        "restoreBackupArn",
        "restoreDateTime",
        "restoreSourceName",
        "restoreSourceTableArn",
        "restoreToLatestTime",
    )

    def references(self, inputs: Properties) -> Iterable[Reference]:
        key = (inputs.get("serverSideEncryption") or {}).get("kmsKeyArn")
        if key:
            yield references.kms_key("serverSideEncryption.kmsKeyArn", key)
        for index, replica in enumerate(inputs.get("replicas") or ()):
            if replica.get("kmsKeyArn"):
                yield references.kms_key(f"replicas[{index}].kmsKeyArn", replica["kmsKeyArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        name = str(inputs["name"])
        client = call.client("dynamodb")
        source = inputs.get("restoreSourceTableArn") or inputs.get("restoreSourceName")
        if not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", name):
            raise refused(
                "ValidationException",
                f"1 validation error detected: Value '{name}' at 'tableName' "
                "failed to "
                "satisfy constraint: 3 to 255 letters, digits, _, - and .",
                "CreateTable",
            )
        if source:
            client.restore_table_to_point_in_time(
                TargetTableName=name,
                **present(
                    SourceTableName=inputs.get("restoreSourceName"),
                    SourceTableArn=inputs.get("restoreSourceTableArn"),
                    UseLatestRestorableTime=inputs.get("restoreToLatestTime"),
                    RestoreDateTime=inputs.get("restoreDateTime"),
                ),
            )
        elif inputs.get("restoreBackupArn"):
            client.restore_table_from_backup(TargetTableName=name, BackupArn=inputs["restoreBackupArn"])
        else:
            for problem in problems(inputs):
                raise refused(
                    "ValidationException", f"One or more parameter values were invalid: {problem}", "CreateTable"
                )
            client.create_table(**_creation(name, inputs), Tags=pairs(call.tags))
        call.made(name)
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=OFTEN)
        if inputs.get("ttl"):
            self._ttl(call, name, {}, inputs)
        if inputs.get("pointInTimeRecovery"):
            self._recovery(call, name, inputs)
        if inputs.get("replicas"):
            _replicate(call, name, [], inputs["replicas"])
        return name

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = describe(call, id)
        if got is None:
            return None
        client = call.client("dynamodb")
        ttl = client.describe_time_to_live(TableName=id)["TimeToLiveDescription"]
        backups = client.describe_continuous_backups(TableName=id)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription") or {}
        stream = got.get("StreamSpecification") or {}
        encryption = got.get("SSEDescription") or {}
        keys = {each["KeyType"]: each["AttributeName"] for each in got["KeySchema"]}
        mode = (got.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
        throughput = got.get("ProvisionedThroughput") or {}
        on_demand = mode == "PAY_PER_REQUEST"
        enabled = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
        return {
            **given_back(known, ("replicas",)),
            "name": id,
            "arn": got["TableArn"],
            "billingMode": mode,
            "hashKey": keys.get("HASH"),
            "rangeKey": keys.get("RANGE"),
            "streamArn": got.get("LatestStreamArn") or "",
            "attributes": _ordered(
                [
                    {"name": each["AttributeName"], "type": each["AttributeType"]}
                    for each in got["AttributeDefinitions"]
                ],
                known.get("attributes"),
            ),
            "readCapacity": 0 if on_demand else throughput.get("ReadCapacityUnits"),
            "writeCapacity": 0 if on_demand else throughput.get("WriteCapacityUnits"),
            "globalSecondaryIndexes": _ordered(
                shown_indexes(got.get("GlobalSecondaryIndexes"), known.get("globalSecondaryIndexes"), on_demand),
                known.get("globalSecondaryIndexes"),
            )
            or None,
            "localSecondaryIndexes": _ordered(
                shown_indexes(got.get("LocalSecondaryIndexes"), None, True, local=True),
                known.get("localSecondaryIndexes"),
            )
            or None,
            "streamLabel": got.get("LatestStreamLabel") or "",
            "streamEnabled": bool(stream.get("StreamEnabled")),
            "streamViewType": stream.get("StreamViewType") or "",
            "deletionProtectionEnabled": bool(got.get("DeletionProtectionEnabled")),
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": encryption.get("KMSMasterKeyArn")}
            if encryption.get("Status") in ("ENABLED", "ENABLING")
            else None,
            "ttl": {"enabled": True, "attributeName": ttl["AttributeName"]}
            if ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
            else {"enabled": False, "attributeName": (known.get("ttl") or {}).get("attributeName") or ""},
            "pointInTimeRecovery": {
                "enabled": enabled,
                **(
                    {"recoveryPeriodInDays": (known.get("pointInTimeRecovery") or {}).get("recoveryPeriodInDays") or 35}
                    if enabled
                    else {}
                ),
            },
            "tags": table_tags(call, got["TableArn"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("dynamodb")
        for problem in problems(new):
            raise refused("ValidationException", f"One or more parameter values were invalid: {problem}", "UpdateTable")
        sent: dict[str, Any] = {}
        if changed & {"billingMode", "readCapacity", "writeCapacity"}:
            sent["BillingMode"] = new.get("billingMode") or "PROVISIONED"
            if sent["BillingMode"] == "PROVISIONED":
                sent["ProvisionedThroughput"] = _throughput(new)
        if changed & {"streamEnabled", "streamViewType"}:
            sent["StreamSpecification"] = present(
                StreamEnabled=bool(new.get("streamEnabled")),
                StreamViewType=new.get("streamViewType") or None if new.get("streamEnabled") else None,
            )
        if "deletionProtectionEnabled" in changed:
            sent["DeletionProtectionEnabled"] = bool(new.get("deletionProtectionEnabled"))
        if "serverSideEncryption" in changed:
            sent["SSESpecification"] = _encryption(new.get("serverSideEncryption") or {"enabled": False})
        if "tableClass" in changed:
            sent["TableClass"] = new.get("tableClass") or "STANDARD"
        if sent:
            client.update_table(TableName=id, **sent)
        if "globalSecondaryIndexes" in changed:
            _change_indexes(call, id, old, new)
        if "ttl" in changed:
            self._ttl(call, id, old, new)
        if "pointInTimeRecovery" in changed:
            self._recovery(call, id, new)
        if "replicas" in changed:
            _replicate(call, id, old.get("replicas") or [], new.get("replicas") or [])
        if "tags" in changed:
            arn = call.arn("dynamodb", f"table/{id}")
            retag(
                call,
                table_tags(call, arn),
                lambda tags: client.tag_resource(ResourceArn=arn, Tags=pairs(tags)),
                lambda keys: client.untag_resource(ResourceArn=arn, TagKeys=keys),
            )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("dynamodb")
        if describe(call, id) is None:
            return
        for replica in known.get("replicas") or ():
            with unless(GONE, "ReplicaNotFoundException", "ValidationException"):
                client.update_table(TableName=id, ReplicaUpdates=[{"Delete": {"RegionName": replica["regionName"]}}])
        with unless(GONE):
            client.delete_table(TableName=id)
        client.get_waiter("table_not_exists").wait(TableName=id, WaiterConfig=OFTEN)

    def _ttl(self, call: Call, name: str, old: Properties, new: Properties) -> None:
        before, after = old.get("ttl") or {}, new.get("ttl") or {}
        attribute = after.get("attributeName") or before.get("attributeName")
        enabled = bool(after.get("enabled", after.get("attributeName")))
        if attribute and enabled != bool(before.get("enabled")):
            call.client("dynamodb").update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute}
            )

    def _recovery(self, call: Call, name: str, inputs: Properties) -> None:
        wanted = inputs.get("pointInTimeRecovery") or {"enabled": False}
        call.client("dynamodb").update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification=present(
                PointInTimeRecoveryEnabled=wanted["enabled"],
                RecoveryPeriodInDays=wanted.get("recoveryPeriodInDays") if wanted["enabled"] else None,
            ),
        )


def table_tags(call: Call, arn: str) -> dict[str, str]:
    return tag_map(call.client("dynamodb").list_tags_of_resource(ResourceArn=arn).get("Tags"))


def _ordered(shown: list[Properties], known: list[Properties] | None) -> list[Properties]:
    """A set in the program's order."""
    order = [each["name"] for each in known or ()]
    return sorted(
        shown, key=lambda each: (order.index(each["name"]) if each["name"] in order else len(order), each["name"])
    )


def _throughput(inputs: Properties) -> dict[str, int]:
    return {
        "ReadCapacityUnits": inputs.get("readCapacity") or 1,
        "WriteCapacityUnits": inputs.get("writeCapacity") or 1,
    }


def _encryption(wanted: Properties) -> dict[str, Any]:
    if not wanted["enabled"]:
        return {"Enabled": False}
    return present(Enabled=True, SSEType="KMS", KMSMasterKeyId=wanted.get("kmsKeyArn"))


def _creation(name: str, inputs: Properties) -> dict[str, Any]:
    mode = inputs.get("billingMode") or "PROVISIONED"
    on_demand = mode == "PAY_PER_REQUEST"
    return present(
        TableName=name,
        BillingMode=mode,
        KeySchema=schema(inputs["hashKey"], inputs.get("rangeKey")),
        AttributeDefinitions=[
            {"AttributeName": each["name"], "AttributeType": each["type"]} for each in inputs["attributes"]
        ],
        ProvisionedThroughput=None if on_demand else _throughput(inputs),
        GlobalSecondaryIndexes=global_indexes(inputs, on_demand) or None,
        LocalSecondaryIndexes=local_indexes(inputs) or None,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": inputs["streamViewType"]}
        if inputs.get("streamEnabled")
        else None,
        SSESpecification=_encryption(inputs["serverSideEncryption"]) if inputs.get("serverSideEncryption") else None,
        TableClass=inputs.get("tableClass"),
        DeletionProtectionEnabled=inputs.get("deletionProtectionEnabled"),
    )


def _change_indexes(call: Call, name: str, old: Properties, new: Properties) -> None:
    """One index a call, as the API wants it; a changed one is made anew."""
    client = call.client("dynamodb")
    on_demand = new.get("billingMode") == "PAY_PER_REQUEST"
    before = {each["IndexName"]: each for each in global_indexes(old, on_demand)}
    after = {each["IndexName"]: each for each in global_indexes(new, on_demand)}
    for index in sorted(before.keys() - {key for key, each in after.items() if before.get(key) == each}):
        client.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index}}])
    attributes = [{"AttributeName": each["name"], "AttributeType": each["type"]} for each in new["attributes"]]
    for index in sorted(key for key, each in after.items() if before.get(key) != each):
        client.update_table(
            TableName=name, AttributeDefinitions=attributes, GlobalSecondaryIndexUpdates=[{"Create": after[index]}]
        )


def _replicate(call: Call, name: str, old: list[Properties], new: list[Properties]) -> None:
    before, after = {each["regionName"] for each in old}, {each["regionName"]: each for each in new}
    client = call.client("dynamodb")
    for region in sorted(before - after.keys()):
        client.update_table(TableName=name, ReplicaUpdates=[{"Delete": {"RegionName": region}}])
    for region in sorted(after.keys() - before):
        client.update_table(
            TableName=name,
            ReplicaUpdates=[{"Create": present(RegionName=region, KMSMasterKeyId=after[region].get("kmsKeyArn"))}],
        )
