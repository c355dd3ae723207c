"""Backups: what is in the plan, where it is copied, how long it can't be deleted, and who hears of a failure."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.backup import Backup, BackupArgs
from infra.components.database_safeguards import BackupReplica, DatabaseSafeguards, DatabaseSafeguardsArgs
from infra.components.recovery_region import RecoveryRegion, RecoveryRegionArgs
from infra.components.storage import Storage, StorageArgs
from infra.settings import model
from infra.settings.backup import Backup as Settings
from tests.unit.components.recording import ACCOUNT, DISPOSABLE, KEPT, Registrations, record

pytestmark = pytest.mark.unit

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
COPIES = f"arn:aws:backup:us-west-2:{ACCOUNT}:backup-vault:copies"
ARGS = BackupArgs(
    environment="production", project="candlefish", stack="production", settings=Settings(), lifecycle=KEPT,
    data_key_arn="data-key", database_subnet_group="data-subnets", copy_vault_arn=COPIES, alerts_topic_arn=TOPIC)


def built(**changes: Any) -> Registrations:
    return record(lambda: SimpleNamespace(backup=Backup("backup", replace(ARGS, **changes))))


@pytest.fixture(scope="module")
def backup() -> Registrations:
    return built()


@pytest.fixture(scope="module")
def recovery() -> Registrations:
    def program() -> SimpleNamespace:
        west = aws.Provider("west", region="us-west-2")
        kept = RecoveryRegion("recovery-region", RecoveryRegionArgs(
            region="us-west-2", source_region="us-east-1", storage=model.Storage(), backup=Settings(), lifecycle=KEPT,
            account_id=ACCOUNT, alerts_topic_arn=TOPIC), pulumi.ResourceOptions(providers=[west]))
        Storage("storage", StorageArgs(model.Storage(), KEPT, ACCOUNT, "data-key", kept.replicas))
        DatabaseSafeguards("safeguards", DatabaseSafeguardsArgs(
            instance_id="db", instance_arn=f"arn:aws:rds:us-east-1:{ACCOUNT}:db:db", secret_arn="secret",
            rotation_days=30, alerts_topic_arn=TOPIC, replica=BackupReplica(west, kept.key_arn, 35)))
        return SimpleNamespace(kept=kept)

    return record(program)


def test_recovery_points_are_made_daily_copied_to_the_other_region_and_kept(backup: Registrations) -> None:
    rule = backup.one("aws:backup/plan:Plan", "backup").inputs["rules"][0]
    assert rule["schedule"] == "cron(0 9 * * ? *)"
    assert rule["lifecycle"] == {"deleteAfter": 35}
    assert rule["copyActions"] == [{"destinationVaultArn": COPIES, "lifecycle": {"deleteAfter": 35}}]
    assert "enableContinuousBackup" not in rule  # it would take RDS's own retention and window over


def test_every_database_and_table_of_the_stack_and_no_other_is_selected(backup: Registrations) -> None:
    chosen = backup.one("aws:backup/selection:Selection", "backup").inputs
    assert chosen["resources"] == ["arn:aws:rds:*:*:db:*", "arn:aws:dynamodb:*:*:table/*"]
    assert chosen["conditions"] == [{"stringEquals": [
        {"key": "aws:ResourceTag/Project", "value": "candlefish"},
        {"key": "aws:ResourceTag/Stack", "value": "production"}]}]


def test_a_vault_is_encrypted_and_locked_before_anything_is_put_into_it(backup: Registrations) -> None:
    vault = backup.one("aws:backup/vault:Vault", "backup")
    lock = backup.one("aws:backup/vaultLockConfiguration:VaultLockConfiguration", "backup")
    assert (vault.inputs["kmsKeyArn"], vault.inputs["forceDestroy"], vault.protect) == ("data-key", False, True)
    assert lock.inputs["minRetentionDays"] == 7
    assert "changeableForDays" not in lock.inputs  # governance: who may, can take it away for a teardown
    assert lock.urn in backup.one("aws:backup/plan:Plan", "backup").dependencies


def test_compliance_is_chosen_in_so_many_words_and_a_disposable_vault_has_no_lock() -> None:
    lock = built(settings=Settings(lock="compliance")).one(
        "aws:backup/vaultLockConfiguration:VaultLockConfiguration", "backup")
    assert lock.inputs["changeableForDays"] == 14
    gone = built(settings=Settings(lock="none", restore_test=False), lifecycle=DISPOSABLE, copy_vault_arn=None)
    assert not gone.of("aws:backup/vaultLockConfiguration:VaultLockConfiguration")
    assert not gone.of("aws:backup/restoreTestingPlan:RestoreTestingPlan")
    assert gone.one("aws:backup/vault:Vault", "backup").inputs["forceDestroy"] is True
    assert not gone.one("aws:backup/plan:Plan", "backup").inputs["rules"][0].get("copyActions")


def test_a_restore_is_tested_monthly_where_nobody_reaches_the_copy(backup: Registrations) -> None:
    testing = backup.one("aws:backup/restoreTestingPlan:RestoreTestingPlan", "backup").inputs
    assert (testing["name"], testing["scheduleExpression"]) == ("production_candlefish_restore", "cron(0 13 1 * ? *)")
    found = {each.inputs["protectedResourceType"]: each.inputs["restoreMetadataOverrides"]
             for each in backup.of("aws:backup/restoreTestingSelection:RestoreTestingSelection")}
    assert found == {"RDS": {"dbSubnetGroupName": "data-subnets"},
                     "DynamoDB": {"encryptionType": "KMS", "kmsMasterKeyArn": "data-key"}}


def test_a_role_has_the_service_policy_of_its_purpose_and_no_other(backup: Registrations) -> None:
    prefix = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor"
    assert {each.name: each.inputs["policyArn"] for each in backup.of(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment")} == {
            "backup-backup": f"{prefix}Backup", "backup-restores": f"{prefix}Restores"}


def test_failed_jobs_of_this_vault_are_told_to_the_alerts(backup: Registrations) -> None:
    pattern = json.loads(backup.one("aws:cloudwatch/eventRule:EventRule", "backup-failures").inputs["eventPattern"])
    assert pattern["source"] == ["aws.backup"]
    assert pattern["detail"]["$or"][0] == {
        "state": ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"], "backupVaultName": ["backup"]}
    assert backup.one("aws:cloudwatch/eventTarget:EventTarget", "backup-failures").inputs["arn"] == TOPIC


def test_replicas_are_encrypted_by_a_key_of_their_region_and_replicated_to_once_they_keep_versions(
        recovery: Registrations) -> None:
    for purpose, timed in (("assets", True), ("backups", False)):
        config = recovery.one("aws:s3/bucketReplicationConfig:BucketReplicationConfig", f"storage-{purpose}")
        destination = config.inputs["rules"][0]["destination"]
        assert destination["encryptionConfiguration"] == {"replicaKmsKeyId": "arn:aws:kms:::recovery-region-data"}
        assert ("replicationTime" in destination) is timed
        assert destination["metrics"]["status"] == "Enabled"
        versioned = recovery.one("aws:s3/bucketVersioning:BucketVersioning", f"recovery-region-{purpose}")
        assert versioned.urn in config.dependencies
        told = recovery.one("aws:s3/bucketNotification:BucketNotification", f"storage-{purpose}").inputs["topics"]
        assert [each["topicArn"] for each in told] == [TOPIC]
        assert ("s3:Replication:OperationMissedThreshold" in told[0]["events"]) is timed


def test_locked_objects_go_to_a_bucket_with_object_lock(recovery: Registrations) -> None:
    locked = {bucket.name for bucket in recovery.of("aws:s3/bucket:Bucket") if bucket.inputs.get("objectLockEnabled")}
    assert locked == {"storage-backups", "recovery-region-backups"}


def test_the_database_is_watched_rotated_and_backed_up_in_the_other_region(recovery: Registrations) -> None:
    rotation = recovery.one("aws:secretsmanager/secretRotation:SecretRotation", "safeguards").inputs
    assert rotation["rotationRules"] == {"automaticallyAfterDays": 30}
    assert (rotation["rotateImmediately"], "rotationLambdaArn" in rotation) == (False, False)
    events = recovery.one("aws:rds/eventSubscription:EventSubscription", "safeguards").inputs
    assert (events["sourceType"], events["sourceIds"], events["snsTopic"]) == ("db-instance", ["db"], TOPIC)
    assert {"failure", "failover", "low storage", "maintenance", "backup"} <= set(events["eventCategories"])
    copy = recovery.one(
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", "safeguards").inputs
    assert (copy["kmsKeyId"], copy["retentionPeriod"]) == ("arn:aws:kms:::recovery-region-data", 35)
