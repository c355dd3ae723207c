"""AWS Backup's vaults: what the daily plan has put into them, for each database and table."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from infra.plans.recovery import How, Kept
from operations.aws import pages
from operations.recovery.account import Account
from operations.recovery.model import Point

_KEPT = {"rds": Kept.DATABASE, "dynamodb": Kept.TABLE}  # service of the ARN


def points(account: Account, region: str, expected: Collection[str] | None) -> list[Point]:
    """Of the stack's vault in the region, the newest complete point of each resource. `expected`: ARNs of what there
    is to be kept; None where nobody can tell, because the region is gone: then all that the vault holds."""
    how = How.VAULT if region == account.home else How.COPY
    backup = account.clients("backup", region)
    vault = _vault(account, backup)
    if vault is None:
        return [Point(_kept(arn), how, _short(arn), region, faults=(f"the stack has no vault in {region}",))
                for arn in sorted(expected or ())]
    newest: dict[str, dict[str, Any]] = {}
    for found in pages(backup, "list_recovery_points_by_backup_vault", "RecoveryPoints", BackupVaultName=vault):
        arn, made = found["ResourceArn"], found["CreationDate"]
        if found.get("Status") == "COMPLETED" and (arn not in newest or made > newest[arn]["CreationDate"]):
            newest[arn] = found
    wanted = newest if expected is None else expected
    return [_point(account, region, how, arn, newest.get(arn)) for arn in sorted(wanted)]


def _vault(account: Account, backup: Any) -> str | None:
    for vault in pages(backup, "list_backup_vaults", "BackupVaultList"):
        if account.owns(backup.list_tags(ResourceArn=vault["BackupVaultArn"]).get("Tags") or {}):
            return str(vault["BackupVaultName"])
    return None


def _point(account: Account, region: str, how: How, arn: str, found: dict[str, Any] | None) -> Point:
    if found is None:
        return Point(_kept(arn), how, _short(arn), region)
    return Point(_kept(arn), how, _short(arn), region, newest=found["CreationDate"],
                 encrypted=bool(found.get("IsEncrypted")), source=str(found.get("RecoveryPointArn", "")),
                 restorable=account.usable(found.get("EncryptionKeyArn"), region))


def _kept(arn: str) -> Kept:
    return _KEPT[arn.split(":")[2]]


def _short(arn: str) -> str:
    """`production-candlefish-db` of `arn:aws:rds:us-east-1:…:db:production-candlefish-db`."""
    return arn.split(":", 5)[5].replace("/", ":").split(":")[1]
