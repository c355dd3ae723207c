"""Public names that go over and come back: moto's Route 53, a CloudFront of four methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from infra.plans.hosts import hosts
from infra.settings.load import load_file
from operations.errors import Contested, NotAcceptable, OperationError
from operations.recovery.account import Account
from operations.recovery.direction import Side
from operations.recovery.failover import BACK, OVER, Failover, Move
from operations.recovery.journal import Journal
from operations.recovery.public_names import PublicNames
from tests.unit.recovery.fake_aws import FakeAws, Refusal

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
LOST, STANDING = (load_file(ROOT / f"Pulumi.{stack}.yaml") for stack in ("production", "recovery"))
THEIRS, OWN = hosts(LOST.domain), hosts(STANDING.domain)
MOVED = (*THEIRS.site, *THEIRS.static)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BALANCERS = {"lost": ("lost.elb.amazonaws.com", "ZLOST"), "standing": ("standing.elb.amazonaws.com", "ZSTANDING")}


class FakeCloudFront:
    """Distributions with aliases; what two of them would share is an error of the test."""

    def __init__(self) -> None:
        self.aliases = {"LOSTSITE": [*THEIRS.site], "LOSTSTATIC": [*THEIRS.static], "SITE": [*OWN.site],
                        "STATIC": [*OWN.static]}
        self.fail_after: int | None = None
        self.moves: list[tuple[str, str]] = []

    def get_paginator(self, operation: str) -> FakeCloudFront:
        assert operation == "list_distributions"
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        yield {"DistributionList": {"Items": [
            {"Id": id, "DomainName": f"{id.lower()}.cloudfront.net", "Aliases": {"Items": names}}
            for id, names in self.aliases.items()]}}

    def associate_alias(self, *, TargetDistributionId: str, Alias: str) -> None:
        if self.fail_after is not None and len(self.moves) >= self.fail_after:
            raise KeyboardInterrupt
        for names in self.aliases.values():
            if Alias in names:
                names.remove(Alias)
        self.aliases[TargetDistributionId].append(Alias)
        self.moves.append((Alias, TargetDistributionId))

    def get_distribution_config(self, *, Id: str) -> dict[str, Any]:
        return {"DistributionConfig": {"Aliases": {"Items": self.aliases[Id]}}}

    def get_distribution(self, *, Id: str) -> dict[str, Any]:
        return {"Distribution": {"Status": "Deployed"}}


def database(made: datetime) -> dict[str, Any]:
    return {"DBInstances": [{"DBInstanceIdentifier": "db", "DBInstanceStatus": "available",
                             "InstanceCreateTime": made}]}


def record(name: str, kind: str, domain: str, zone: str, **more: Any) -> dict[str, Any]:
    return {"Action": "CREATE", "ResourceRecordSet": {"Name": name, "Type": kind, **more, "AliasTarget": {
        "DNSName": domain, "HostedZoneId": zone, "EvaluateTargetHealth": False}}}


class FakeCluster:
    """read_only: when it was turned on; None: it is off."""

    def __init__(self, read_only: datetime | None) -> None:
        self.read_only = read_only

    def __enter__(self) -> FakeCluster:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, version: str, kind: str, name: str, namespace: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "managedFields": [{"time": (self.read_only or NOON).isoformat()}]},
                "data": {"READ_ONLY": "true" if self.read_only else "false"}}


class World:
    """Two stacks in one account: the lost one's region is gone, the other's database was restored at noon."""

    def __init__(self) -> None:
        self.cloudfront = FakeCloudFront()
        self.route53 = boto3.client("route53", region_name="us-east-1")
        self.ssm = boto3.client("ssm", region_name="us-west-2")
        self.zone = self.route53.create_hosted_zone(Name="candlefish.ai", CallerReference="1")["HostedZone"]["Id"]
        self.check = self.route53.create_health_check(CallerReference="c", HealthCheckConfig={
            "Type": "HTTPS", "FullyQualifiedDomainName": THEIRS.direct, "Port": 443, "Inverted": False,
            "Disabled": False})["HealthCheck"]["Id"]
        wanted = []
        for names, balancer, site, static in ((THEIRS, "lost", "LOSTSITE", "LOSTSTATIC"),
                                              (OWN, "standing", "SITE", "STATIC")):
            for name in (*names.site, *names.static):
                door = site if name in names.site else static
                for kind in ("A", "AAAA"):
                    wanted.append(record(name, kind, f"{door.lower()}.cloudfront.net", "Z2FDTNDATAQYW2"))
            wanted.append(record(names.direct, "A", *BALANCERS[balancer]))
            for role in ("PRIMARY", "SECONDARY"):
                more = {"HealthCheckId": self.check} if role == "PRIMARY" else {}
                wanted.append(record(names.api, "A", *BALANCERS[balancer], SetIdentifier=role.lower(), Failover=role,
                                     **more))
        self.route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": wanted})
        self.gone = Refusal("InternalFailure")
        self.databases: dict[str, Any] = {"us-east-1": self.gone, "us-west-2": database(NOON)}
        self.read_only: dict[str, datetime | None] = {"production": None, "recovery": None}
        self.silent: set[str] = set()
        self.aws = FakeAws({})
        self.clients = cache(self.aws.client)
        self.said: list[str] = []

    def state(self) -> Any:
        """Everything that a move may change, but for the proofs of ownership and the journal."""
        records = [each for page in self.route53.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=self.zone) for each in page["ResourceRecordSets"] if "AliasTarget" in each]
        check = self.route53.get_health_check(HealthCheckId=self.check)["HealthCheck"]["HealthCheckConfig"]
        return ({id: sorted(names) for id, names in self.cloudfront.aliases.items()},
                sorted(str(sorted(each.items())) for each in records), check["Inverted"], check["Disabled"])

    def leads(self, name: str, role: str = "") -> set[str]:
        return {each["AliasTarget"]["DNSName"].rstrip(".") for page in self.route53.get_paginator(
            "list_resource_record_sets").paginate(HostedZoneId=self.zone) for each in page["ResourceRecordSets"]
            if each["Name"].rstrip(".") == name and "AliasTarget" in each and each.get("Failover", "") == role}

    def move(self, operation: str, accept: bool = False) -> Failover:
        self.aws.answers = {("rds", region, "DescribeDBInstances"): answer for region, answer in self.databases.items()}

        def side(settings: Any) -> Side:
            stack = str(settings.environment)
            return Side(Account(stack, settings, self.clients), lambda: FakeCluster(self.read_only[stack]))  # type: ignore[arg-type, return-value]

        return Failover(Move(
            side(LOST), side(STANDING), PublicNames(self.cloudfront, self.route53, self.zone.rpartition("/")[2]),
            Journal(self.ssm, "recovery", OVER), lambda host: f"https://{host}", self.said.append, accept,
            lambda url: 0 if url.split("/")[2] in self.silent else 200), operation)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield World()


def come_home(world: World) -> None:
    """The recovery stack is silent since one, and production's database was restored at two."""
    world.read_only["recovery"] = NOON + timedelta(hours=1)
    world.databases["us-east-1"] = database(NOON + timedelta(hours=2))


def test_all_names_go_over(world: World) -> None:
    world.move(OVER).run()
    assert [world.leads(name) for name in THEIRS.site] == [{"site.cloudfront.net"}] * 2
    assert [world.leads(name) for name in THEIRS.static] == [{"static.cloudfront.net"}] * 3
    assert world.leads(THEIRS.api, "SECONDARY") == {"standing.elb.amazonaws.com"}
    assert world.leads(THEIRS.api, "PRIMARY") == {"lost.elb.amazonaws.com"}
    assert world.state()[2:] == (True, True)
    assert world.cloudfront.aliases["LOSTSITE"] == []


def test_over_and_back_leaves_everything_as_it_was(world: World) -> None:
    before = world.state()
    world.move(OVER).run()
    come_home(world)
    world.move(BACK).run()
    assert world.state() == before


def test_a_second_time_writes_nothing(world: World) -> None:
    world.move(OVER).run()
    assert world.move(OVER).planned() == []
    assert world.move(OVER).run().changed == ()


@pytest.mark.parametrize("after", [0, 2, 3])  # before the first alias, and within each distribution's
def test_killed_in_the_middle_it_is_gone_on_with_and_can_come_back(world: World, after: int) -> None:
    before = world.state()
    world.cloudfront.fail_after = after
    with pytest.raises(KeyboardInterrupt):
        world.move(OVER).run()
    world.cloudfront.fail_after = None
    come_home(world)
    if after % 2:
        world.move(BACK).run()
        assert world.state() == before
        return
    world.move(OVER, accept=True).run()
    assert any("going on" in line for line in world.said)
    assert world.cloudfront.aliases["LOSTSITE"] == world.cloudfront.aliases["LOSTSTATIC"] == []
    assert len(world.cloudfront.moves) == len(MOVED)


def test_a_dry_run_says_every_write_and_makes_none(world: World) -> None:
    before = world.state()
    assert len(world.move(OVER).planned()) == 2 + 2 * len(MOVED)
    assert world.state() == before
    assert not world.ssm.describe_parameters()["Parameters"]


def test_ownership_of_a_name_is_shown_to_cloudfront_before_it_is_moved(world: World) -> None:
    world.move(OVER).run()
    found = {each["Name"]: each["ResourceRecords"][0]["Value"] for each in world.route53.list_resource_record_sets(
        HostedZoneId=world.zone)["ResourceRecordSets"] if each["Type"] == "TXT"}
    assert found[f"_{THEIRS.apex}."] == '"site.cloudfront.net"'
    assert found[f"_{THEIRS.docs}."] == '"static.cloudfront.net"'


def test_a_stack_that_does_not_serve_gets_no_names(world: World) -> None:
    world.silent = {OWN.api}
    before = world.state()
    with pytest.raises(OperationError, match=rf"recovery does not serve: {OWN.api} .* answers nothing"):
        world.move(OVER).run()
    assert world.state() == before


def spoil_alive(world: World) -> None:
    world.databases["us-east-1"] = database(NOON - timedelta(days=9))


@pytest.mark.parametrize(("operation", "spoil", "why"), [
    (OVER, spoil_alive, "production may still write: backend-api-read-only is not on"),
    (BACK, lambda world: None, "has no database to take over with: us-east-1 answers"),
    (BACK, lambda world: world.databases.update({"us-east-1": database(NOON + timedelta(hours=2))}),
     "recovery may still write"),
    (BACK, lambda world: (come_home(world), world.databases.update({"us-east-1": database(NOON)})),
     "production's database was made at 2026-11-22 12:00:00 UTC, and recovery wrote until 2026-11-22 13:00:00 UTC"),
    (BACK, lambda world: (come_home(world), world.databases.update({"us-west-2": Refusal("InternalFailure")})),
     "nobody can tell what recovery has written"),
])
def test_what_would_be_lost_is_refused_unless_it_is_accepted(
        world: World, operation: str, spoil: Callable[[World], object], why: str) -> None:
    if operation == BACK:
        world.move(OVER).run()
    spoil(world)
    before = world.state()
    with pytest.raises(OperationError, match=why):
        world.move(operation).run()
    with pytest.raises(OperationError, match=why):
        world.move(operation).planned()
    assert world.state() == before
    world.move(operation, accept=True).run()
    assert world.state() != before


def test_a_region_that_does_not_answer_holds_no_failover_up(world: World) -> None:
    world.databases["us-east-1"] = EndpointConnectionError(endpoint_url="https://rds.us-east-1.amazonaws.com")
    world.move(OVER).run()


def test_nobody_goes_back_who_does_not_know_from_where(world: World) -> None:
    world.cloudfront.aliases["SITE"] += world.cloudfront.aliases.pop("LOSTSITE")
    with pytest.raises(OperationError, match=r"nothing tells which distribution candlefish\.ai came from"):
        world.move(BACK).run()


def test_a_record_that_somebody_changes_meanwhile_is_left_to_them(world: World) -> None:
    names = PublicNames(world.cloudfront, world.route53, world.zone.rpartition("/")[2])
    stale = names._records(THEIRS.apex, "")
    names._records = lambda name, role: stale  # type: ignore[method-assign]
    with pytest.raises(Contested, match=r"candlefish\.ai was led to site\.cloudfront\.net and leads elsewhere again"):
        names.point(THEIRS.apex, "site.cloudfront.net")


def test_two_at_once_stop_each_other(world: World) -> None:
    journal, other = (Journal(world.ssm, "recovery", OVER) for _ in range(2))
    world.move(OVER).run()
    mine, theirs = journal.read(), other.read()
    assert mine is not None
    assert theirs is not None
    other.write(theirs)
    with pytest.raises(Contested, match="somebody else works on failover of recovery"):
        journal.write(mine)


def test_a_stack_that_is_not_ready_for_the_names_is_wrong_usage() -> None:
    staging = load_file(ROOT / "Pulumi.staging.yaml")
    side = Side(Account("staging", staging, lambda *_: None), lambda: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(NotAcceptable, match=r"not ready for the names of production: its `domain\.alsoServes` is ''"):
        Failover(Move(Side(Account("production", LOST, lambda *_: None), lambda: None), side,  # type: ignore[arg-type, return-value]
                      None, None, str, print), OVER)  # type: ignore[arg-type]
