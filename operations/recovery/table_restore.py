"""A table's items from AWS Backup into the table that the program has made.

AWS Backup restores to a new table only, and Pulumi's table must stay Pulumi's: the recovery point becomes a table
beside it, whose items are then copied. A key that is there already is never written again: what the stack has written
since is newer than the recovery point.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import code, pages
from operations.errors import OperationError
from operations.recovery.items import described, put_missing
from operations.recovery.waiting import until

AT_ONCE = 8  # requests; botocore keeps 10 connections
POLL_SECONDS = 5.0
# A restore "typically" ends within an hour, and "some take longer" (DynamoDB developer guide, "Restoring a table").
RESTORED_SECONDS = 3 * 3600.0
_BAD, _DONE = ("ABORTED", "FAILED"), "COMPLETED"
_ENDED = (*_BAD, _DONE)
_KEY_NAME = "#key"


class TableRestore:
    """backup, dynamodb: boto3's clients in the region. role_arn: that AWS Backup takes on. say: a line each."""

    def __init__(self, backup: Any, dynamodb: Any, role_arn: str, say: Callable[[str], None],
                 pause: Callable[[float], None] = time.sleep, now: Callable[[], float] = time.time) -> None:
        self._backup, self._dynamodb, self._role, self._say = backup, dynamodb, role_arn, say
        self._pause, self._now = pause, now
        self._ours: set[str] = set()  # tables beside that were seen to come from their points

    def run(self, point_arn: str, table: str) -> int:
        """Until every item of the recovery point that has not expired is in the table; how many were written. Gone on
        with when it was killed before. The table beside stays, for `clear`. Raises OperationError."""
        beside, found = name_beside(table, point_arn), described(self._dynamodb, table)
        if found is None:
            raise OperationError(f"there is no table {table}; `up` of the stack makes it: run the command again")
        there = described(self._dynamodb, beside) is not None
        if not there or not self._made(point_arn, beside):
            self._restored(point_arn, beside, str(found["SSEDescription"]["KMSMasterKeyArn"]), there)
        self._expect_active(beside)
        return self._copied(beside, table, found["KeySchema"])

    def clear(self, point_arn: str, table: str) -> None:
        """The table beside is gone, if it is one that a restore of the point has made. It is a copy: the recovery point
        stays in its vault."""
        beside = name_beside(table, point_arn)
        if self._made(point_arn, beside):
            # Asked for first, and only then looked for: a table that is not seen for a moment would stay for ever.
            self._delete(beside)
            self._until(f"{beside} is deleted", lambda: self._gone(beside), RESTORED_SECONDS)
        elif described(self._dynamodb, beside) is not None:
            raise self._another(point_arn, beside)

    def _gone(self, beside: str) -> bool:
        found = described(self._dynamodb, beside)
        if found is not None and found["TableStatus"] != "DELETING":
            self._delete(beside)
        return found is None

    def _delete(self, beside: str) -> None:
        try:
            self._dynamodb.delete_table(TableName=beside)
        except ClientError as error:  # gone, or on its way
            if code(error) not in ("ResourceNotFoundException", "ResourceInUseException"):
                raise

    def _restored(self, point_arn: str, beside: str, key_arn: str, there: bool) -> None:
        jobs = self._jobs(point_arn)
        ended = sum(job["Status"] in _ENDED for job in jobs)
        if there and ended == len(jobs):
            raise self._another(point_arn, beside)
        self._say(f"{beside}: AWS Backup makes it from its recovery point")
        job = self._backup.start_restore_job(
            RecoveryPointArn=point_arn, IamRoleArn=self._role, ResourceType="DynamoDB",
            # That of a killed run is found again; one that has ended is not taken for the next attempt's.
            IdempotencyToken=f"{hashlib.sha256(beside.encode()).hexdigest()[:40]}-{ended}",
            Metadata={"targetTableName": beside, "encryptionType": "KMS", "kmsMasterKeyArn": key_arn})["RestoreJobId"]

        def over() -> bool:
            try:
                told = self._backup.describe_restore_job(RestoreJobId=job)
            except ClientError as error:  # begun a moment ago
                if code(error) != "ResourceNotFoundException":
                    raise
                return False
            if told["Status"] in _BAD:
                raise OperationError(f"AWS Backup can't restore {point_arn} to {beside}: {told['Status']}, "
                                     f"{told.get('StatusMessage') or 'without a word'}. Nothing was changed; mend it "
                                     "and run the command again")
            if told["Status"] == _DONE and _is(beside, told):
                self._ours.add(beside)
            return bool(told["Status"] == _DONE)

        self._until(f"AWS Backup has restored {beside} (job {job})", over, RESTORED_SECONDS)

    def _made(self, point_arn: str, beside: str) -> bool:
        """Whether AWS Backup has made it from the point: a table of that name may be anybody's."""
        return beside in self._ours or any(
            job["Status"] == _DONE and _is(beside, job) for job in self._jobs(point_arn))

    def _jobs(self, point_arn: str) -> list[dict[str, Any]]:
        """AWS Backup keeps what it did for 30 days, far longer than a rebuild takes."""
        return [job for job in pages(self._backup, "list_restore_jobs", "RestoreJobs", ByResourceType="DynamoDB")
                if job.get("RecoveryPointArn") == point_arn]

    def _another(self, point_arn: str, beside: str) -> OperationError:
        return OperationError(f"there is a table {beside}, and AWS Backup has no restore of {point_arn} that made it; "
                              "it is left alone. Look whose it is, remove it, and run the command again")

    def _expect_active(self, beside: str) -> None:
        def active() -> bool:
            found = described(self._dynamodb, beside)
            return found is not None and found["TableStatus"] == "ACTIVE"

        self._until(f"{beside} can be read", active, RESTORED_SECONDS)

    def _copied(self, source: str, target: str, schema: list[dict[str, str]]) -> int:
        key = str(schema[0]["AttributeName"])
        expiry = self._expiry(target)
        seconds = self._now()
        written = 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for page in pages_of(self._dynamodb, source):
                kept = [item for item in page if not _expired(item, expiry, seconds)]
                written += sum(pool.map(lambda item: put_missing(self._dynamodb, target, key, item), kept))
                missing = sum(not there for there in pool.map(
                    lambda item: self._has(target, schema, item), kept))
                if missing:
                    raise OperationError(f"{missing} items of {source} are not in {target} after they were written: "
                                         "something deletes them; stop that and run the command again")
        return written

    def _has(self, table: str, schema: list[dict[str, str]], item: Mapping[str, Any]) -> bool:
        names = [part["AttributeName"] for part in schema]
        found = self._dynamodb.get_item(
            TableName=table, Key={name: item[name] for name in names}, ConsistentRead=True,
            ProjectionExpression=_KEY_NAME, ExpressionAttributeNames={_KEY_NAME: names[0]})
        return "Item" in found

    def _expiry(self, table: str) -> str:
        """Attribute by which items expire; empty: they do not. A table in use has it set; the restored one has not."""
        told = self._dynamodb.describe_time_to_live(TableName=table).get("TimeToLiveDescription") or {}
        return str(told.get("AttributeName") or "")

    def _until(self, what: str, met: Callable[[], bool], seconds: float) -> None:
        until(what, met, seconds, POLL_SECONDS, self._pause, self._now)


def _is(beside: str, job: Mapping[str, Any]) -> bool:
    return str(job.get("CreatedResourceArn", "")).endswith(f":table/{beside}")


def name_beside(table: str, point_arn: str) -> str:
    """Of the table that a recovery point becomes: the same for the same point, so that it is found again."""
    return f"{table}-restored-{hashlib.sha256(point_arn.encode()).hexdigest()[:12]}"


def pages_of(dynamodb: Any, table: str) -> Iterator[list[dict[str, Any]]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield page.get("Items") or []


def _expired(item: Mapping[str, Any], attribute: str, now: float) -> bool:
    """DynamoDB would delete it within days, and readers already take it for gone."""
    found = item.get(attribute) if attribute else None
    return found is not None and "N" in found and float(found["N"]) < now
