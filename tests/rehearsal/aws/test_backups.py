"""Recovery points as the rehearsal has them: `candlefish recovery points` asks for them as it asks AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.plans.recovery import How, Kept
from infra.settings.load import load_file
from operations.recovery.account import Account
from operations.recovery.model import State
from operations.recovery.points import look
from tests.eventually import eventually

pytestmark = pytest.mark.rehearsal

HOME, AWAY, OURS = "us-east-1", "us-west-2", {"Project": "candlefish", "Stack": "production"}
NAME, TABLE = "production-candlefish-db", "production-candlefish-experiments"
ROLE = "arn:aws:iam::000000000000:role/backup"


def database(aws: Any) -> str:
    made = aws.client("rds").create_db_instance(
        DBInstanceIdentifier=NAME, DBInstanceClass="db.r7g.large", Engine="postgres", AllocatedStorage=20,
        MasterUsername="candlefish", MasterUserPassword="not-a-real-one", BackupRetentionPeriod=35,
        StorageEncrypted=True, KmsKeyId=key(aws, HOME))
    return str(made["DBInstance"]["DBInstanceArn"])


def key(aws: Any, region: str) -> str:
    return str(aws.client("kms", region).create_key()["KeyMetadata"]["Arn"])


def table(aws: Any) -> str:
    dynamodb = aws.client("dynamodb")
    made = dynamodb.create_table(
        TableName=TABLE, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key(aws, HOME)})
    dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    return str(made["TableDescription"]["TableArn"])


def vault(aws: Any, region: str, name: str) -> str:
    made = aws.client("backup", region).create_backup_vault(
        BackupVaultName=name, EncryptionKeyArn=key(aws, region), BackupVaultTags=OURS)
    return str(made["BackupVaultArn"])


def buckets(aws: Any) -> None:
    """Assets and backups with their replicas, and what CloudWatch would say of them."""
    here, there = aws.client("s3"), aws.client("s3", AWAY)
    for purpose in ("assets", "backups"):
        source, target = f"storage-{purpose}-{aws.account[-7:]}", f"recovery-region-{purpose}-{aws.account[-7:]}"
        here.create_bucket(Bucket=source)
        there.create_bucket(Bucket=target, CreateBucketConfiguration={"LocationConstraint": AWAY})
        for s3, name in ((here, source), (there, target)):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        there.put_bucket_encryption(Bucket=target, ServerSideEncryptionConfiguration={"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key(aws, AWAY)}}]})
        here.put_bucket_tagging(Bucket=source, Tagging={
            "TagSet": [{"Key": name, "Value": value} for name, value in OURS.items()]})
        here.put_bucket_replication(Bucket=source, ReplicationConfiguration={"Role": ROLE, "Rules": [
            {"ID": "recovery", "Status": "Enabled", "Priority": 0, "Filter": {"Prefix": ""},
             "DeleteMarkerReplication": {"Status": "Enabled"}, "Destination": {"Bucket": f"arn:aws:s3:::{target}"}}]})
        aws.client("cloudwatch", AWAY).put_metric_data(Namespace="AWS/S3", MetricData=[{
            "MetricName": "ReplicationLatency", "Value": 12.0, "Dimensions": [
                {"Name": "SourceBucket", "Value": source}, {"Name": "DestinationBucket", "Value": target},
                {"Name": "RuleId", "Value": "recovery"}]}])


def look_at(aws: Any, after: timedelta = timedelta(minutes=1)) -> dict[tuple[Kept, How], tuple[State, tuple[str, ...]]]:
    settings = load_file(Path(__file__).parents[3] / "Pulumi.production.yaml")
    account = Account("production", settings, lambda service, region: aws.client(service, region))
    return {(each.point.kept, each.point.how): (each.state, each.faults)
            for each in look(account, datetime.now(UTC) + after)}


def test_every_kind_of_recovery_point_is_there_and_good(aws: Any) -> None:
    instance, items, copies = database(aws), table(aws), vault(aws, AWAY, "copies")
    vault(aws, HOME, "daily")
    buckets(aws)
    aws.client("rds", AWAY).start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=instance, KmsKeyId=key(aws, AWAY), BackupRetentionPeriod=35)
    backup = aws.client("backup")
    for arn in (instance, items):
        point = backup.start_backup_job(BackupVaultName="daily", ResourceArn=arn, IamRoleArn=ROLE)["RecoveryPointArn"]
        backup.start_copy_job(RecoveryPointArn=point, SourceBackupVaultName="daily", DestinationBackupVaultArn=copies,
                              IamRoleArn=ROLE)
    found = look_at(aws)
    assert {key: told for key, (state, told) in found.items() if state is not State.GOOD} == {}
    assert found.keys() >= {
        (Kept.DATABASE, How.POINT_IN_TIME), (Kept.DATABASE, How.SNAPSHOT), (Kept.DATABASE, How.VAULT),
        (Kept.DATABASE, How.COPY), (Kept.DATABASE, How.REPLICATED), (Kept.TABLE, How.POINT_IN_TIME),
        (Kept.TABLE, How.VAULT), (Kept.TABLE, How.COPY), (Kept.ASSETS, How.REPLICA), (Kept.BACKUPS, How.REPLICA)}
    late = look_at(aws, timedelta(days=2))
    assert late[Kept.TABLE, How.COPY][0] is late[Kept.DATABASE, How.REPLICATED][0] is State.BAD


def test_replicated_backups_outlive_their_instance_and_grow_older(aws: Any) -> None:
    instance, there = database(aws), aws.client("rds", AWAY)
    there.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=instance, KmsKeyId=key(aws, AWAY), BackupRetentionPeriod=35)
    assert look_at(aws)[Kept.DATABASE, How.REPLICATED][0] is State.GOOD
    aws.client("rds").delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)
    found = look_at(aws)
    assert found[Kept.DATABASE, How.POINT_IN_TIME][0] is State.BAD
    assert found[Kept.DATABASE, How.REPLICATED][0] is State.GOOD
    assert look_at(aws, timedelta(minutes=20))[Kept.DATABASE, How.REPLICATED][0] is State.BAD
    there.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=instance)
    assert "not replicated" in look_at(aws)[Kept.DATABASE, How.REPLICATED][1][0]


def test_a_copy_needs_a_recovery_point_and_a_vault(aws: Any) -> None:
    instance, copies = database(aws), vault(aws, AWAY, "copies")
    home = vault(aws, HOME, "daily")
    backup = aws.client("backup")
    asked = {"SourceBackupVaultName": "daily", "IamRoleArn": ROLE}
    with pytest.raises(backup.exceptions.ResourceNotFoundException, match="Recovery point"):
        backup.start_copy_job(RecoveryPointArn=f"{home}-nothing", DestinationBackupVaultArn=copies, **asked)
    point = backup.start_backup_job(BackupVaultName="daily", ResourceArn=instance, IamRoleArn=ROLE)["RecoveryPointArn"]
    with pytest.raises(backup.exceptions.ResourceNotFoundException, match="Vault"):
        backup.start_copy_job(RecoveryPointArn=point, DestinationBackupVaultArn=f"{copies}-nowhere", **asked)
    backup.start_backup_job(BackupVaultName="daily", ResourceArn=table(aws), IamRoleArn=ROLE)
    listed = backup.list_recovery_points_by_backup_vault(BackupVaultName="daily", ByResourceArn=instance)
    assert [found["ResourceType"] for found in listed["RecoveryPoints"]] == ["RDS"]


def test_a_table_is_restored_as_it_was_at_the_moment(aws: Any) -> None:
    table(aws)
    dynamodb = aws.client("dynamodb")
    for number in range(3):
        dynamodb.put_item(TableName=TABLE, Item={"id": {"S": f"{number}"}, "of": {"S": "before"}})
    moment = _next_second()
    dynamodb.put_item(TableName=TABLE, Item={"id": {"S": "0"}, "of": {"S": "after"}})
    dynamodb.put_item(TableName=TABLE, Item={"id": {"S": "new"}})
    dynamodb.delete_item(TableName=TABLE, Key={"id": {"S": "1"}})
    dynamodb.restore_table_to_point_in_time(SourceTableName=TABLE, TargetTableName=f"{TABLE}-then",
                                            RestoreDateTime=moment)
    found = dynamodb.scan(TableName=f"{TABLE}-then")["Items"]
    assert sorted(item["id"]["S"] for item in found) == ["0", "1", "2"]
    assert {item["of"]["S"] for item in found} == {"before"}
    with pytest.raises(dynamodb.exceptions.InvalidRestoreTimeException):
        dynamodb.restore_table_to_point_in_time(SourceTableName=TABLE, TargetTableName=f"{TABLE}-never",
                                                RestoreDateTime=moment - timedelta(days=1))


def _next_second() -> datetime:
    """A whole second that is over: DynamoDB takes no part of one."""
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    eventually("the second is over", lambda: datetime.now(UTC) > moment)
    return moment
