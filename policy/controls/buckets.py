"""S3."""

from __future__ import annotations

import re
from typing import Any

from policy.model import Holds, Resource, World, control, every, has, listed

BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
REPLICATED = re.compile(r"assets|backups")  # the kinds of buckets that hold what can't be made again
REPLICA = re.compile(r"replica|recovery-region")
BLOCKS = {"CKV_AWS_53": "blockPublicAcls", "CKV_AWS_54": "blockPublicPolicy", "CKV_AWS_55": "ignorePublicAcls",
          "CKV_AWS_56": "restrictPublicBuckets"}


def _blocks(key: str) -> Holds:
    return lambda bucket, world: any(block.at(key) for block in world.users(bucket, BLOCK, "bucket"))


def _denies_plain_http(bucket: Resource, world: World) -> object:
    return any(_refuses_plain_http(statement)
               for policy in world.users(bucket, "aws:s3/bucketPolicy:BucketPolicy", "bucket")
               for statement in policy.statements())


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {})
    return statement["Effect"] == "Deny" and statement.get("Principal") in ("*", {"AWS": "*"}) \
        and listed(statement["Action"]) == ["s3:*"] and str(condition.get("aws:SecureTransport")).lower() == "false"


def is_log_target(bucket: Resource, world: World) -> bool:
    """S3, load balancers and CloudFront deliver their logs to buckets with S3's own key only."""
    return bool(world.users(bucket, LOGGING, "targetBucket"))


def _under_a_key(bucket: Resource, world: World) -> object:
    allowed = {"aws:kms", "AES256"} if is_log_target(bucket, world) else {"aws:kms"}
    return any(every(listed(found.at("rules")),
                     lambda rule: rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] in allowed)
               for found in world.users(bucket, ENCRYPTION, "bucket"))


def _versioned(bucket: Resource, world: World) -> object:
    return any(found.at("versioningConfiguration.status") == "Enabled"
               for found in world.users(bucket, "aws:s3/bucketVersioning:BucketVersioning", "bucket"))


def _logged(bucket: Resource, world: World) -> object:
    """A target of logs can't log to itself without end."""
    return is_log_target(bucket, world) or world.users(bucket, LOGGING, "bucket")


def _replicated(bucket: Resource, world: World) -> object:
    if not REPLICATED.search(bucket.name) or REPLICA.search(bucket.name):
        return True
    return world.users(bucket, "aws:s3/bucketReplicationConfig:BucketReplicationConfig", "bucket")


CONTROLS = (
    *(control(f"{id} S3.8" if id == "CKV_AWS_53" else id, f"public access: {key}", BUCKET, _blocks(key),
              "set it in an aws.s3.BucketPublicAccessBlock for the bucket", frozenset())
      for id, key in BLOCKS.items()),
    control("CKV2_AWS_6", "public access block", BUCKET, has(BLOCK, "bucket"),
            "add an aws.s3.BucketPublicAccessBlock", frozenset()),
    control("S3.5", "TLS only", BUCKET, _denies_plain_http,
            "deny s3:* where aws:SecureTransport is false, in its policy", frozenset()),
    control("CKV_AWS_145 S3.17", "encrypted with KMS", BUCKET, _under_a_key,
            "set sse_algorithm='aws:kms'; a target of access logs uses AES256"),
    control("CKV_AWS_21 S3.14", "versioned", BUCKET, _versioned, "add an aws.s3.BucketVersioning that is enabled"),
    control("CKV2_AWS_61 S3.13", "lifecycle", BUCKET,
            has("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "bucket"),
            "add an aws.s3.BucketLifecycleConfiguration"),
    control("CKV_AWS_18 S3.9", "access logs", BUCKET, _logged, "add an aws.s3.BucketLogging"),
    control("CKV_AWS_144 S3.7", "assets and backups replicated to another region", BUCKET, _replicated,
            "add an aws.s3.BucketReplicationConfig"),
    control("CKV2_AWS_62", "notifications", BUCKET, has("aws:s3/bucketNotification:BucketNotification", "bucket"),
            "add an aws.s3.BucketNotification"),
)
