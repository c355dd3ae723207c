"""What emulated database instances hold, through the calls that an operator makes."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.postgres.binaries import NoPostgres, find
from tests.rehearsal.aws.conftest import Emulated

pytestmark = pytest.mark.rehearsal
try:
    PSQL = find()["psql"]
except NoPostgres as error:
    pytest.skip(f"{error}", allow_module_level=True)

SHOP = {"Engine": "postgres", "EngineVersion": "16.4", "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20,
        "DBName": "shop", "MasterUsername": "keeper", "StorageEncrypted": True}


class Databases:
    """The account's instances: `sql("shop-db", "select 1")` as their master, whose password is `password`."""

    def __init__(self, aws: Emulated, connections: Path) -> None:
        self.rds, self._secrets, self._connections = aws.client("rds"), aws.client("secretsmanager"), connections

    def sql(self, name: str, statements: str) -> str:
        done = self.ask(name, statements)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, name: str, statements: str, password: str | None = None) -> subprocess.CompletedProcess[str]:
        instance = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        if password is None:
            password = "word-of-mouth"
            if secret := instance.get("MasterUserSecret"):
                held = self._secrets.get_secret_value(SecretId=secret["SecretArn"])["SecretString"]
                password = str(json.loads(held)["password"])
        return subprocess.run([PSQL, "-Atqc", statements], capture_output=True, text=True, check=False, env={
            "PATH": os.environ["PATH"], "PGSERVICEFILE": str(self._connections), "PGSERVICE": name,
            "PGPASSWORD": password})

    def sections(self) -> list[str]:
        known = configparser.ConfigParser(interpolation=None, strict=False)  # two regions may have one of the same name
        known.read(self._connections)
        return known.sections()


@pytest.fixture
def databases(aws: Emulated, connections: Path) -> Iterator[Databases]:
    held = Databases(aws, connections)
    yield held
    for instance in held.rds.describe_db_instances()["DBInstances"]:
        held.rds.modify_db_instance(DBInstanceIdentifier=instance["DBInstanceIdentifier"], DeletionProtection=False)
        held.rds.delete_db_instance(DBInstanceIdentifier=instance["DBInstanceIdentifier"], SkipFinalSnapshot=True)


def test_snapshots_and_points_in_time_bring_back_what_was_deleted(databases: Databases) -> None:
    rds = databases.rds
    rds.create_db_instance(DBInstanceIdentifier="shop-db", ManageMasterUserPassword=True, BackupRetentionPeriod=7,
                           DeletionProtection=True, **SHOP)
    databases.sql("shop-db", "create table orders as select generate_series(1, 10) as id")
    rds.create_db_snapshot(DBInstanceIdentifier="shop-db", DBSnapshotIdentifier="shop-snapshot")
    databases.sql("shop-db", "insert into orders values (11)")
    moment = datetime.now(UTC)
    databases.sql("shop-db", "delete from orders")

    of_snapshot = rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="shop-of-snapshot", DBSnapshotIdentifier="shop-snapshot")["DBInstance"]
    to_point = rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="shop-db", TargetDBInstanceIdentifier="shop-to-point", RestoreTime=moment,
        BackupRetentionPeriod=0)["DBInstance"]

    password = json.loads(databases._secrets.get_secret_value(SecretId=rds.describe_db_instances(
        DBInstanceIdentifier="shop-db")["DBInstances"][0]["MasterUserSecret"]["SecretArn"])["SecretString"])["password"]
    for name, rows in (("shop-of-snapshot", "10"), ("shop-to-point", "11"), ("shop-db", "0")):
        assert databases.ask(name, "select count(*) from orders", password).stdout.strip() == rows, name
    # As AWS has it: no protection, no managed password that nobody asked for, and 0 days where 0 was said.
    assert (of_snapshot["DeletionProtection"], to_point["DeletionProtection"]) == (False, False)
    assert "MasterUserSecret" not in of_snapshot
    assert to_point["BackupRetentionPeriod"] == 0
    assert len({of_snapshot["DbiResourceId"], to_point["DbiResourceId"]}) == 2
    with pytest.raises(ClientError, match="is not between"):
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="shop-db", TargetDBInstanceIdentifier="shop-tomorrow",
            RestoreTime=moment + timedelta(days=1))
    with pytest.raises(ClientError, match="PointInTimeRestoreNotEnabled"):
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="shop-to-point", TargetDBInstanceIdentifier="shop-again",
            UseLatestRestorableTime=True)


def test_a_final_snapshot_outlives_its_instance_which_answers_no_more(databases: Databases) -> None:
    rds = databases.rds
    rds.create_db_instance(DBInstanceIdentifier="gone-db", MasterUserPassword="word-of-mouth", **SHOP)
    databases.sql("gone-db", "create table t as select 7 as i")
    rds.modify_db_instance(DBInstanceIdentifier="gone-db", NewDBInstanceIdentifier="left-db", ApplyImmediately=True)
    assert databases.sql("left-db", "select i from t") == "7"
    rds.stop_db_instance(DBInstanceIdentifier="left-db")
    assert databases.ask("left-db", "select 1").returncode == 2
    rds.start_db_instance(DBInstanceIdentifier="left-db")
    assert databases.sql("left-db", "select i from t") == "7"
    rds.delete_db_instance(DBInstanceIdentifier="left-db", FinalDBSnapshotIdentifier="left-final")
    assert "left-db" not in databases.sections()
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="back-db", DBSnapshotIdentifier="left-final")
    assert databases.sql("back-db", "select i from t") == "7"


def test_the_backups_that_a_deleted_instance_left_bring_it_back_by_its_resource_id(databases: Databases) -> None:
    rds = databases.rds
    made = rds.create_db_instance(DBInstanceIdentifier="lost-db", ManageMasterUserPassword=True,
                                  BackupRetentionPeriod=7, **SHOP)["DBInstance"]
    password = json.loads(databases._secrets.get_secret_value(
        SecretId=made["MasterUserSecret"]["SecretArn"])["SecretString"])["password"]
    databases.sql("lost-db", "create table orders as select generate_series(1, 10) as id")
    moment = datetime.now(UTC)
    databases.sql("lost-db", "delete from orders")
    rds.delete_db_instance(DBInstanceIdentifier="lost-db", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)

    left = rds.describe_db_instance_automated_backups(DBInstanceIdentifier="lost-db")["DBInstanceAutomatedBackups"]
    assert [(each["Status"], each["DbiResourceId"]) for each in left] == [("retained", made["DbiResourceId"])]
    for name, until in (("lost-then", {"RestoreTime": moment}), ("lost-last", {"UseLatestRestorableTime": True})):
        rds.restore_db_instance_to_point_in_time(SourceDbiResourceId=made["DbiResourceId"],
                                                 TargetDBInstanceIdentifier=name, **until)
        rows = databases.ask(name, "select count(*) from orders", password).stdout.strip()
        assert rows == ("10" if name == "lost-then" else "0")
    with pytest.raises(ClientError, match="is not between"):
        rds.restore_db_instance_to_point_in_time(
            SourceDbiResourceId=made["DbiResourceId"], TargetDBInstanceIdentifier="lost-tomorrow",
            RestoreTime=left[0]["RestoreWindow"]["LatestTime"] + timedelta(minutes=1))
    with pytest.raises(ClientError, match="DBInstanceAutomatedBackupNotFound"):
        rds.restore_db_instance_to_point_in_time(SourceDbiResourceId="db-NONE", TargetDBInstanceIdentifier="lost-none",
                                                 UseLatestRestorableTime=True)


def test_a_master_may_make_tables_and_is_no_superuser(databases: Databases) -> None:
    databases.rds.create_db_instance(DBInstanceIdentifier="new-db", MasterUserPassword="word-of-mouth", **SHOP)
    assert databases.sql("new-db", "show is_superuser") == "off"
    assert databases.sql("new-db", "select current_database(), current_user") == "shop|keeper"
    refused: Any = databases.ask("new-db", "select 1", "another word")
    assert "password authentication failed" in refused.stderr
