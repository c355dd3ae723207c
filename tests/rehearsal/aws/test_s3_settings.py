"""Settings of S3 buckets through the provider, on the embedded AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}'
LIFECYCLE: list[Inputs] = [
    {
        "id": "a",
        "status": "Enabled",
        "filter": {"prefix": "x/"},
        "expiration": {"days": 365},
        "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}, {"days": 90, "storageClass": "GLACIER"}],
        "noncurrentVersionExpiration": {"noncurrentDays": 30, "newerNoncurrentVersions": 3},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
    },
    {
        "id": "b",
        "status": "Enabled",
        "noncurrentVersionTransitions": [{"noncurrentDays": 30, "storageClass": "GLACIER"}],
    },
    {
        "id": "c",
        "status": "Disabled",
        "filter": {"and": {"prefix": "p", "tags": {"k": "v"}}},
        "expiration": {"expiredObjectDeleteMarker": True},
    },
    {"id": "d", "status": "Enabled", "filter": {}, "transitions": [{"days": 0, "storageClass": "INTELLIGENT_TIERING"}]},
]
CORS = {
    "id": "x",
    "allowedMethods": ["GET"],
    "allowedOrigins": ["https://a.b"],
    "allowedHeaders": ["*"],
    "exposeHeaders": ["etag"],
    "maxAgeSeconds": 300,
}
PARTITIONED = {"partitionedPrefix": {"partitionDateSource": "EventTime"}}
RETENTION = {"defaultRetention": {"days": 30, "mode": "GOVERNANCE"}}
SHUT = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
ARCHIVED = {"accessTier": "ARCHIVE_ACCESS", "days": 125}

# Setting → first, changes, a bad one, what its refusal says, whether a bucket has it even so after the deletion.
CASES: dict[str, tuple[Inputs, list[Inputs], Inputs, str, bool]] = {
    "Versioning": (
        {"versioningConfiguration": {"status": "Enabled"}},
        [{"versioningConfiguration": {"status": "Suspended"}}],
        {"versioningConfiguration": {"status": "Perhaps"}},
        "Perhaps",
        True,
    ),
    "PublicAccessBlock": (SHUT, [{"blockPublicAcls": False}], {"bucket": "no-such-bucket"}, "does not exist", False),
    "Policy": ({"policy": POLICY}, [{"policy": POLICY.replace("Deny", "Allow")}], {"policy": "{x"}, "not JSON", False),
    "OwnershipControls": (
        {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        [{"rule": {"objectOwnership": "BucketOwnerPreferred"}}],
        {"rule": {"objectOwnership": "Nobody"}},
        "Nobody",
        False,
    ),
    "ObjectLockConfiguration": (
        {"rule": RETENTION},
        [{"rule": {"defaultRetention": {"years": 1, "mode": "COMPLIANCE"}}}],
        {"rule": {"defaultRetention": {"days": 1, "mode": "NONE"}}},
        "NONE",
        False,
    ),
    "CorsConfiguration": (
        {"corsRules": [CORS]},
        [{"corsRules": [{**CORS, "allowedMethods": ["PUT", "GET"]}]}],
        {"bucket": "no-such-bucket"},
        "does not exist",
        False,
    ),
    "LifecycleConfiguration": (
        {"rules": LIFECYCLE},
        [{"rules": LIFECYCLE[:1]}],
        {"rules": [{"id": "a", "status": "Enabled"}]},
        "At least one action",
        False,
    ),
    "IntelligentTieringConfiguration": (
        {"name": "t", "tierings": [ARCHIVED], "filter": {"prefix": "a", "tags": {"x": "y"}}},
        [{"status": "Disabled"}, {"tierings": [{**ARCHIVED, "days": 200}]}],
        {"tierings": [{**ARCHIVED, "days": 5}]},
        "90 to 730",
        False,
    ),
}


def _bucket(aws: Any, word: str, region: str = "us-east-1") -> str:
    name = f"{word}-{aws.account}"
    made(aws, "aws:s3/bucket:Bucket", {"bucket": name, "objectLockEnabled": word == "lock"}, region)
    return name


@pytest.mark.parametrize("setting", CASES)
def test_a_setting_is_put_changed_and_taken_away(aws: Any, setting: str) -> None:
    first, changes, bad, message, stays = CASES[setting]
    type, bucket = f"aws:s3/bucket{setting}:Bucket{setting}", _bucket(aws, "lock" if "Lock" in setting else "b")
    lives(aws, type, {"bucket": bucket, **first}, *changes, stays=stays)
    refused(aws, type, {"bucket": bucket, **first, **bad}, message)


def test_encryption_uses_an_existing_key(aws: Any) -> None:
    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    bucket, place = _bucket(aws, "b"), world(aws)

    def rules(**more: Any) -> list[Inputs]:
        return [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", **more}, "bucketKeyEnabled": True}]

    lives(aws, type, {"bucket": bucket, "rules": rules(kmsMasterKeyId=place.key)}, {"rules": rules()}, stays=True)
    refused(aws, type, {"bucket": bucket, "rules": rules(kmsMasterKeyId=place.key[:-1])}, "kmsMasterKeyId.*not exist")


def test_logs_go_to_another_bucket(aws: Any) -> None:
    type, bucket = "aws:s3/bucketLogging:BucketLogging", _bucket(aws, "b")
    first = {
        "bucket": bucket,
        "targetBucket": _bucket(aws, "logs"),
        "targetPrefix": "a/",
        "targetObjectKeyFormat": PARTITIONED,
    }
    lives(aws, type, first, {"targetPrefix": "b/"})
    refused(aws, type, {**first, "targetBucket": f"no-{aws.account}"}, "`targetBucket`.*does not exist")


def test_replication_needs_versions_on_both_sides(aws: Any) -> None:
    type, place, far = "aws:s3/bucketReplicationConfig:BucketReplicationConfig", world(aws), world(aws, "us-west-2")
    here, there = _bucket(aws, "here"), _bucket(aws, "there", "us-west-2")
    rule = {
        "id": "r",
        "status": "Enabled",
        "priority": 1,
        "filter": {"prefix": ""},
        "deleteMarkerReplication": {"status": "Enabled"},
        "sourceSelectionCriteria": {"sseKmsEncryptedObjects": {"status": "Enabled"}},
        "destination": {
            "bucket": f"arn:aws:s3:::{there}",
            "storageClass": "STANDARD_IA",
            "encryptionConfiguration": {"replicaKmsKeyId": far.key},
            "metrics": {"status": "Enabled", "eventThreshold": {"minutes": 15}},
            "replicationTime": {"status": "Enabled", "time": {"minutes": 15}},
        },
    }
    first = {"bucket": here, "role": place.role, "rules": [rule]}
    refused(aws, type, first, "Versioning must be 'Enabled'")
    for name in (here, there):
        aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    lives(aws, type, first, {"rules": [{**rule, "status": "Disabled"}]})
    refused(aws, type, {**first, "role": place.role + "x"}, "`role`.*does not exist")
    bare = {**rule["destination"], "metrics": {"status": "Enabled"}}
    for change, why in (({"destination": bare}, "needs metrics with an event threshold"),
                        ({"deleteMarkerReplication": None}, "whether delete markers are replicated"),
                        ({"sourceSelectionCriteria": None}, "needs sourceSelectionCriteria")):
        refused(aws, type, {**first, "rules": [{**rule, **change}]}, why)
    _, locked = made(aws, "aws:s3/bucket:Bucket", {"bucket": "locked-source", "objectLockEnabled": True})
    refused(aws, type, {**first, "bucket": locked["bucket"]}, "has Object Lock")


def test_notifications_name_targets_that_exist(aws: Any) -> None:
    type, place, bucket = "aws:s3/bucketNotification:BucketNotification", world(aws), _bucket(aws, "b")
    queue = {"id": "a", "queueArn": place.queue, "events": ["s3:ObjectCreated:*"], "filterPrefix": "x"}
    topic = {"id": "t", "topicArn": place.topic, "events": ["s3:ObjectRemoved:*"]}
    refused(aws, type, {"bucket": bucket, "topics": [topic]}, "doesn't let s3.amazonaws.com publish")
    aws.client("sns").set_topic_attributes(
        TopicArn=place.topic, AttributeName="Policy", AttributeValue=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish",
                "Resource": place.topic}]}))
    lives(
        aws,
        type,
        {"bucket": bucket, "eventbridge": True},
        {"eventbridge": None, "queues": [queue], "topics": [topic]},
        {"topics": None},
    )
    refused(aws, type, {"bucket": bucket, "queues": [{**queue, "queueArn": place.queue + "x"}]}, "does not exist")
