"""What outlives the data: vaults, plans and restore tests, replicas and backups in another region, and who is told."""

import json

import pulumi

from tests.faults.programs.raw import REGION, aws, kept, role, step, tags

west = pulumi.ResourceOptions(provider=pulumi.ProviderResource("aws", "west", {"region": "us-west-2"}))
key = aws("kms/key:Key", "here", {"description": "here", "tags": tags(Name="here")}, "arn")
there = aws("kms/key:Key", "there", {"description": "there", "tags": tags(Name="there")}, "arn", opts=west)
topic = aws("sns/topic:Topic", "alerts", {"tags": tags()}, "arn")
allowed = aws("sns/topicPolicy:TopicPolicy", "alerts", {"arn": topic.arn, "policy": pulumi.Output.json_dumps({
    "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish",
        "Resource": topic.arn}]})})
vault = aws("backup/vault:Vault", "here", {"kmsKeyArn": key.arn, "tags": tags()}, "arn", "name")
copies = aws("backup/vault:Vault", "there", {"kmsKeyArn": there.arn, "tags": tags()}, "arn", "name", opts=west)
aws("backup/vaultLockConfiguration:VaultLockConfiguration", "here", {
    "backupVaultName": vault.name, "minRetentionDays": step(7, 14)})
plan = aws("backup/plan:Plan", "daily", {"tags": tags(), "rules": [{
    "ruleName": "daily", "targetVaultName": vault.name, "schedule": "cron(0 9 * * ? *)",
    "lifecycle": {"deleteAfter": step(35, 30)},
    "copyActions": [{"destinationVaultArn": copies.arn, "lifecycle": {"deleteAfter": 35}}]}]})
worker = role("backup", "backup.amazonaws.com")
aws("backup/selection:Selection", "daily", {
    "planId": plan.id, "iamRoleArn": worker.arn, "resources": ["arn:aws:rds:*:*:db:*"],
    "conditions": [{"stringEquals": [{"key": "aws:ResourceTag/Stack", "value": step("first", "second")}]}]})
testing = aws("backup/restoreTestingPlan:RestoreTestingPlan", "monthly", {
    "name": "monthly", "scheduleExpression": "cron(0 13 1 * ? *)", "startWindowHours": step(4, 8), "tags": tags(),
    "recoveryPointSelection": {"algorithm": "LATEST_WITHIN_WINDOW", "includeVaults": [vault.arn],
                               "recoveryPointTypes": ["SNAPSHOT"]}}, "name")
rule = aws("cloudwatch/eventRule:EventRule", "failures", {
    "description": step("first", "second"), "tags": tags(), "eventPattern": json.dumps({"source": ["aws.backup"]})},
    "name")
aws("cloudwatch/eventTarget:EventTarget", "failures", {"rule": rule.name, "arn": topic.arn, "targetId": "alerts"})
database = aws("rds/instance:Instance", "database", {
    "engine": "postgres", "engineVersion": "16", "instanceClass": "db.t4g.small", "allocatedStorage": 30,
    "storageEncrypted": True, "kmsKeyId": key.arn, "dbName": "candlefish", "username": "admin_",
    "manageMasterUserPassword": True, "backupRetentionPeriod": 7, "skipFinalSnapshot": True, "tags": tags()},
    "arn", "identifier", "masterUserSecrets")
aws("secretsmanager/secretRotation:SecretRotation", "database", {
    "secretId": database.masterUserSecrets[0]["secretArn"], "rotateImmediately": False,
    "rotationRules": {"automaticallyAfterDays": step(30, 20)}})
aws("rds/eventSubscription:EventSubscription", "database", {
    "snsTopic": topic.arn, "sourceType": "db-instance", "sourceIds": [database.identifier],
    "eventCategories": step(["failure"], ["failover", "failure"]), "tags": tags()})
if kept():
    aws("backup/restoreTestingSelection:RestoreTestingSelection", "database", {
        "name": "database", "restoreTestingPlanName": testing.name, "protectedResourceType": "RDS",
        "protectedResourceArns": ["*"], "iamRoleArn": worker.arn, "validationWindowHours": step(4, 8)})
    aws("rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", "database", {
        "sourceDbInstanceArn": database.arn, "kmsKeyId": there.arn, "retentionPeriod": 7}, opts=west)
buckets = {}
for name, options in (("source", None), ("replica", west)):
    bucket = aws("s3/bucket:Bucket", name, {"forceDestroy": True, "tags": tags()}, "bucket", "arn", opts=options)
    versioning = aws("s3/bucketVersioning:BucketVersioning", name, {
        "bucket": bucket.bucket, "versioningConfiguration": {"status": "Enabled"}}, opts=options)
    buckets[name] = (bucket, versioning)
source, replica = buckets["source"][0], buckets["replica"][0]
if kept():
    aws("s3/bucketReplicationConfig:BucketReplicationConfig", "source", {
        "bucket": source.bucket, "role": worker.arn, "rules": [{
            "id": step("first", "second"), "status": "Enabled", "priority": 0, "filter": {"prefix": ""},
            "deleteMarkerReplication": {"status": "Enabled"}, "destination": {"bucket": replica.arn}}]},
        opts=pulumi.ResourceOptions(depends_on=[made for _, made in buckets.values()]))
    aws("s3/bucketNotification:BucketNotification", "source", {
        "bucket": source.bucket, "topics": [{
            "topicArn": topic.arn, "events": step(["s3:Replication:OperationFailedReplication"],
                                                  ["s3:Replication:*"])}]},
        opts=pulumi.ResourceOptions(depends_on=[allowed]))
pulumi.export("region", REGION)
