"""The buckets: versions here, replicas in the recovery region, and how far those are behind."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from infra.plans.recovery import How, Kept
from operations.aws import bucket_tags, code
from operations.recovery.account import Account
from operations.recovery.model import Point

_NAME = re.compile(r"storage-(assets|backups)-[0-9a-f]+")  # Pulumi's name of what it is
_LOOK_BACK = timedelta(minutes=15)
_PERIOD_SECONDS = 60


def points(account: Account, region: str, now: datetime) -> list[Point]:
    """For each bucket whose loss would hurt, its replica in `region`."""
    s3 = account.clients("s3", account.home)
    found = []
    for bucket in s3.list_buckets()["Buckets"]:
        named = _NAME.fullmatch(bucket["Name"])
        if named and account.owns(bucket_tags(s3, bucket["Name"])):
            found.append(_replica(account, s3, Kept(named[1]), bucket, region, now))
    missing = {Kept.ASSETS, Kept.BACKUPS} - {point.kept for point in found}
    return found + [Point(kept, How.REPLICA, f"storage-{kept}-*", region,
                          faults=(f"the stack has no bucket storage-{kept}-*",)) for kept in sorted(missing)]


def _replica(account: Account, s3: Any, kept: Kept, bucket: dict[str, Any], region: str, now: datetime) -> Point:
    name = bucket["Name"]
    rule = _rule(s3, name)
    point = Point(kept, How.REPLICA, name, region, since=bucket.get("CreationDate"))
    if rule is None:
        return point.with_faults(f"its objects are not replicated to {region}")
    target = rule["Destination"]["Bucket"].rpartition(":")[2]
    there = account.clients("s3", region)
    behind = _behind(account.clients("cloudwatch", region), name, target, rule["ID"], now)
    key = _key(there, target)
    point = Point(
        kept, How.REPLICA, name, region, newest=None if behind is None else now - behind, encrypted=key is not None,
        restorable=_versioned(s3, name) and _versioned(there, target) and account.usable(key, region))
    if behind is None:
        return point.with_faults(f"nothing tells how far {target} is behind: no metric ReplicationLatency in "
                                 f"{region} within {_LOOK_BACK.seconds // 60} min")
    return point


def _rule(s3: Any, name: str) -> dict[str, Any] | None:
    try:
        rules = s3.get_bucket_replication(Bucket=name)["ReplicationConfiguration"]["Rules"]
    except ClientError as error:
        if code(error) == "ReplicationConfigurationNotFoundError":
            return None
        raise
    return next((rule for rule in rules if rule["Status"] == "Enabled"), None)


def _behind(cloudwatch: Any, source: str, target: str, rule: str, now: datetime) -> timedelta | None:
    """ReplicationLatency: "the maximum number of seconds by which the replication destination is behind the source",
    in the destination's region, also while nothing is replicated (S3 user guide, "Using S3 Replication metrics")."""
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/S3", MetricName="ReplicationLatency", StartTime=now - _LOOK_BACK, EndTime=now,
        Period=_PERIOD_SECONDS, Statistics=["Maximum"], Dimensions=[
            {"Name": "SourceBucket", "Value": source}, {"Name": "DestinationBucket", "Value": target},
            {"Name": "RuleId", "Value": rule}])["Datapoints"]
    if not found:
        return None
    return timedelta(seconds=max(found, key=lambda point: point["Timestamp"])["Maximum"])


def _versioned(s3: Any, name: str) -> bool:
    return bool(s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled")


def _key(s3: Any, name: str) -> str | None:
    """The bucket's key; "" for S3's own; None where nothing is encrypted."""
    try:
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        if code(error) == "ServerSideEncryptionConfigurationNotFoundError":
            return None
        raise
    return str(rules[0]["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID", ""))
