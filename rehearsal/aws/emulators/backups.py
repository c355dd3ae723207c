"""Recovery points of AWS Backup and their copies to another region. MiniStack's jobs say that they have made one, and
no list shows it.

A point here is complete at once and encrypted with its vault's key. (AWS does so with copies to another region; what
RDS and DynamoDB have in their own region stays under the key of the resource.)
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import backup

from rehearsal.aws.emulators import backup_tables

Answer = tuple[int, dict[str, str], bytes]
_TYPES = {"rds": "RDS", "dynamodb": "DynamoDB", "s3": "S3"}  # service of the ARN → AWS Backup's word
_copies: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)  # account, region, vault → points


def install() -> None:
    """Puts our handling in front of MiniStack's."""
    served: Callable[..., Awaitable[Answer]] = backup.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Answer:
        if method == "PUT" and path.strip("/") == "copy-jobs":
            return copied(json.loads(body or b"{}"))
        return await served(method, path, headers, body, query_params)

    backup.handle_request = handle
    backup._list_recovery_points_by_vault = listed


def listed(vault: str, query: dict[str, str]) -> Answer:
    """ListRecoveryPointsByBackupVault, newest first, with the filters by resource."""
    if vault not in backup._vaults:
        return _refused(f"Vault '{vault}' not found.")
    wanted, kind = query.get("resourceArn"), query.get("resourceType")
    found = [point for point in _points(vault)
             if wanted in (None, point["ResourceArn"]) and kind in (None, point["ResourceType"])]
    answer: Answer = backup._paginate(sorted(found, key=lambda point: -point["CreationDate"]), query, "RecoveryPoints")
    return answer


def copied(asked: dict[str, Any]) -> Answer:
    """StartCopyJob. The copy has the age of what it is a copy of."""
    arn, target = asked["RecoveryPointArn"], asked["DestinationBackupVaultArn"]
    points = _points(asked["SourceBackupVaultName"])
    source = next((point for point in points if point["RecoveryPointArn"] == arn), None)
    region, name = target.split(":")[3], target.rpartition(":")[2]
    vault = backup._vaults._data.get((get_account_id(), region, name))
    if source is None:
        return _refused(f"Recovery point '{arn}' not found.")
    if vault is None:
        return _refused(f"Vault '{target}' not found.")
    copy = f"arn:aws:backup:{region}:{get_account_id()}:recovery-point:{uuid.uuid4()}"
    backup_tables.carry(arn, copy)
    _copies[get_account_id(), region, name].append({
        **source, "RecoveryPointArn": copy,
        "BackupVaultName": name, "BackupVaultArn": target, "SourceBackupVaultArn": source["BackupVaultArn"],
        **_sealed(vault)})
    answer: Answer = backup._ok({"CopyJobId": str(uuid.uuid4()), "CreationDate": backup._epoch(), "IsParent": False})
    return answer


def _points(vault: str) -> list[dict[str, Any]]:
    if vault not in backup._vaults:
        return []
    made = [{
        "RecoveryPointArn": job["RecoveryPointArn"], "BackupVaultName": vault, "BackupVaultArn": job["BackupVaultArn"],
        "ResourceArn": job["ResourceArn"], "ResourceType": _TYPES.get(job["ResourceArn"].split(":")[2], "Unknown"),
        "IamRoleArn": job["IamRoleArn"], "Status": "COMPLETED", "CreationDate": job["CreationDate"],
        "CompletionDate": job["CompletionDate"], "BackupSizeInBytes": job["BackupSizeInBytes"],
        **_sealed(backup._vaults[vault])}
        for job in list(backup._jobs.values()) if job["BackupVaultName"] == vault and job["State"] == "COMPLETED"]
    return [*made, *_copies[get_account_id(), get_region(), vault]]


def _sealed(vault: dict[str, Any]) -> dict[str, Any]:
    key = vault.get("EncryptionKeyArn")
    return {"IsEncrypted": bool(key), **({"EncryptionKeyArn": key} if key else {})}


def _refused(text: str) -> Answer:
    answer: Answer = backup._err("ResourceNotFoundException", text, 404)
    return answer
