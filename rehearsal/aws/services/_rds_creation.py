"""How an instance comes about: new, as a replica, from a snapshot, from a point in time, or from backups that were
replicated from another region."""

from __future__ import annotations

import secrets
from typing import Any

from rehearsal.aws.handler import Call
from rehearsal.aws.services._convert import present, refused, select
from rehearsal.aws.services._rds_identity import describe
from rehearsal.aws.services._rds_parameters import COMMON, CREATION, RESTORE, SETTINGS
from rehearsal.aws.services._rds_values import resolve_version
from rehearsal.engine.values import Properties

_REPLICATED = "candlefish:rds/replicatedBackups"
_FACTS = {"AllocatedStorage": "AllocatedStorage", "DBName": "DBName", "Engine": "Engine",
          "EngineVersion": "EngineVersion", "MasterUsername": "MasterUsername"}


def version(inputs: Properties) -> dict[str, Any]:
    """The full version: the emulator would install "17" literally."""
    engine = inputs.get("engine")
    if engine is None or (inputs.get("engineVersion") is None and is_copy(inputs)):
        return {}
    return present(EngineVersion=resolve_version(engine, inputs.get("engineVersion")))


def is_copy(inputs: Properties) -> bool:
    return any(inputs.get(key) for key in ("replicateSourceDb", "snapshotIdentifier", "restoreToPointInTime"))


def make(call: Call, inputs: Properties) -> None:
    """Creates the instance; a copy then gets the settings that no restore takes, as the provider does it."""
    rds, name = call.client("rds"), inputs["identifier"]
    given = {"DBInstanceIdentifier": name, "Tags": call.tag_list, **select(inputs, COMMON)}
    if inputs.get("replicateSourceDb"):
        taken = [key for key in RESTORE if key not in ("dbName", "engine", "licenseModel")]
        rds.create_db_instance_read_replica(
            **given, **select(inputs, CREATION, [*taken, "kmsKeyId"]),
            SourceDBInstanceIdentifier=inputs["replicateSourceDb"])
    elif inputs.get("snapshotIdentifier"):
        taken_then = {key: value for key, value in given.items() if key != "MaxAllocatedStorage"}  # the call has none
        rds.restore_db_instance_from_db_snapshot(
            **taken_then, **select(inputs, CREATION, RESTORE), DBSnapshotIdentifier=inputs["snapshotIdentifier"])
    elif inputs.get("restoreToPointInTime"):
        _from_point(call, name, {**given, **select(inputs, CREATION, RESTORE)}, inputs["restoreToPointInTime"])
    else:
        rds.create_db_instance(**given, **select(inputs, {**SETTINGS, **CREATION}) | version(inputs))
    if is_copy(inputs):
        later = select(inputs, {**COMMON, **SETTINGS}) | version(inputs)
        if later:
            rds.modify_db_instance(DBInstanceIdentifier=name, ApplyImmediately=True, **later)


def _from_point(call: Call, name: str, restored: dict[str, Any], point: Properties) -> None:
    rds = call.client("rds")
    if arn := point.get("sourceDbInstanceAutomatedBackupsArn"):
        # Neither emulator replicates: the copy is made of what was noted of its source.
        facts = call.kept.get(call.account, call.region, _REPLICATED, arn)
        if facts is None:
            raise refused("DBInstanceAutomatedBackupNotFound", f"{arn} not found in {call.region}: restore in the "
                          "region that the backups are replicated to", "RestoreDBInstanceToPointInTime", 404)
        rds.create_db_instance(**{**facts, **restored, "MasterUserPassword": secrets.token_hex(14)})
        return
    source = point.get("sourceDbInstanceIdentifier")
    if resource := point.get("sourceDbiResourceId"):
        found = describe(call, resource)
        source = found["DBInstanceIdentifier"] if found else resource
    del restored["DBInstanceIdentifier"]
    rds.restore_db_instance_to_point_in_time(
        **restored, TargetDBInstanceIdentifier=name, **present(
            RestoreTime=point.get("restoreTime"), SourceDBInstanceIdentifier=source,
            UseLatestRestorableTime=point.get("useLatestRestorableTime")))


def note_replication(call: Call, arn: str, source: dict[str, Any], key: str | None) -> None:
    """Of the source of replicated backups what a restore in this region will need."""
    encrypted = {"StorageEncrypted": True, "KmsKeyId": key} if key else {}
    call.kept.put(call.account, call.region, _REPLICATED, arn, {**select(source, _FACTS), **encrypted})


def forget_replication(call: Call, arn: str) -> None:
    call.kept.delete(call.account, call.region, _REPLICATED, arn)
