"""RDS instances: new, from a snapshot, from a point in time, or as a read replica.

Emulated by moto, which applies every modification at once, takes any class and version (checked here), and makes a
real secret for a managed master password. It would look for that secret's key among its own keys, while KMS is
emulated elsewhere: `masterUserSecretKmsKeyId` is kept and not sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import (
    OFTEN,
    given_back,
    iso,
    pairs,
    refused,
    retag,
    select,
    tag_map,
    unless,
)
from rehearsal.aws.services._rds_creation import make, version
from rehearsal.aws.services._rds_identity import GONE, describe, forget, instance_exists, remember, resource_id
from rehearsal.aws.services._rds_parameters import MODIFICATION, READ
from rehearsal.aws.services._rds_values import HOSTED_ZONES, class_problem, resolve_version
from rehearsal.engine.values import Properties


@resource
class Instance(Handler):
    type = "aws:rds/instance:Instance"
    naming = Naming("identifier", maximum=63, lower=True)
    defaults = {
        "autoMinorVersionUpgrade": True,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
        "deleteAutomatedBackups": True,
        "monitoringInterval": 0,
        "copyTagsToSnapshot": False,
        "deletionProtection": False,
        "applyImmediately": False,
        "dedicatedLogVolume": False,
    }
    kept = (
        "allowMajorVersionUpgrade",
        "applyImmediately",
        "backupTarget",
        "blueGreenUpdate",
        "customerOwnedIpEnabled",
        "databaseInsightsMode",
        "dedicatedLogVolume",
        "deleteAutomatedBackups",
        "domain",
        "domainIamRoleName",
        "engineLifecycleSupport",
        "finalSnapshotIdentifier",
        "identifierPrefix",
        "masterUserSecretKmsKeyId",
        "networkType",
        "optionGroupName",
        "passwordWo",
        "passwordWoVersion",
        "performanceInsightsEnabled",
        "performanceInsightsKmsKeyId",
        "performanceInsightsRetentionPeriod",
        "publiclyAccessible",
        "replicaMode",
        "restoreToPointInTime",
        "skipFinalSnapshot",
        "snapshotIdentifier",
        "storageThroughput", "upgradeStorageConfig",
        "customIamInstanceProfile",
        "s3Import",
    )

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(
            inputs,
            {
                "kmsKeyId": references.kms_key,
                "performanceInsightsKmsKeyId": references.kms_key,
                "masterUserSecretKmsKeyId": references.kms_key,
                "monitoringRoleArn": references.role,
                "vpcSecurityGroupIds": references.security_group,
                "replicateSourceDb": instance_exists,
            },
        )

    def create(self, call: Call, inputs: Properties) -> str:
        _check(inputs, "CreateDBInstance")
        name = inputs["identifier"]
        make(call, inputs)
        id = call.made(remember(call, name))
        call.client("rds").get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig=OFTEN)
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        instance = describe(call, id)
        return None if instance is None else outputs(call, instance, known)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        rds = call.client("rds")
        instance = describe(call, id)
        if instance is None:
            raise refused("DBInstanceNotFound", f"DBInstance {id} not found.", "ModifyDBInstance", 404)
        _check(new, "ModifyDBInstance")
        parameters = select(new, MODIFICATION, changed)
        if instance.get("MasterUserSecret"):  # moto would make another secret, and leave the first behind
            parameters.pop("ManageMasterUserPassword", None)
        if "engineVersion" in changed:
            parameters |= version(new)
        if "enabledCloudwatchLogsExports" in changed:
            before = set(old.get("enabledCloudwatchLogsExports") or ())
            after = set(new.get("enabledCloudwatchLogsExports") or ())
            parameters["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(after - before),
                "DisableLogTypes": sorted(before - after),
            }
        if "identifier" in changed:
            parameters["NewDBInstanceIdentifier"] = new["identifier"]
            remember(call, new["identifier"], id)
        if "replicateSourceDb" in changed and not new.get("replicateSourceDb"):
            rds.promote_read_replica(DBInstanceIdentifier=instance["DBInstanceIdentifier"])
        if parameters:
            rds.modify_db_instance(
                DBInstanceIdentifier=instance["DBInstanceIdentifier"],
                **parameters,
                ApplyImmediately=bool(new.get("applyImmediately")),
            )
        if "tags" in changed:
            retag_rds(call, instance["DBInstanceArn"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        instance = describe(call, id)
        if instance is None:
            return
        final = known.get("finalSnapshotIdentifier")
        skip = bool(known.get("skipFinalSnapshot"))
        if not skip and not final:
            raise refused(
                "InvalidParameterCombination",
                "finalSnapshotIdentifier is required when skipFinalSnapshot is false; set one of the two",
                "DeleteDBInstance",
            )
        rds = call.client("rds")
        name = instance["DBInstanceIdentifier"]
        automated = known.get("deleteAutomatedBackups", True) is not False
        with unless(*GONE):
            rds.delete_db_instance(
                DBInstanceIdentifier=name,
                SkipFinalSnapshot=skip,
                DeleteAutomatedBackups=automated,
                **({} if skip else {"FinalDBSnapshotIdentifier": final}),
            )
        if automated:  # the emulator leaves them, and refuses a new instance of the same name within the minute
            for shot in rds.describe_db_snapshots(DBInstanceIdentifier=name, SnapshotType="automated")["DBSnapshots"]:
                rds.delete_db_snapshot(DBSnapshotIdentifier=shot["DBSnapshotIdentifier"])
        forget(call, id)


def _check(inputs: Properties, operation: str) -> None:
    problem = class_problem(inputs["instanceClass"])
    if problem:
        raise refused("InvalidParameterValue", problem, operation)
    engine, version = inputs.get("engine"), inputs.get("engineVersion")
    if engine and version and resolve_version(engine, version) is None:
        raise refused("InvalidParameterCombination", f"Cannot find version {version} for {engine}", operation)
    if inputs.get("manageMasterUserPassword") and inputs.get("password"):
        raise refused(
            "InvalidParameterCombination",
            "You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled",
            operation,
        )
    if inputs.get("monitoringInterval") and not inputs.get("monitoringRoleArn"):
        raise refused(
            "InvalidParameterCombination",
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
            operation,
        )
    limit, size = inputs.get("maxAllocatedStorage"), inputs.get("allocatedStorage")
    if limit and size and limit < size:
        raise refused(
            "InvalidParameterCombination",
            f"Max storage size {limit} must be greater than storage size {size}",
            operation,
        )


def outputs(call: Call, instance: dict[str, Any], known: Properties) -> Properties:
    got: Properties = {READ[key]: value for key, value in instance.items() if key in READ}
    endpoint = instance.get("Endpoint") or {}
    secret = instance.get("MasterUserSecret")
    requested = known.get("engineVersion")
    actual = instance["EngineVersion"]
    prefix = isinstance(requested, str) and (actual == requested or actual.startswith(requested + "."))
    return (
        got
        | given_back(known, ("manageMasterUserPassword", "password", "replicateSourceDb"))
        | {
            "resourceId": resource_id(call, instance["DBInstanceIdentifier"]),
            "address": endpoint.get("Address"),
            "port": endpoint.get("Port"),
            "endpoint": f"{endpoint['Address']}:{endpoint['Port']}" if endpoint else None,
            "engineVersion": requested if prefix else actual,
            "hostedZoneId": HOSTED_ZONES.get(
                call.region, "Z" + uuid.uuid5(uuid.NAMESPACE_DNS, call.region).hex[:13].upper()
            ),
            "kmsKeyId": _key(call, instance, known),
            "latestRestorableTime": iso(instance.get("LatestRestorableTime")),
            "listenerEndpoints": [],
            "replicas": list(instance.get("ReadReplicaDBInstanceIdentifiers") or ()),
            "enabledCloudwatchLogsExports": sorted(instance.get("EnabledCloudwatchLogsExports") or ()),
            "masterUserSecrets": [
                {
                    "secretArn": secret["SecretArn"],
                    "kmsKeyId": known.get("masterUserSecretKmsKeyId") or secret.get("KmsKeyId"),
                    "secretStatus": secret["SecretStatus"],
                }
            ]
            if secret
            else [],
            "dbSubnetGroupName": (instance.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
            "parameterGroupName": instance["DBParameterGroups"][0]["DBParameterGroupName"],
            "vpcSecurityGroupIds": sorted(g["VpcSecurityGroupId"] for g in instance["VpcSecurityGroups"]),
            "tags": tag_map(instance.get("TagList")),
            "upgradeRolloutOrder": "second",
        }
    )


def _key(call: Call, instance: dict[str, Any], known: Properties) -> str | None:
    """ARN of the volume's key; the emulator says `default_kms_key_id` for the account's own."""
    if not instance.get("StorageEncrypted"):
        return None
    key = instance.get("KmsKeyId")
    if not key or key == "default_kms_key_id":
        own = uuid.uuid5(uuid.NAMESPACE_URL, f"aws/rds:{call.account}:{call.region}")
        return call.arn("kms", f"key/{own}")
    return str(key)


def retag_rds(call: Call, arn: str) -> None:
    rds = call.client("rds")
    retag(
        call,
        tag_map(rds.list_tags_for_resource(ResourceName=arn)["TagList"]),
        lambda tags: rds.add_tags_to_resource(ResourceName=arn, Tags=pairs(tags)),
        lambda keys: rds.remove_tags_from_resource(ResourceName=arn, TagKeys=keys),
    )
