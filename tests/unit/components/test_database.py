"""The database: private, encrypted, recoverable, and not replaced by where it came from."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from infra.components.database import Database, DatabaseArgs
from infra.settings import model
from tests.unit.components.recording import DISPOSABLE, Registered, Registrations, database_args, foundation, record

pytestmark = pytest.mark.unit

INSTANCE = "aws:rds/instance:Instance"


def built(args: DatabaseArgs) -> Registrations:
    return record(lambda: SimpleNamespace(database=Database("database", args)))


def restored(**origin: str) -> Registered:
    settings = model.Database(instance_class="db.t4g.medium", restore=model.RestorePoint(**origin))
    return built(database_args(settings=settings)).one(INSTANCE, "database")


@pytest.fixture(scope="module")
def instance() -> Registered:
    return foundation().one(INSTANCE, "database")


def test_the_database_is_private_encrypted_and_in_two_zones(instance: Registered) -> None:
    inputs = instance.inputs
    assert (inputs["publiclyAccessible"], inputs["storageEncrypted"], inputs["multiAz"]) == (False, True, True)
    assert inputs["kmsKeyId"] == inputs["performanceInsightsKmsKeyId"] == inputs["masterUserSecretKmsKeyId"]
    assert inputs["kmsKeyId"] == "arn:aws:kms:::keys-data"
    assert inputs["iamDatabaseAuthenticationEnabled"] is True
    assert inputs["caCertIdentifier"] == "rds-ca-rsa2048-g1"


def test_a_major_upgrade_is_allowed_only_where_it_is_asked_for(instance: Registered) -> None:
    settings = model.Database(instance_class="db.t4g.medium", engine_version="17", major_upgrade=True)
    found = built(database_args(settings=settings))
    assert "allowMajorVersionUpgrade" not in instance.inputs
    assert found.one(INSTANCE, "database").inputs["allowMajorVersionUpgrade"] is True
    assert found.one("aws:rds/parameterGroup:ParameterGroup", "database-postgres17").inputs["family"] == "postgres17"


def test_the_master_password_is_made_by_rds_and_never_passes_through_the_program(instance: Registered) -> None:
    assert instance.inputs["manageMasterUserPassword"] is True
    assert "password" not in instance.inputs


def test_only_the_named_security_groups_may_connect() -> None:
    rule = foundation().one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "database-cluster").inputs
    assert (rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) == ("sg-eks", 5432, 5432)
    assert "cidrIpv4" not in rule


def test_tls_is_forced_and_slow_queries_are_logged_to_groups_that_exist_before_the_database(
        instance: Registered) -> None:
    recorded = foundation()
    group = recorded.one("aws:rds/parameterGroup:ParameterGroup", "database-postgres16").inputs
    values = {parameter["name"]: parameter["value"] for parameter in group["parameters"]}
    assert group["family"] == "postgres16"
    assert values["rds.force_ssl"] == "1"
    assert values["log_min_duration_statement"] == "1000"
    for kind in ("postgresql", "upgrade"):
        logs = recorded.one("aws:cloudwatch/logGroup:LogGroup", f"database-{kind}")
        assert logs.inputs["name"] == f"/aws/rds/instance/test-candlefish-db/{kind}"
        assert logs.urn in instance.dependencies


def test_data_that_is_kept_is_protected_three_times_and_leaves_a_snapshot_of_a_new_name(instance: Registered) -> None:
    assert instance.protect
    assert instance.inputs["deletionProtection"] is True
    assert instance.inputs["skipFinalSnapshot"] is False
    assert instance.inputs["finalSnapshotIdentifier"] == "test-candlefish-db-final-deadbeef"
    assert instance.inputs["deleteAutomatedBackups"] is False


def test_a_database_for_a_teardown_leaves_nothing_behind() -> None:
    instance = built(database_args(lifecycle=DISPOSABLE)).one(INSTANCE, "database")
    assert not instance.protect
    assert instance.inputs["deletionProtection"] is False
    assert instance.inputs["skipFinalSnapshot"] is True
    assert instance.inputs["deleteAutomatedBackups"] is True
    assert "finalSnapshotIdentifier" not in instance.inputs


def test_a_restored_database_takes_user_name_and_key_from_its_origin() -> None:
    for instance in (restored(snapshot_id="rds:production-2026-11-20"), restored(source_instance_id="other")):
        assert not {"dbName", "username", "kmsKeyId"} & set(instance.inputs)


def test_a_restore_is_from_a_snapshot_an_instance_at_a_time_or_replicated_backups_of_another_region() -> None:
    assert restored(snapshot_id="snap").inputs["snapshotIdentifier"] == "snap"
    assert restored(source_instance_id="other", at="2026-11-20T03:00:00Z").inputs["restoreToPointInTime"] == {
        "sourceDbInstanceIdentifier": "other", "restoreTime": "2026-11-20T03:00:00Z"}
    backup = "arn:aws:rds:us-west-2:123456789012:auto-backup:ab-1"
    assert restored(source_instance_id=backup).inputs["restoreToPointInTime"] == {
        "sourceDbInstanceAutomatedBackupsArn": backup, "useLatestRestorableTime": True}


def test_a_changed_or_removed_origin_does_not_replace_the_database(instance: Registered) -> None:
    assert {"snapshotIdentifier", "restoreToPointInTime", "dbName", "username", "kmsKeyId"} <= set(instance.ignored)


def test_a_restore_without_an_origin_says_what_to_give() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        restored()


def test_without_enhanced_monitoring_there_is_no_role_for_it() -> None:
    settings = model.Database(instance_class="db.t4g.medium", monitoring_interval_seconds=0)
    recorded = built(database_args(settings=settings))
    assert recorded.one(INSTANCE, "database").inputs["monitoringInterval"] == 0
    assert not recorded.of("aws:iam/role:Role")


def test_changes_wait_for_the_maintenance_window_unless_the_settings_say_otherwise() -> None:
    waits = model.Database(instance_class="db.t4g.medium")
    at_once = model.Database(instance_class="db.t4g.medium", apply_immediately=True)
    assert [built(database_args(settings=each)).one(INSTANCE, "database").inputs["applyImmediately"]
            for each in (waits, at_once)] == [False, True]
