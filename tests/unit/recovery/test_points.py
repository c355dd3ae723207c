"""Recovery points: what is found, how old it may be, and what is said of what is missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from candlefish import app, recovery
from infra.plans.recovery import OBJECTIVES, How, Kept
from infra.settings.load import load_file
from operations.errors import OperationError
from operations.recovery.account import Account
from operations.recovery.model import Judged, Point, State, judge, spelled
from operations.recovery.points import look
from tests.unit.recovery.fake_aws import Answer, FakeAws, Refusal

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
HOME, AWAY, DB = "us-east-1", "us-west-2", "production-candlefish-db"
TABLE = "production-candlefish-experiments"
DB_ARN, TABLE_ARN = f"arn:aws:rds:{HOME}:1:db:{DB}", f"arn:aws:dynamodb:{HOME}:1:table/{TABLE}"
KEY, KEY_AWAY = f"arn:aws:kms:{HOME}:1:key/home", f"arn:aws:kms:{AWAY}:1:key/away"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OURS = {"Project": "candlefish", "Stack": "production"}
Answers = dict[tuple[str, str, str], Answer]


def _vault(region: str, name: str, *points: Mapping[str, Any]) -> Answers:
    arn = f"arn:aws:backup:{region}:1:backup-vault:{name}"
    others = f"arn:aws:backup:{region}:1:backup-vault:another-stacks"
    return {
        ("backup", region, "ListBackupVaults"): {"BackupVaultList": [
            {"BackupVaultName": "another-stacks", "BackupVaultArn": others},
            {"BackupVaultName": name, "BackupVaultArn": arn}]},
        ("backup", region, "ListTags"): lambda asked: {"Tags": OURS if asked["ResourceArn"] == arn else {"Stack": "x"}},
        ("backup", region, "ListRecoveryPointsByBackupVault"): {"RecoveryPoints": [*points]}}


def _kept(arn: str, age: timedelta, key: str = KEY, **more: Any) -> dict[str, Any]:
    return {"ResourceArn": arn, "CreationDate": NOW - age, "Status": "COMPLETED", "IsEncrypted": True,
            "EncryptionKeyArn": key, **more}




def healthy() -> Answers:
    """Production as it is when all goes well."""
    assets, backups = "storage-assets-0a1b2c3", "storage-backups-0a1b2c3"
    targets = {assets: "recovery-region-assets-1", backups: "recovery-region-backups-1"}
    sealed = {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {
        "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_AWAY}}]}}
    return {
        ("rds", HOME, "DescribeDBInstances"): {"DBInstances": [{
            "DBInstanceIdentifier": DB, "DBInstanceArn": DB_ARN, "LatestRestorableTime": NOW - 4 * MINUTE,
            "BackupRetentionPeriod": 35, "StorageEncrypted": True, "KmsKeyId": KEY,
            "InstanceCreateTime": NOW - 9 * DAY}]},
        ("rds", HOME, "DescribeDBSnapshots"): {"DBSnapshots": [
            {"DBSnapshotIdentifier": "rds:new", "SnapshotCreateTime": NOW - 17 * HOUR, "Status": "available",
             "Encrypted": True, "KmsKeyId": KEY},
            {"DBSnapshotIdentifier": "rds:newer", "SnapshotCreateTime": NOW, "Status": "creating"}]},
        ("rds", AWAY, "DescribeDBInstanceAutomatedBackups"): {"DBInstanceAutomatedBackups": [
            {"DBInstanceIdentifier": DB, "Region": HOME, "Status": "replicating", "Encrypted": True,
             "KmsKeyId": KEY_AWAY, "RestoreWindow": {"EarliestTime": NOW - 9 * DAY, "LatestTime": NOW - 11 * MINUTE}}]},
        ("dynamodb", HOME, "ListTables"): {"TableNames": [TABLE, "staging-candlefish-experiments"]},
        ("dynamodb", HOME, "DescribeTable"): {"Table": {
            "TableName": TABLE, "TableArn": TABLE_ARN, "CreationDateTime": NOW - 9 * DAY,
            "SSEDescription": {"Status": "ENABLED", "KMSMasterKeyArn": KEY}}},
        ("dynamodb", HOME, "DescribeContinuousBackups"): {"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": {
                "PointInTimeRecoveryStatus": "ENABLED", "LatestRestorableDateTime": NOW - 5 * MINUTE}}},
        **_vault(HOME, "daily", _kept(DB_ARN, 13 * HOUR), _kept(DB_ARN, 37 * HOUR), _kept(TABLE_ARN, 13 * HOUR),
                 _kept(DB_ARN, HOUR, Status="PARTIAL")),
        **_vault(AWAY, "copies", _kept(DB_ARN, 13 * HOUR, KEY_AWAY), _kept(TABLE_ARN, 13 * HOUR, KEY_AWAY)),
        ("s3", HOME, "ListBuckets"): {"Buckets": [
            {"Name": name, "CreationDate": NOW - 9 * DAY} for name in (assets, backups, "storage-logs-0a1b2c3")]},
        ("s3", HOME, "GetBucketTagging"): {"TagSet": [{"Key": key, "Value": value} for key, value in OURS.items()]},
        ("s3", HOME, "GetBucketReplication"): lambda asked: {"ReplicationConfiguration": {"Role": "r", "Rules": [
            {"ID": "recovery", "Status": "Enabled",
             "Destination": {"Bucket": f"arn:aws:s3:::{targets[asked['Bucket']]}"}}]}},
        ("s3", HOME, "GetBucketVersioning"): {"Status": "Enabled"},
        ("s3", AWAY, "GetBucketVersioning"): {"Status": "Enabled"},
        ("s3", AWAY, "GetBucketEncryption"): sealed,
        ("cloudwatch", AWAY, "GetMetricStatistics"): {"Datapoints": [
            {"Timestamp": NOW - 5 * MINUTE, "Maximum": 1800.0}, {"Timestamp": NOW - MINUTE, "Maximum": 12.0}]},
        ("kms", HOME, "DescribeKey"): {"KeyMetadata": {"KeyId": "home", "KeyState": "Enabled"}},
        ("kms", AWAY, "DescribeKey"): {"KeyMetadata": {"KeyId": "away", "KeyState": "Enabled"}}}


def seen(changes: Mapping[tuple[str, str, str], Any] | None = None, stack: str = "production", *,
         gone: bool = False) -> list[Judged]:
    account = Account(stack, load_file(ROOT / f"Pulumi.{stack}.yaml"), FakeAws({**healthy(), **(changes or {})}).client)
    return look(account, NOW, gone=gone)


def faults(found: list[Judged]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(f"{each.point.kept}", f"{each.point.how}"): each.faults for each in found if each.state is State.BAD}


def test_a_healthy_stack_has_a_point_of_everything_in_both_regions() -> None:
    found = seen()
    assert {(each.point.kept, each.point.how, each.point.region) for each in found} == {
        (Kept.DATABASE, How.POINT_IN_TIME, HOME), (Kept.DATABASE, How.SNAPSHOT, HOME), (Kept.DATABASE, How.VAULT, HOME),
        (Kept.TABLE, How.POINT_IN_TIME, HOME), (Kept.TABLE, How.VAULT, HOME),
        (Kept.DATABASE, How.REPLICATED, AWAY), (Kept.DATABASE, How.COPY, AWAY), (Kept.TABLE, How.COPY, AWAY),
        (Kept.ASSETS, How.REPLICA, AWAY), (Kept.BACKUPS, How.REPLICA, AWAY)}
    assert faults(found) == {}
    assert {each.state for each in found} == {State.GOOD}
    assert all(each.point.copied for each in found if each.point.how in (How.POINT_IN_TIME, How.VAULT))


def test_every_objective_of_d6_is_held_against_something() -> None:
    assert {(each.point.kept, each.point.how) for each in seen()} >= OBJECTIVES.keys()


def test_a_stack_that_keeps_nothing_elsewhere_is_not_asked_for_it() -> None:
    answers = {key: value for key, value in healthy().items() if key[1] == HOME}
    settings = load_file(ROOT / "Pulumi.development.yaml")
    found = look(Account("development", settings, FakeAws({
        **answers, ("backup", HOME, "ListTags"): {"Tags": {"Project": "candlefish", "Stack": "development"}},
        ("dynamodb", HOME, "ListTables"): {"TableNames": ["development-candlefish-experiments"]}}).client), NOW)
    assert {each.point.region for each in found} == {HOME}
    assert {each.point.copied for each in found} == {None}


@pytest.mark.parametrize(("age", "state"), [(5 * MINUTE, State.GOOD), (6 * MINUTE, State.DUE),
                                            (6 * MINUTE + timedelta(seconds=1), State.BAD)])
def test_a_point_is_due_for_a_while_and_then_too_old(age: timedelta, state: State) -> None:
    point = Point(Kept.TABLE, How.POINT_IN_TIME, "t", HOME, newest=NOW - age, encrypted=True, restorable=True)
    assert judge(point, NOW).state is state


def test_what_has_just_been_made_owes_its_first_point_when_it_is_due() -> None:
    point = Point(Kept.TABLE, How.VAULT, "t", HOME, since=NOW - 20 * HOUR)
    assert judge(point, NOW).state is State.DUE
    late = judge(point, NOW + 12 * HOUR)
    assert (late.state, late.faults) == (State.BAD, ("there is none, 1 d 8 h after the resource was made",))


def test_replicated_backups_that_stand_still_are_too_old() -> None:
    old = {"DBInstanceAutomatedBackups": [{
        "Region": HOME, "Status": "replicating", "Encrypted": True,
        "RestoreWindow": {"LatestTime": NOW - 16 * MINUTE}}]}
    assert faults(seen({("rds", AWAY, "DescribeDBInstanceAutomatedBackups"): old})) == {
        ("database", "replicated backups"): ("is 16 min old; 15 min is allowed",)}


def test_backups_of_another_regions_instance_of_that_name_are_not_ours() -> None:
    other = {"DBInstanceAutomatedBackups": [{"Region": "eu-west-1", "Status": "replicating"}]}
    found = faults(seen({("rds", AWAY, "DescribeDBInstanceAutomatedBackups"): other}))
    assert found["database", "replicated backups"] == (f"the backups of {DB} are not replicated to {AWAY}",)


def test_a_backup_in_plain_text_and_one_whose_key_is_to_be_deleted_are_bad() -> None:
    found = faults(seen({
        ("kms", AWAY, "DescribeKey"): {"KeyMetadata": {"KeyId": "away", "KeyState": "PendingDeletion"}},
        ("rds", HOME, "DescribeDBSnapshots"): {"DBSnapshots": [{
            "DBSnapshotIdentifier": "s", "SnapshotCreateTime": NOW, "Status": "available", "Encrypted": False}]}}))
    assert found["database", "snapshot"] == ("is not encrypted",)
    assert {key for key, told in found.items() if "can't be restored" in told[0]} == {
        ("database", "replicated backups"), ("database", "copied to vault"), ("table", "copied to vault"),
        ("assets", "replica"), ("backups", "replica")}


def test_a_key_that_is_gone_opens_nothing() -> None:
    found = faults(seen({("kms", HOME, "DescribeKey"): Refusal("NotFoundException")}))
    assert ("database", "point in time") in found


def test_a_table_without_a_copy_elsewhere_is_told_at_home() -> None:
    found = seen(_vault(AWAY, "copies", _kept(DB_ARN, 13 * HOUR, KEY_AWAY)))
    assert [*faults(found)] == [("table", "copied to vault")]
    assert faults(found)["table", "copied to vault"][0].startswith("there is none, 9 d")
    tables = [each.point for each in found if each.point.kept is Kept.TABLE and each.point.region == HOME]
    assert {point.copied for point in tables} == {False}


def test_point_in_time_recovery_that_is_switched_off_is_told() -> None:
    off = {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": {
        "PointInTimeRecoveryStatus": "DISABLED"}}}
    assert "switched off" in faults(seen({("dynamodb", HOME, "DescribeContinuousBackups"): off}))["table",
                                                                                               "point in time"][0]


def test_a_recovery_point_that_is_not_complete_does_not_count() -> None:
    found = faults(seen(_vault(HOME, "daily", _kept(DB_ARN, HOUR, Status="PARTIAL"), _kept(TABLE_ARN, HOUR))))
    assert found["database", "vault"] == ("there is none, 9 d after the resource was made",)


def test_a_replica_that_nobody_measures_is_not_taken_for_a_good_one() -> None:
    found = faults(seen({("cloudwatch", AWAY, "GetMetricStatistics"): {"Datapoints": []}}))
    assert "ReplicationLatency" in found["assets", "replica"][0]


def test_a_bucket_without_replication_is_told() -> None:
    found = faults(seen({("s3", HOME, "GetBucketReplication"): Refusal("ReplicationConfigurationNotFoundError")}))
    assert found["assets", "replica"] == (f"its objects are not replicated to {AWAY}",)


def test_when_the_region_is_gone_what_the_other_keeps_is_still_told() -> None:
    """All that the vault there holds counts, as nobody can say what there was."""
    gone = {key: EndpointConnectionError(endpoint_url=f"https://{key[0]}") for key in healthy() if key[1] == HOME}
    found = seen(gone)
    good = {(each.point.how, each.point.resource) for each in found if each.state is State.GOOD}
    assert good == {(How.REPLICATED, DB), (How.COPY, DB), (How.COPY, TABLE)}
    assert all(f"{HOME} can't be asked" in each.faults[0] for each in found if each.point.region == HOME)


def test_when_the_instance_is_gone_its_snapshots_and_replicas_are_still_told() -> None:
    found = seen({("rds", HOME, "DescribeDBInstances"): Refusal("DBInstanceNotFound")})
    told = {each.point.how: each.state for each in found if each.point.kept is Kept.DATABASE}
    assert told[How.POINT_IN_TIME] is State.BAD
    assert told[How.SNAPSHOT] is told[How.REPLICATED] is State.GOOD


def test_a_rebuild_takes_what_the_vault_holds_of_tables_that_the_region_does_not_have_any_more() -> None:
    destroyed = {("dynamodb", HOME, "ListTables"): {"TableNames": []},
                 ("rds", HOME, "DescribeDBInstances"): Refusal("DBInstanceNotFound")}
    copies = {gone: {each.point.kept for each in seen(destroyed, gone=gone) if each.point.how is How.COPY}
              for gone in (False, True)}
    assert copies == {False: set(), True: {Kept.DATABASE, Kept.TABLE}}


def test_without_credentials_nothing_is_told_but_that() -> None:
    with pytest.raises(OperationError, match="sign in"):
        seen({("rds", HOME, "DescribeDBInstances"): NoCredentialsError()})


def test_times_are_spelled_with_their_two_largest_units() -> None:
    spans = (12 * timedelta(seconds=1), 4 * MINUTE, 26 * HOUR + 10 * MINUTE, 3 * DAY, HOUR, 2 * DAY + 3 * HOUR)
    assert [spelled(span) for span in spans] == ["12 s", "4 min", "1 d 2 h", "3 d", "1 h", "2 d 3 h"]


@pytest.fixture
def shifted(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """AWS of the command, whose clock is the machine's: answers are as old as they would be at NOW."""
    by = datetime.now(UTC) - NOW

    def moved(value: Any) -> Any:
        match value:
            case datetime():
                return value + by
            case dict():
                return {key: moved(item) for key, item in value.items()}
            case list():
                return [moved(item) for item in value]
            case _ if callable(value):
                return lambda asked: moved(value(asked))
            case _:
                return value

    fake = FakeAws({key: moved(answer) for key, answer in healthy().items()})
    monkeypatch.setattr(recovery, "client", fake.client)
    return fake


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["candlefish", "recovery", "points", *arguments])
    with pytest.raises(SystemExit) as left:
        app.main()
    return int(left.value.code or 0)


def test_the_command_prints_one_object_and_leaves_with_0(
        shifted: FakeAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "--stack", "production", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["region"], document["recoveryRegion"], len(document["points"])) == (HOME, AWAY, 10)
    point = next(each for each in document["points"] if each["how"] == "replicated backups")
    assert (point["rpoSeconds"], point["state"], point["copied"]) == (900, "good", None)


def test_the_command_says_what_is_wrong_and_leaves_with_1(
        shifted: FakeAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shifted.answers["s3", HOME, "GetBucketReplication"] = Refusal("ReplicationConfigurationNotFoundError")
    assert _run(monkeypatch, "--stack", "production") == 1
    assert f"replica in {AWAY}: its objects are not replicated" in capsys.readouterr().out


def test_an_unknown_stack_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, "--stack", "nowhere") == 2
