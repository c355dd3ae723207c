"""The buckets: private, encrypted, versioned, logged, each with exactly one policy."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pulumi_aws as aws
import pytest

from infra.components.bucket import Bucket, BucketArgs
from infra.components.replication import Replica
from tests.unit.components.recording import DISTRIBUTION, REPLICA_KEY, Registrations, foundation, record

pytestmark = pytest.mark.unit

NAMES = {"storage-assets", "storage-backups", "storage-logs", "storage-site-blue", "storage-site-green"}


@pytest.fixture(scope="module")
def storage() -> Registrations:
    return foundation()


@pytest.mark.parametrize("kind", [
    "bucket:Bucket", "bucketVersioning:BucketVersioning", "bucketPublicAccessBlock:BucketPublicAccessBlock",
    "bucketOwnershipControls:BucketOwnershipControls", "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"])
def test_every_bucket_has_each_safety_setting(storage: Registrations, kind: str) -> None:
    assert {resource.name for resource in storage.of(f"aws:s3/{kind}")} == NAMES


def test_nothing_of_a_bucket_can_be_public(storage: Registrations) -> None:
    for block in storage.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"):
        flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        assert all(block.inputs[flag] is True for flag in flags)


def test_every_bucket_has_one_policy_that_refuses_plain_http(storage: Registrations) -> None:
    found = storage.of("aws:s3/bucketPolicy:BucketPolicy")
    assert len({policy.inputs["bucket"] for policy in found}) == len(found) == len(NAMES)
    for policy in found:
        first = json.loads(policy.inputs["policy"])["Statement"][0]
        assert first["Effect"] == "Deny"
        assert first["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_served_buckets_are_read_by_this_distribution_only(storage: Registrations) -> None:
    for key in ("assets", "site-blue", "site-green"):
        policy = json.loads(storage.one("aws:s3/bucketPolicy:BucketPolicy", f"served-{key}").inputs["policy"])
        allowed = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
        assert [statement["Condition"] for statement in allowed] == [
            {"StringEquals": {"aws:SourceArn": [DISTRIBUTION]}}]


def test_data_is_under_our_key_and_logs_under_the_service_key_that_log_delivery_requires(
        storage: Registrations) -> None:
    for encryption in storage.of(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"):
        default = encryption.inputs["rules"][0]["applyServerSideEncryptionByDefault"]
        if encryption.name == "storage-logs":
            assert default == {"sseAlgorithm": "AES256"}
        else:
            assert default == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:kms:::keys-data"}


def test_logs_wait_until_their_bucket_lets_them_in(storage: Registrations) -> None:
    """S3 and CloudFront try the target when logging is turned on: a fresh bucket has no policy and takes no ACL."""
    (policy,) = [each for each in storage.of("aws:s3/bucketPolicy:BucketPolicy") if each.name == "storage-logs"]
    assert all(policy.urn in each.dependencies for each in storage.of("aws:s3/bucketLogging:BucketLogging"))


def test_every_bucket_but_the_log_bucket_logs_its_accesses_there(storage: Registrations) -> None:
    logging = storage.of("aws:s3/bucketLogging:BucketLogging")
    assert {resource.name for resource in logging} == NAMES - {"storage-logs"}
    assert {resource.inputs["targetBucket"] for resource in logging} == {"storage-logs-1a2b3c4"}


def test_backups_cannot_be_deleted_for_a_while_and_then_move_to_glacier(storage: Registrations) -> None:
    assert storage.one("aws:s3/bucket:Bucket", "storage-backups").inputs["objectLockEnabled"] is True
    lock = storage.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "storage-backups")
    assert lock.inputs["rule"] == {"defaultRetention": {"mode": "GOVERNANCE", "days": 30}}
    lifecycle = storage.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "storage-backups")
    assert lifecycle.inputs["rules"][0]["transitions"] == [{"storageClass": "GLACIER", "days": 90}]


def test_assets_are_replicated_with_their_deletions_under_the_key_of_the_other_region(storage: Registrations) -> None:
    rule = storage.one("aws:s3/bucketReplicationConfig:BucketReplicationConfig", "storage-assets").inputs["rules"][0]
    assert rule["destination"]["encryptionConfiguration"] == {"replicaKmsKeyId": REPLICA_KEY}
    assert rule["deleteMarkerReplication"] == {"status": "Enabled"}
    assert rule["sourceSelectionCriteria"] == {"sseKmsEncryptedObjects": {"status": "Enabled"}}


def test_buckets_that_keep_data_are_protected_and_not_emptied_on_destroy(storage: Registrations) -> None:
    for bucket in storage.of("aws:s3/bucket:Bucket"):
        assert bucket.protect
        assert bucket.inputs["forceDestroy"] is False
        assert "bucket" not in bucket.inputs, "bucket names are global: Pulumi's"


def test_a_replicated_bucket_without_a_key_is_refused() -> None:
    args = BucketArgs(key_arn=None, log_bucket=None, noncurrent_days=30, force_destroy=False, protect=False,
                      replica=Replica("arn:aws:s3:::replica", REPLICA_KEY, "us-west-2", "us-east-1"))
    with pytest.raises(ValueError, match="needs key_arn"):
        record(lambda: SimpleNamespace(bucket=Bucket("plain", args)))


def test_cloudfronts_logs_wait_until_their_bucket_takes_acls() -> None:
    def build() -> SimpleNamespace:
        bucket = Bucket("logs", BucketArgs(key_arn=None, log_bucket=None, noncurrent_days=30, force_destroy=False,
                                           protect=False, accepts_acls=True))
        return SimpleNamespace(reader=aws.s3.BucketObjectv2("reader", bucket="b", content=bucket.domain_name))
    made = record(build)
    ownership = made.one("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "logs")
    assert ownership.urn in made.one("aws:s3/bucketObjectv2:BucketObjectv2", "reader").dependencies
