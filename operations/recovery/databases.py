"""The database: to any second in its region, RDS's own snapshots, and its automated backups in the recovery region."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from infra.plans.recovery import How, Kept
from operations.aws import code, pages
from operations.recovery.account import Account
from operations.recovery.model import Point


def here(account: Account) -> list[Point]:
    rds, name = account.clients("rds", account.home), account.names.resource("db")
    found = instance(rds, name)
    if found is None:
        return [Point(Kept.DATABASE, How.POINT_IN_TIME, name, account.home,
                      faults=(f"there is no instance {name}; what is kept of it is in the rows below",)),
                *_snapshots(account, rds, name)]
    latest = found.get("LatestRestorableTime")
    kept_days = found.get("BackupRetentionPeriod", 0)
    point = Point(
        Kept.DATABASE, How.POINT_IN_TIME, name, account.home, newest=latest if kept_days else None,
        since=found.get("InstanceCreateTime"), encrypted=bool(found.get("StorageEncrypted")),
        restorable=latest is not None and account.usable(found.get("KmsKeyId"), account.home))
    if not kept_days:
        point = point.with_faults("its backups are switched off (BackupRetentionPeriod 0)")
    return [point, *_snapshots(account, rds, name)]


def arn(account: Account) -> str | None:
    """Of the instance, by which AWS Backup knows it; None where it is gone."""
    found = instance(account.clients("rds", account.home), account.names.resource("db"))
    return None if found is None else str(found["DBInstanceArn"])


def away(account: Account, region: str) -> list[Point]:
    name = account.names.resource("db")
    found = [each for each in pages(account.clients("rds", region), "describe_db_instance_automated_backups",
                                    "DBInstanceAutomatedBackups", DBInstanceIdentifier=name)
             if each.get("Region") == account.home]
    if not found:
        return [Point(Kept.DATABASE, How.REPLICATED, name, region,
                      faults=(f"the backups of {name} are not replicated to {region}",))]
    newest = max(found, key=lambda each: str((each.get("RestoreWindow") or {}).get("LatestTime", "")))
    latest = (newest.get("RestoreWindow") or {}).get("LatestTime")
    status = newest.get("Status")
    point = Point(
        Kept.DATABASE, How.REPLICATED, name, region, newest=latest, since=newest.get("InstanceCreateTime"),
        encrypted=bool(newest.get("Encrypted")), source=str(newest.get("DBInstanceAutomatedBackupsArn", "")),
        restorable=latest is not None and account.usable(newest.get("KmsKeyId"), region))
    # "retained" is what is left of an instance that is gone: it can be restored, and grows older.
    if status not in ("active", "replicating", "retained"):
        point = point.with_faults(f"the replication of its backups has stopped: {status}")
    return [point]


def instance(rds: Any, name: str) -> dict[str, Any] | None:
    """As RDS describes it; None where there is none."""
    try:
        found: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    except ClientError as error:
        if code(error) in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
            return None
        raise
    return found


def retained(rds: Any, name: str) -> dict[str, Any] | None:
    """The newest automated backups that an instance of the name left when it was deleted."""
    left = [each for each in pages(rds, "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups",
                                   DBInstanceIdentifier=name)
            if each.get("Status") == "retained" and (each.get("RestoreWindow") or {}).get("LatestTime")]
    return max(left, key=lambda each: each["RestoreWindow"]["LatestTime"], default=None)


def newest_snapshot(rds: Any, name: str) -> str | None:
    whole = _whole(rds, name)
    return str(max(whole, key=lambda each: each["SnapshotCreateTime"])["DBSnapshotIdentifier"]) if whole else None


def _whole(rds: Any, name: str) -> list[dict[str, Any]]:
    return [each for each in pages(rds, "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=name)
            if each.get("SnapshotCreateTime") and each.get("Status") == "available"]


def _snapshots(account: Account, rds: Any, name: str) -> list[Point]:
    """The newest one; older ones are older."""
    done = _whole(rds, name)
    if not done:
        return []
    newest = max(done, key=lambda each: each["SnapshotCreateTime"])
    return [Point(Kept.DATABASE, How.SNAPSHOT, str(newest["DBSnapshotIdentifier"]), account.home,
                  newest=newest["SnapshotCreateTime"], encrypted=bool(newest.get("Encrypted")),
                  restorable=account.usable(newest.get("KmsKeyId"), account.home))]
