"""Tables in AWS Backup: a recovery point has the items of its moment, a copy has them too, and a restore makes a new
table of them. MiniStack notes that there was a job, and restores nothing.

A job is over at once. As with AWS the new table has no stream, no expiry and no point-in-time recovery.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import backup, dynamodb

Answer = tuple[int, dict[str, str], bytes]
_content: dict[str, dict[str, Any]] = {}  # ARN of a recovery point → the table as it was
_jobs: dict[tuple[str, str, str], dict[str, Any]] = {}  # account, region, id
_tokens: dict[tuple[str, str, str], str] = {}  # account, region, idempotency token → id


def install() -> None:
    """Puts our handling in front of MiniStack's."""
    served: Callable[..., Awaitable[Answer]] = backup.handle_request
    start: Callable[[dict[str, Any]], Answer] = backup._start_job

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Answer:
        parts = path.strip("/").split("/")
        if method == "PUT" and parts == ["restore-jobs"]:
            return restored(json.loads(body or b"{}"))
        if method == "GET" and parts == ["restore-jobs"]:
            return _listed(query_params)
        if method == "GET" and len(parts) == 2 and parts[0] == "restore-jobs":
            return _told(parts[1])
        return await served(method, path, headers, body, query_params)

    def started(asked: dict[str, Any]) -> Answer:
        answer = start(asked)
        point = json.loads(answer[2]).get("RecoveryPointArn")
        table = dynamodb._tables.get(asked.get("ResourceArn", "").rpartition(":table/")[2])
        if point and table is not None:
            _content[point] = copy.deepcopy(table)
        return answer

    backup.handle_request = handle
    backup._start_job = started


def carry(source: str, target: str) -> None:
    """The copy `target` holds what the recovery point `source` does."""
    if source in _content:
        _content[target] = _content[source]


def restored(asked: dict[str, Any]) -> Answer:
    """StartRestoreJob, of tables."""
    account, region, point = get_account_id(), get_region(), asked["RecoveryPointArn"]
    token = account, region, str(asked.get("IdempotencyToken"))
    if asked.get("IdempotencyToken") and token in _tokens:
        return _ok({"RestoreJobId": _tokens[token]})
    if point not in _content or point.split(":")[3] != region:
        return _refused("ResourceNotFoundException", f"Recovery point '{point}' of a table not found in {region}.")
    name = asked["Metadata"].get("targetTableName")
    if not name:
        return _refused("InvalidParameterValueException", "Metadata: targetTableName is missing.")
    if not asked.get("IamRoleArn"):
        return _refused("InvalidParameterValueException", "IamRoleArn is missing.")
    id, problem = str(uuid.uuid4()), _make(name, _content[point], asked["Metadata"].get("kmsMasterKeyArn"))
    arn = f"arn:aws:dynamodb:{region}:{account}:table/{name}"
    _jobs[account, region, id] = {
        "AccountId": account, "RestoreJobId": id, "RecoveryPointArn": point, "CreationDate": backup._epoch(),
        "CompletionDate": backup._epoch(), "IamRoleArn": asked["IamRoleArn"], "ResourceType": "DynamoDB",
        **({"Status": "FAILED", "StatusMessage": problem} if problem
           else {"Status": "COMPLETED", "PercentDone": "100.00%", "CreatedResourceArn": arn})}
    if asked.get("IdempotencyToken"):
        _tokens[token] = id
    return _ok({"RestoreJobId": id})


def _make(name: str, content: dict[str, Any], key: str | None) -> str:
    """Why not; empty: it is there."""
    sealed = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}} if key else {}
    status, _, body = dynamodb._create_table({**dynamodb._restore_create_request(
        name, content["KeySchema"], content["AttributeDefinitions"], "PAY_PER_REQUEST", None, {},
        [{part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
         for index in content.get("GlobalSecondaryIndexes") or ()], None, None), **sealed})
    if status != 200:
        return str(json.loads(body).get("message", "the table can't be made"))
    dynamodb._tables[name]["items"] = defaultdict(dict, copy.deepcopy(content["items"]))
    dynamodb._items_replaced(dynamodb._tables[name])
    return ""


def _listed(asked: dict[str, Any]) -> Answer:
    """ListRestoreJobs, newest first; of the filters by resource type alone."""
    query = {key: value[0] if isinstance(value, list) else value for key, value in asked.items()}
    place, kind = (get_account_id(), get_region()), query.get("resourceType")
    found = [job for (*of, _), job in _jobs.items() if tuple(of) == place and kind in (None, job["ResourceType"])]
    answer: Answer = backup._paginate(found[::-1], query, "RestoreJobs")
    return answer


def _told(id: str) -> Answer:
    found = _jobs.get((get_account_id(), get_region(), id))
    return _ok(found) if found else _refused("ResourceNotFoundException", f"Restore job '{id}' not found.")


def _ok(document: dict[str, Any]) -> Answer:
    answer: Answer = backup._ok(document)
    return answer


def _refused(kind: str, text: str) -> Answer:
    answer: Answer = backup._err(kind, text, 404 if kind == "ResourceNotFoundException" else 400)
    return answer
