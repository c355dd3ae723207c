"""S3 buckets with all their settings, and an image repository."""

import pulumi

from tests.faults.programs.raw import ACCOUNT, aws, kept, step, tags


def bucket(name: str, **more: object) -> tuple[object, object]:
    made = aws("s3/bucket:Bucket", name, {"forceDestroy": True, "tags": tags(), **more}, "bucket", "arn")
    return made.bucket, made


key = aws("kms/key:Key", "storage", {"description": "storage", "tags": tags(Name="storage")}, "arn")
logs, logs_bucket = bucket("logs")
data, data_bucket = bucket("data", objectLockEnabled=True)
aws("s3/bucketOwnershipControls:BucketOwnershipControls", "data", {
    "bucket": data, "rule": {"objectOwnership": step("BucketOwnerPreferred", "BucketOwnerEnforced")}})
public = aws("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "data", {
    "bucket": data, "blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True,
    "restrictPublicBuckets": step(False, True)})
aws("s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "data", {
    "bucket": data, "rules": [{"bucketKeyEnabled": step(False, True), "applyServerSideEncryptionByDefault": {
        "sseAlgorithm": "aws:kms", "kmsMasterKeyId": key.arn}}]})
versioning = aws("s3/bucketVersioning:BucketVersioning", "data", {
    "bucket": data, "versioningConfiguration": {"status": "Enabled"}})
after = pulumi.ResourceOptions(depends_on=[versioning])
aws("s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "data", {
    "bucket": data, "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": step(7, 14)}}}, opts=after)
aws("s3/bucketPolicy:BucketPolicy", "data", {"bucket": data, "policy": pulumi.Output.json_dumps({
    "Version": "2012-10-17", "Statement": [{
        "Sid": step("First", "Second"), "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": data_bucket.arn, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]})},
    opts=pulumi.ResourceOptions(depends_on=[public]))
if kept():
    aws("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "data", {
        "bucket": data, "rules": [{"id": "old", "status": "Enabled", "filter": {"prefix": ""},
                                   "noncurrentVersionExpiration": {"noncurrentDays": step(30, 60)}}]}, opts=after)
    aws("s3/bucketLogging:BucketLogging", "data", {
        "bucket": data, "targetBucket": logs, "targetPrefix": step("first/", "second/")})
repository = aws("ecr/repository:Repository", "images", {
    "imageTagMutability": step("MUTABLE", "IMMUTABLE"), "forceDelete": True,
    "imageScanningConfiguration": {"scanOnPush": step(False, True)},
    "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": key.arn}], "tags": tags()}, "name")
aws("ecr/repositoryCreationTemplate:RepositoryCreationTemplate", "replicas", {
    "prefix": "ROOT", "appliedFors": ["REPLICATION"], "imageTagMutability": step("MUTABLE", "IMMUTABLE")})
aws("ecr/registryScanningConfiguration:RegistryScanningConfiguration", "scans", {
    "scanType": "BASIC", "rules": [{"scanFrequency": step("MANUAL", "SCAN_ON_PUSH"), "repositoryFilters": [
        {"filter": "*", "filterType": "WILDCARD"}]}]})
aws("ecr/replicationConfiguration:ReplicationConfiguration", "replicas", {"replicationConfiguration": {"rules": [{
    "destinations": [{"region": step("us-west-2", "eu-west-1"), "registryId": ACCOUNT}],
    "repositoryFilters": [{"filter": "images", "filterType": "PREFIX_MATCH"}]}]}})
if kept():
    aws("ecr/repositoryPolicy:RepositoryPolicy", "images", {
        "repository": repository.name, "policy": pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [{
            "Sid": step("First", "Second"), "Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}]})})
    aws("ecr/lifecyclePolicy:LifecyclePolicy", "images", {
        "repository": repository.name, "policy": pulumi.Output.json_dumps({"rules": [{
            "rulePriority": 1, "description": "old ones go", "action": {"type": "expire"}, "selection": {
                "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days",
                "countNumber": step(7, 14)}}]})})
