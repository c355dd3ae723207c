"""The tables: to any second in their region."""

from __future__ import annotations

from infra.plans.recovery import How, Kept
from operations.aws import pages
from operations.recovery.account import Account
from operations.recovery.model import Point


def names(account: Account) -> list[str]:
    dynamodb = account.clients("dynamodb", account.home)
    return sorted(name for name in pages(dynamodb, "list_tables", "TableNames")
                  if name.startswith(f"{account.names.prefix}-"))


def arns(account: Account) -> list[str]:
    dynamodb = account.clients("dynamodb", account.home)
    return [str(dynamodb.describe_table(TableName=name)["Table"]["TableArn"]) for name in names(account)]


def here(account: Account) -> list[Point]:
    dynamodb = account.clients("dynamodb", account.home)
    points = []
    for name in names(account):
        table = dynamodb.describe_table(TableName=name)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        window = backups.get("PointInTimeRecoveryDescription") or {}
        enabled = window.get("PointInTimeRecoveryStatus") == "ENABLED"
        latest, sealed = window.get("LatestRestorableDateTime"), table.get("SSEDescription") or {}
        point = Point(
            Kept.TABLE, How.POINT_IN_TIME, name, account.home, newest=latest if enabled else None,
            since=table.get("CreationDateTime"), encrypted=sealed.get("Status") == "ENABLED",
            restorable=enabled and latest is not None and account.usable(sealed.get("KMSMasterKeyArn"), account.home))
        points.append(point if enabled else point.with_faults("its point-in-time recovery is switched off"))
    if not points:
        points.append(Point(Kept.TABLE, How.POINT_IN_TIME, f"{account.names.prefix}-*", account.home,
                            faults=(f"there is no table {account.names.prefix}-*",)))
    return points
