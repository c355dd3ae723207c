"""A rebuild from the newest points, killed at every step: moto's tables, buckets, parameters, a runner of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.plans.recovery import How, Kept
from infra.settings.load import load_file
from operations.errors import Contested, NotAcceptable, OperationError
from operations.preview.data import HELD, PROTECTED
from operations.recovery import rebuild
from operations.recovery.account import Account
from operations.recovery.choice import choose
from operations.recovery.journal import Journal, Record
from operations.recovery.model import UNKNOWN, Judged, Point, judge
from operations.recovery.rebuild import Parts, Rebuild
from operations.recovery.runner import Changes
from operations.recovery.table_restore import name_beside

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
LOST, SETTINGS = (load_file(ROOT / f"Pulumi.{stack}.yaml") for stack in ("production", "recovery"))
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AWAY = "us-west-2"
REPLICATED = "arn:aws:rds:us-west-2:1:auto-backup:ab-1"
TABLE, ITEMS = "recovery-candlefish-experiments", 8
OWNED = [{"Key": "Project", "Value": "candlefish"}, {"Key": "Stack", "Value": "production"}]


def point(kept: Kept, how: How, source: str, age: timedelta = timedelta(minutes=3), **more: Any) -> Judged:
    found = Point(kept, how, "production-candlefish-experiments" if kept is Kept.TABLE else "production-candlefish-db",
                  AWAY, newest=NOON - age, encrypted=True, restorable=True, source=source)
    return judge(replace(found, **more), NOON)


POINTS = [point(Kept.DATABASE, How.REPLICATED, REPLICATED),
          point(Kept.TABLE, How.COPY, "arn:aws:backup:us-west-2:1:recovery-point:t", timedelta(hours=9))]


class Killed(Exception):
    """Where the test ends the process."""


class FakeRunner:
    stack = "recovery"

    def __init__(self, world: World) -> None:
        self.world, self.ups, self.built = world, [], False
        self.lost: tuple[str, ...] = ()

    def preview(self, settings: Mapping[str, str]) -> Changes:
        return Changes({"create": 0 if self.built else 687}, self.lost)

    def up(self, settings: Mapping[str, str]) -> Changes:
        self.ups.append(dict(settings))
        self.world.die("build")
        self.built = True
        return Changes({})

    def outputs(self) -> dict[str, Any]:
        return {"backupRestoreRoleArn": "arn:aws:iam::1:role/r", "assetsBucket": "own-assets",
                "tables": {"experiments": TABLE, "visitor-memory": "recovery-candlefish-visitor-memory"}}

    def export(self) -> dict[str, Any]:
        return {"version": 3, "deployment": {"resources": [{"urn": "u"}] if self.built else []}}

    def reach(self, host: str) -> str:
        return f"https://{host}"


class FakeBackup:
    """AWS Backup, as far as tables are restored: the new table has ITEMS items, of which two have expired."""

    def __init__(self, world: World) -> None:
        self.world, self.jobs = world, 0
        self.told: dict[str, dict[str, str]] = {}  # idempotency token → job

    def get_paginator(self, operation: str) -> FakeBackup:
        assert operation == "list_restore_jobs"
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        yield {"RestoreJobs": list(self.told.values())}

    def start_restore_job(self, *, RecoveryPointArn: str, IamRoleArn: str, ResourceType: str, IdempotencyToken: str,
                          Metadata: Mapping[str, str]) -> dict[str, str]:
        assert len(IdempotencyToken) <= 64
        if IdempotencyToken in self.told:
            return {"RestoreJobId": self.told[IdempotencyToken]["RestoreJobId"]}
        self.jobs += 1
        name = Metadata["targetTableName"]
        job = {"RestoreJobId": f"j{self.jobs}", "RecoveryPointArn": RecoveryPointArn}
        self.told[IdempotencyToken] = job
        if name in self.world.dynamodb.list_tables()["TableNames"]:
            job |= {"Status": "FAILED", "StatusMessage": f"Table already exists: {name}"}
            return {"RestoreJobId": job["RestoreJobId"]}
        job |= {"Status": "COMPLETED", "CreatedResourceArn": f"arn:aws:dynamodb:us-west-2:1:table/{name}"}
        self.world.table(Metadata["targetTableName"])
        for number in range(ITEMS):
            self.world.dynamodb.put_item(TableName=Metadata["targetTableName"], Item={
                "visitorHash": {"S": f"v{number}"}, "experiment": {"S": "hero"}, "from": {"S": "backup"},
                **({"expiresAt": {"N": "1"}} if number < 2 else {})})
        self.world.die("restore")
        return {"RestoreJobId": job["RestoreJobId"]}

    def describe_restore_job(self, *, RestoreJobId: str) -> dict[str, str]:
        return next(job for job in self.told.values() if job["RestoreJobId"] == RestoreJobId)


class FakeCluster:
    def __enter__(self) -> FakeCluster:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, version: str, kind: str, name: str, namespace: str) -> dict[str, Any]:
        if kind == "Service":
            return {"spec": {"selector": {"color": "blue"}}}
        return {"spec": {"replicas": 2}, "status": {"readyReplicas": 2}}


class World:
    def __init__(self) -> None:
        self.dynamodb, self.s3 = (boto3.client(name, region_name=AWAY) for name in ("dynamodb", "s3"))
        self.ssm = boto3.client("ssm", region_name=AWAY)
        self.dying, self.said, self.points = "", [], list(POINTS)
        self.runner, self.backup = FakeRunner(self), FakeBackup(self)
        self.status, self.clock = 200, NOON
        self.table(TABLE)
        self.dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification={
            "AttributeName": "expiresAt", "Enabled": True})
        self.table("recovery-candlefish-visitor-memory")
        for name in ("recovery-region-assets-1a2b", "own-assets"):
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": AWAY})
        self.s3.put_bucket_tagging(Bucket="recovery-region-assets-1a2b", Tagging={"TagSet": OWNED})
        for number in range(3):
            self.s3.put_object(Bucket="recovery-region-assets-1a2b", Key=f"img/{number}.svg", Body=b"old",
                               ContentType="image/svg+xml")

    def table(self, name: str) -> None:
        self.dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", SSESpecification={"Enabled": True, "SSEType": "KMS"},
            KeySchema=[{"AttributeName": "visitorHash", "KeyType": "HASH"},
                       {"AttributeName": "experiment", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}
                                  for key in ("visitorHash", "experiment")])

    def die(self, where: str) -> None:
        if self.dying == where:
            self.dying = ""
            raise Killed

    def now(self) -> datetime:
        self.clock += timedelta(minutes=10)
        return self.clock

    def ask(self, url: str) -> int:
        self.die("verify")
        return self.status

    def rebuild(self, images: Mapping[str, str] | None = None) -> Rebuild:
        clients = cache(lambda service, region: self.backup if service == "backup"
                        else boto3.client(service, region_name=region))
        return Rebuild(Parts(
            Account("production", LOST, clients), SETTINGS, self.runner,  # type: ignore[arg-type]
            lambda: FakeCluster(), Journal(self.ssm, "recovery", "rebuild"),  # type: ignore[arg-type, return-value]
            self.said.append, images or {}, self.ask, self.now))

    def items(self) -> dict[str, str]:
        return {item["visitorHash"]["S"]: item["from"]["S"] for item in self.dynamodb.scan(TableName=TABLE)["Items"]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        found = World()
        monkeypatch.setattr(rebuild, "look", lambda account, now, gone: found.points)
        yield found


def test_everything_comes_from_the_newest_points(world: World) -> None:
    result = world.rebuild({"website": "website:2"}).run()
    assert world.runner.ups == [{"database.restore.sourceInstanceId": REPLICATED,
                                 "services.website.image": "website:2"}]
    assert world.items() == {f"v{number}": "backup" for number in range(2, ITEMS)}
    assert [each["Key"] for each in world.s3.list_objects_v2(Bucket="own-assets")["Contents"]] == [
        "img/0.svg", "img/1.svg", "img/2.svg"]
    assert world.s3.head_object(Bucket="own-assets", Key="img/1.svg")["ContentType"] == "image/svg+xml"
    assert world.dynamodb.list_tables()["TableNames"] == [TABLE, "recovery-candlefish-visitor-memory"]
    assert any("no recovery point of it" in line for line in world.said)
    assert list(result.steps) == ["build", "tables", "assets", "verify"]
    assert result.inside


@pytest.mark.parametrize("where", ["build", "restore", "verify"])
def test_killed_anywhere_it_goes_on_with_the_same_points(world: World, where: str) -> None:
    world.dying = where
    with pytest.raises(Killed):
        world.rebuild().run()
    world.points = [point(Kept.DATABASE, How.COPY, "arn:aws:rds:us-west-2:1:snapshot:awsbackup:job-2", timedelta())]
    world.rebuild().run()
    assert {up["database.restore.sourceInstanceId"] for up in world.runner.ups} == {REPLICATED}
    assert len(world.items()) == ITEMS - 2
    assert world.backup.jobs == 1
    assert any("going on with" in line for line in world.said)


def test_what_the_stack_has_written_since_is_left_alone(world: World) -> None:
    world.dynamodb.put_item(TableName=TABLE, Item={"visitorHash": {"S": "v6"}, "experiment": {"S": "hero"},
                                                   "from": {"S": "now"}})
    world.s3.put_object(Bucket="own-assets", Key="img/1.svg", Body=b"new")
    world.rebuild().run()
    assert world.items()["v6"] == "now"
    assert world.s3.get_object(Bucket="own-assets", Key="img/1.svg")["Body"].read() == b"new"


def test_a_dry_run_says_what_it_would_do_and_does_nothing(world: World) -> None:
    assert world.rebuild().planned() == [
        f"build: up of recovery in us-west-2: 687 create; database.restore.sourceInstanceId = {REPLICATED}",
        "tables: items of experiments", "assets: assets from the replica", "verify: pods and names"]
    assert world.runner.ups == []
    assert not world.ssm.describe_parameters()["Parameters"]


@pytest.mark.parametrize("kind", sorted(PROTECTED))
def test_a_build_that_would_take_data_away_is_refused(world: World, kind: str) -> None:
    world.runner.lost = (f"urn:pulumi:recovery::candlefish::candlefish:x:Y${kind}::name",)
    for attempt in (world.rebuild().planned, world.rebuild().run):
        with pytest.raises(OperationError, match="what holds data: candlefish::candlefish:x:Y"):
            attempt()
    assert world.runner.ups == []


def test_what_is_protected_is_known_to_hold_data() -> None:
    assert HELD.keys() >= PROTECTED


def test_what_can_be_made_anew_may_be(world: World) -> None:
    world.runner.lost = ("urn:pulumi:recovery::candlefish::aws:apigateway/deployment:Deployment::rest",)
    world.rebuild().run()


def test_a_finished_one_is_only_looked_at_again(world: World) -> None:
    world.rebuild().run()
    world.dynamodb.delete_item(TableName=TABLE, Key={"visitorHash": {"S": "v5"}, "experiment": {"S": "hero"}})
    world.rebuild().run()
    assert len(world.runner.ups) == 1
    assert "v5" not in world.items()


def test_after_a_teardown_it_is_begun_anew_from_newer_points(world: World) -> None:
    world.rebuild().run()
    world.runner.built = False
    newer = "arn:aws:rds:us-west-2:1:auto-backup:ab-2"
    world.points = [point(Kept.DATABASE, How.REPLICATED, newer)]
    world.rebuild().run()
    assert world.runner.ups[-1] == {"database.restore.sourceInstanceId": newer}


def test_a_table_that_is_done_is_not_restored_again(world: World) -> None:
    """Its copy may be gone by then: AWS Backup's job of before would be waited for in vain."""
    world.dying = "verify"
    with pytest.raises(Killed):
        world.rebuild().run()
    journal = Journal(world.ssm, "recovery", "rebuild")
    record = journal.read()
    assert record is not None
    journal.write(replace(record, steps={"build": record.steps["build"]}))
    world.rebuild().run()
    assert world.backup.jobs == 2  # the first one's table was deleted, and nobody waits for it
    assert len(world.items()) == ITEMS - 2
    journal.write(replace(journal.read(), steps={  # type: ignore[type-var]
        name: at for name, at in record.steps.items() if name != "verify"}, finished=""))
    world.rebuild().run()
    assert world.backup.jobs == 2


def test_another_table_of_the_name_of_the_one_beside_is_left_alone(world: World) -> None:
    beside = name_beside(TABLE, "arn:aws:backup:us-west-2:1:recovery-point:t")
    world.table(beside)
    world.dynamodb.put_item(TableName=beside, Item={"visitorHash": {"S": "theirs"}, "experiment": {"S": "x"}})
    for _ in range(2):
        with pytest.raises(OperationError, match=f"there is a table {beside}, and AWS Backup has no restore of"):
            world.rebuild().run()
    assert world.dynamodb.scan(TableName=beside)["Count"] == 1
    assert not world.items()
    world.dynamodb.delete_table(TableName=beside)
    world.rebuild().run()
    assert len(world.items()) == ITEMS - 2


def test_half_an_answer_of_the_recovery_region_decides_nothing(world: World) -> None:
    """Without the vault's rows the tables would stay empty, and the rebuild would count as finished."""
    there, world.points = world.points, [
        world.points[0], judge(Point(Kept.DATABASE, How.COPY, UNKNOWN, AWAY, faults=("us-west-2 can't be asked: 500",)),
                               NOON)]
    with pytest.raises(OperationError, match=r"can't be asked: 500\. Nothing was decided"):
        world.rebuild().run()
    assert world.runner.ups == []
    world.points = there
    world.rebuild().run()
    assert len(world.items()) == ITEMS - 2


def test_a_beginning_whose_answer_is_lost_is_the_journals_own(world: World) -> None:
    journal, put = Journal(world.ssm, "recovery", "rebuild"), world.ssm.put_parameter

    def twice(**asked: Any) -> Any:
        put(**asked)
        return put(**asked)

    world.ssm.put_parameter = twice
    first = journal.write(Record("rebuild", "recovery", "2026-11-22T12:00:00+00:00", "me"))
    assert first.version == 1
    with pytest.raises(Contested):  # of a later write nothing tells whose came between; run again it goes on
        journal.write(first.done("build", NOON))
    found = journal.read()
    assert found is not None
    assert list(found.steps) == ["build"]


def test_a_parameter_that_is_no_journal_is_left_alone(world: World) -> None:
    world.ssm.put_parameter(Name="/candlefish/recovery/recovery/rebuild", Value="another's", Type="String")
    with pytest.raises(OperationError, match="is there, and no journal of rebuild"):
        world.rebuild().run()


def test_the_database_of_another_name_in_the_vault_is_not_taken_for_the_stacks() -> None:
    aside = point(Kept.DATABASE, How.COPY, "arn:aws:rds:us-west-2:1:snapshot:awsbackup:job-3", timedelta(),
                  resource="production-candlefish-db-before-at-20261121t103000z")
    assert choose([*POINTS, aside], AWAY, "production-candlefish").settings == {
        "database.restore.sourceInstanceId": REPLICATED}


def test_other_images_in_the_middle_of_it_are_wrong_usage(world: World) -> None:
    world.dying = "verify"
    with pytest.raises(Killed):
        world.rebuild({"website": "website:2"}).run()
    with pytest.raises(NotAcceptable, match="has other images than this export"):
        world.rebuild({"website": "website:3"}).run()


def test_without_a_point_of_the_database_nothing_begins(world: World) -> None:
    world.points = [point(Kept.DATABASE, How.REPLICATED, "", newest=None, faults=("the replication has stopped",))]
    with pytest.raises(OperationError, match="can bring the database back: replicated backups: the replication has st"):
        world.rebuild().run()
    assert not world.ssm.describe_parameters()["Parameters"]


@pytest.mark.parametrize(("points", "settings"), [
    ([point(Kept.DATABASE, How.REPLICATED, REPLICATED, timedelta(hours=2)),
      point(Kept.DATABASE, How.COPY, "arn:aws:rds:us-west-2:1:snapshot:awsbackup:job-2")],
     {"database.restore.snapshotId": "awsbackup:job-2"}),
    ([point(Kept.DATABASE, How.REPLICATED, REPLICATED, restorable=False),
      point(Kept.DATABASE, How.COPY, "arn:aws:rds:us-west-2:1:snapshot:awsbackup:job-2", timedelta(hours=9))],
     {"database.restore.snapshotId": "awsbackup:job-2"}),
    # AWS Backup's own form, of which RDS knows nothing.
    ([point(Kept.DATABASE, How.REPLICATED, REPLICATED, timedelta(hours=2)),
      point(Kept.DATABASE, How.COPY, "arn:aws:backup:us-west-2:1:recovery-point:d")],
     {"database.restore.sourceInstanceId": REPLICATED}),
])
def test_the_newest_that_can_be_restored_is_chosen(points: list[Judged], settings: dict[str, str]) -> None:
    assert choose(points, AWAY, "production-candlefish").settings == settings


def test_a_stack_in_a_region_without_copies_is_wrong_usage() -> None:
    elsewhere = load_file(ROOT / "Pulumi.staging.yaml")
    with pytest.raises(NotAcceptable, match="keeps its copies in us-west-2"):
        rebuild.expect_fit(elsewhere, LOST)
