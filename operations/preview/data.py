"""What is lost when a resource goes: the types that hold something that `up` can't make again."""

from __future__ import annotations

from collections.abc import Mapping

from operations.preview.model import Change

HELD: Mapping[str, str] = {
    "aws:rds/instance:Instance": "the database: all rows since the last final snapshot",
    "aws:rds/cluster:Cluster": "the database: all rows since the last final snapshot",
    "aws:elasticache/replicationGroup:ReplicationGroup": "cache and sessions; users sign in again",
    "aws:dynamodb/table:Table": "all items of the table, and its point-in-time recovery",
    "aws:s3/bucket:Bucket": "all objects of the bucket, with their versions",
    "aws:s3/bucketObjectv2:BucketObjectv2": "the object, unless the bucket keeps versions",
    "aws:efs/fileSystem:FileSystem": "all files",
    "aws:ebs/volume:Volume": "all blocks of the volume",
    "aws:kms/key:Key": "everything that is encrypted with the key, once its waiting period is over",
    "aws:secretsmanager/secret:Secret": "the secret's versions, once its recovery window is over",
    "aws:secretsmanager/secretVersion:SecretVersion": "the secret's present value",
    "random:index/randomPassword:RandomPassword": "the password in use: another one is drawn",
    "random:index/randomId:RandomId": "the value in use: another one is drawn",
    "aws:cognito/userPool:UserPool": "all users with their passwords and second factors",
    "aws:ecr/repository:Repository": "all images, those that run included",
    "aws:cloudwatch/logGroup:LogGroup": "the logs so far",
    "aws:backup/vault:Vault": "all recovery points",
    "aws:sqs/queue:Queue": "messages that wait",
    "aws:route53/zone:Zone": "the domain's names; the new zone has other name servers",
    "aws:cloudtrail/trail:Trail": "the record of calls, for as long as there is no trail",
    "aws:eks/cluster:Cluster": "everything in the cluster, its volumes and rollout journals included",
    "kubernetes:core/v1:Namespace": "everything in the namespace",
    "kubernetes:core/v1:PersistentVolumeClaim": "the volume's files",
    "kubernetes:core/v1:ConfigMap": "what was written to it since, such as a rollout's journal",
}

# Of these a rebuild never deletes one, nor makes one anew: what they hold is in no other resource.
PROTECTED = frozenset({
    "aws:rds/instance:Instance", "aws:rds/cluster:Cluster", "aws:dynamodb/table:Table", "aws:s3/bucket:Bucket",
    "aws:efs/fileSystem:FileSystem", "aws:ebs/volume:Volume", "aws:kms/key:Key", "aws:secretsmanager/secret:Secret",
    "aws:cognito/userPool:UserPool", "aws:backup/vault:Vault"})


def at_risk(change: Change) -> str:
    """In a reader's words; empty for what can be made again."""
    lost = HELD.get(change.type, "")
    if lost and change.retained:
        return f"nothing at once: it stays in the account, without the stack ({lost})"
    return lost
