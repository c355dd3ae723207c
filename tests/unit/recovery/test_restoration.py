"""The restore test and the restore, killed anywhere: what they leave, and what the next run makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.settings.load import load_file
from operations.errors import Failed, NotAcceptable, OperationError
from operations.recovery.account import Account
from operations.recovery.checks import Measured, Table
from operations.recovery.probe import Refused, pod
from operations.recovery.restoration import CHECKED, PURPOSE, Point, Restoration, Waiting, at_time, of_snapshot
from operations.recovery.restore import name_of, restore
from operations.recovery.validate import validate

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
SETTINGS = load_file(ROOT / "Pulumi.production.yaml")
DB, THROWN_AWAY = "production-candlefish-db", "production-candlefish-db-validation"
CONTENT = Measured(datetime.now(UTC), frozenset({"index a"}), {"public.a": Table(1, "aa", None)})
LOST = Measured(CONTENT.at, CONTENT.schema, {"public.a": Table(0, "bb", None)})


class Killed(BaseException):
    """As by SIGKILL: nothing that comes after it takes effect."""


class Asks:
    def __init__(self, restored: Measured = CONTENT, refuse: bool = False) -> None:
        self.restored, self.refuse, self.hosts = restored, refuse, list[str | None]()

    def measure(self, host: str | None = None) -> Measured:
        self.hosts.append(host)
        if host and self.refuse:
            raise Refused("password authentication failed")
        return self.restored if host else CONTENT

    def remove(self) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def waiting(self) -> Waiting:
        return Waiting(self.pause, lambda: datetime.now(UTC) + self.ahead)

    def pause(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with the stack's database, an hour old, whose log is put away up to a minute from now."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        from moto.rds.models import DBInstance

        monkeypatch.setattr(DBInstance, "latest_restorable_time", property(
            lambda instance: datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=1)))
        client = boto3.client("rds", region_name=SETTINGS.region)
        key = boto3.client("kms", region_name=SETTINGS.region).create_key()["KeyMetadata"]["Arn"]
        client.create_db_instance(
            DBInstanceIdentifier=DB, Engine="postgres", DBInstanceClass="db.t4g.medium", AllocatedStorage=20,
            MasterUsername="candlefish_admin", MasterUserPassword="first-of-all", BackupRetentionPeriod=35,
            StorageEncrypted=True, KmsKeyId=key, PubliclyAccessible=False, **_place(client))
        yield client


def _place(rds: Any) -> dict[str, Any]:
    """Subnets, parameters and a security group that are the stack's."""
    tags = [{"Key": "Project", "Value": "candlefish"}, {"Key": "Stack", "Value": "production"}]
    ec2 = boto3.client("ec2", region_name=SETTINGS.region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{SETTINGS.region}{zone}")[
        "Subnet"]["SubnetId"] for n, zone in enumerate("ab")]
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="d", SubnetIds=subnets, Tags=tags)
    rds.create_db_parameter_group(DBParameterGroupName="tls", DBParameterGroupFamily="postgres16", Description="d",
                                  Tags=tags)
    group = ec2.create_security_group(GroupName="db", Description="PostgreSQL database", VpcId=vpc, TagSpecifications=[
        {"ResourceType": "security-group", "Tags": tags}])["GroupId"]
    return {"DBSubnetGroupName": "data", "DBParameterGroupName": "tls", "VpcSecurityGroupIds": [group]}


class Life:
    """Ends at the given write, before it (odd) or after it took effect (even). Reads cost nothing: a death between two
    of them is one before the next write."""

    def __init__(self, ends: int = 0) -> None:
        self.left, self.ends = ends, bool(ends)

    def spend(self, model: Any, **_: Any) -> None:
        if model.name.startswith(("Describe", "List")) or not self.ends:
            return
        self.left -= 1
        if self.left <= 0:
            raise Killed


_life = [Life()]


@cache
def _client(service: str, region: str) -> Any:
    made = boto3.client(service, region_name=region)
    for moment in ("before-call.*.*", "after-call.*.*"):
        made.meta.events.register(moment, lambda **given: _life[0].spend(**given))
    return made


def account(life: Life | None = None) -> Account:
    _life[0] = life or Life()
    return Account("production", SETTINGS, _client)


def instances(rds: Any) -> dict[str, dict[str, str]]:
    """Name → tags."""
    return {each["DBInstanceIdentifier"]: {tag["Key"]: tag["Value"] for tag in each["TagList"]}
            for each in rds.describe_db_instances()["DBInstances"]}


def at_once(rds: Any) -> Point:
    return at_time(account(), None, datetime.now(UTC))


def test_a_restore_test_leaves_nothing_behind_and_tells_what_it_found(rds: Any) -> None:
    asks = Asks()
    found = validate(account(), asks, Clock().waiting())
    assert found.good, found.markdown()
    assert list(instances(rds)) == [DB]
    assert asks.hosts[0] is None
    assert asks.hosts[1] is not None
    assert asks.hosts[1].startswith(THROWN_AWAY)
    assert {each["check"] for each in found.document()["checks"]} == {
        "placement", "schema", "row counts", "checksums", "newest row"}
    assert "Restore test of production: good" in found.markdown()


def test_a_lost_row_makes_the_restore_test_fail_and_the_instance_goes_all_the_same(rds: Any) -> None:
    found = validate(account(), Asks(LOST), Clock().waiting())
    assert not found.good
    assert "BAD" in found.markdown()
    assert list(instances(rds)) == [DB]


def test_an_instance_that_cannot_be_asked_goes_too(rds: Any) -> None:
    with pytest.raises(OperationError, match="rotated after"):
        validate(account(), Asks(refuse=True), Clock().waiting())
    assert list(instances(rds)) == [DB]


def _killed_everywhere(run: Callable[[Account], Any]) -> Iterator[int]:
    """Once at each write, before and after it took effect, until a run gets through."""
    for life in range(1, 50):
        try:
            run(account(Life(life)))
        except Killed:
            yield life
            continue
        return
    raise AssertionError("no run ever got through")


def test_a_restore_test_killed_anywhere_is_cleaned_up_by_the_next(rds: Any) -> None:
    left = set()
    for _ in _killed_everywhere(lambda mine: validate(mine, Asks(), Clock().waiting())):
        left.add(THROWN_AWAY in instances(rds))
        assert validate(account(), Asks(), Clock().waiting()).good
        assert list(instances(rds)) == [DB]
    assert left == {True, False}, "no kill came while the instance was there: nothing was shown"


def test_a_restore_killed_anywhere_is_finished_by_the_next_and_makes_one_instance(rds: Any) -> None:
    point = at_once(rds)
    name = name_of(account(), point)
    kills = 0
    for _ in _killed_everywhere(lambda mine: restore(mine, point, Asks(), Clock().waiting())):
        kills += 1
        found = restore(account(), point, Asks(), Clock().waiting())
        assert found.instance == name
        made = instances(rds)
        assert set(made) == {DB, name}
        assert made[name][CHECKED]
        rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    assert kills >= 4


def test_a_restore_that_is_not_good_stays_to_be_looked_at(rds: Any) -> None:
    point, empty = at_once(rds), Measured(CONTENT.at, frozenset(), {})
    with pytest.raises(Failed, match="there is no table in it"):
        restore(account(), point, Asks(empty), Clock().waiting())
    assert CHECKED not in instances(rds)[name_of(account(), point)]


def test_the_takeover_keeps_the_old_instance_and_its_settings_name_the_origin(rds: Any) -> None:
    point = at_once(rds)
    found = restore(account(), point, Asks(), Clock().waiting())
    text = "\n".join(found.takeover)
    aside = f"{DB}-before-{found.instance.removeprefix(f'{DB}-')}"
    assert f"--db-instance-identifier {DB} --new-db-instance-identifier {aside}" in text
    assert f"--db-instance-identifier {found.instance} --new-db-instance-identifier {DB}" in text
    assert "delete" not in text
    assert found.settings == {"restore": {"sourceInstanceId": aside, "at": str(point)}}


def test_the_settings_that_are_printed_are_a_stacks(rds: Any) -> None:
    for restored in (Point(at=datetime.now(UTC), source=DB), Point(snapshot="s-1")):
        rds.create_db_snapshot(DBInstanceIdentifier=DB, DBSnapshotIdentifier="s-1") if restored.snapshot else None
        found = restore(account(), restored, Asks(), Clock().waiting())
        changed = SETTINGS.database.model_validate(
            {**SETTINGS.database.model_dump(by_alias=True), **found.settings})
        assert changed.restore is not None


def test_a_snapshot_brings_back_a_database_that_is_gone(rds: Any) -> None:
    rds.create_db_snapshot(DBInstanceIdentifier=DB, DBSnapshotIdentifier="last")
    original = rds.describe_db_instances(DBInstanceIdentifier=DB)["DBInstances"][0]
    group = [each["VpcSecurityGroupId"] for each in original["VpcSecurityGroups"]]
    rds.delete_db_instance(DBInstanceIdentifier=DB, SkipFinalSnapshot=True)
    found = restore(account(), of_snapshot(account(), "last"), Asks(), Clock().waiting())
    made = rds.describe_db_instances(DBInstanceIdentifier=found.instance)["DBInstances"][0]
    assert made["DBSubnetGroup"]["DBSubnetGroupName"] == "data"
    assert made["DBParameterGroups"][0]["DBParameterGroupName"] == "tls"
    assert [each["VpcSecurityGroupId"] for each in made["VpcSecurityGroups"]] == group
    assert found.settings == {"restore": {"snapshotId": found.instance}}
    assert "pulumi refresh" in "\n".join(found.takeover)


def test_an_instance_of_that_name_that_somebody_made_is_never_touched(rds: Any) -> None:
    rds.create_db_instance(DBInstanceIdentifier=THROWN_AWAY, Engine="postgres", DBInstanceClass="db.t4g.medium",
                           AllocatedStorage=20, MasterUsername="a", MasterUserPassword="somebody-elses")
    with pytest.raises(OperationError, match="was not made by a validation"):
        validate(account(), Asks(), Clock().waiting())
    assert THROWN_AWAY in instances(rds)


def test_what_is_restored_is_private_protected_as_the_stack_is_and_outside_the_daily_backups(rds: Any) -> None:
    point = at_once(rds)
    found = restore(account(), point, Asks(), Clock().waiting())
    made = rds.describe_db_instances(DBInstanceIdentifier=found.instance)["DBInstances"][0]
    tags = instances(rds)[found.instance]
    assert made["DeletionProtection"] is SETTINGS.lifecycle.deletion_protection is True
    assert not made.get("PubliclyAccessible")
    assert (tags["Stack"], tags["Environment"], tags[PURPOSE]) == ("production-restore", "production", "restore")


@pytest.mark.parametrize(("age", "ahead"), [(timedelta(days=40), ""), (-timedelta(days=1), "")])
def test_a_time_out_of_reach_is_refused_with_the_bounds_before_anything_is_made(
        rds: Any, age: timedelta, ahead: str) -> None:
    with pytest.raises(NotAcceptable, match=r"can be restored from \S+Z to \S+Z"):
        at_time(account(), datetime.now(UTC) - age, datetime.now(UTC))
    assert list(instances(rds)) == [DB]


def test_a_restore_that_rds_gives_up_is_told_at_once(rds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    restoration = Restoration(account(), THROWN_AWAY, "validation", Clock().waiting())
    restoration.begin(at_once(rds), protected=False)
    monkeypatch.setattr(restoration, "found", lambda: {"DBInstanceStatus": "incompatible-restore", "TagList": [
        {"Key": PURPOSE, "Value": "validation"}]})
    with pytest.raises(OperationError, match="is incompatible-restore"):
        restoration.await_available()


def test_the_pod_that_asks_has_no_password_in_its_manifest_and_only_reads() -> None:
    made = pod(SETTINGS, "candlefish-prod", "somewhere.rds.amazonaws.com")
    environment = {each["name"]: each for each in made["spec"]["containers"][0]["env"]}
    assert environment["PGHOST"]["value"] == "somewhere.rds.amazonaws.com"
    assert "value" not in environment["PGPASSWORD"]
    assert "default_transaction_read_only=on" in environment["PGOPTIONS"]["value"]
    assert made["spec"]["automountServiceAccountToken"] is False
