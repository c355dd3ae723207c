"""Secrets: what they are called, when they are due, and rotations that end, do not end, or may not begin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.plans.names import Names
from infra.settings.load import load_file
from operations.errors import NotAcceptable, OperationError
from operations.upkeep.secrets import ROTATED_SECONDS, Secrets, spoken
from tests.unit.recovery.fake_aws import FakeAws

pytestmark = pytest.mark.unit
SETTINGS = load_file(Path(__file__).parents[3] / "Pulumi.production.yaml")
HOME = "us-east-1"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
OURS = [{"Key": "Project", "Value": "candlefish"}, {"Key": "Stack", "Value": "production"}]
ARN = f"arn:aws:secretsmanager:{HOME}:1:secret:"
FUNCTION = f"arn:aws:lambda:{HOME}:1:function:production-candlefish-key-rotation"
OLD, NEW = "a" * 32, "b" * 32


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"ARN": f"{ARN}{name}-AbCdEf", "Name": name, "CreatedDate": NOW - timedelta(days=100),
            "LastChangedDate": NOW - timedelta(days=40), "SecretVersionsToStages": {OLD: ["AWSCURRENT"]},
            "Tags": OURS, **more}


ROTATES = {"RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 30}, "RotationLambdaARN": FUNCTION}
JWT = entry("candlefish/jwt-key-production-0a1b2c3d4e", **ROTATES, LastRotatedDate=NOW - timedelta(days=3))
CACHE = entry("cache-auth-7cd9d04", **ROTATES)
SLACK = entry("candlefish-production/slack-4c5665810910765a16c33e7c20")
RDS = entry("rds!db-1", RotationEnabled=True, RotationRules={"AutomaticallyAfterDays": 7}, Tags=[
    {"Key": "aws:rds:primaryDBInstanceArn", "Value": f"arn:aws:rds:{HOME}:1:db:production-candlefish-db"}])
ANOTHERS = entry("candlefish/jwt-key-staging-0a1b2c3d4e", Tags=[
    {"Key": "Project", "Value": "candlefish"}, {"Key": "Stack", "Value": "staging"}])


class World:
    """A rotation makes the new version current after so many looks; None: never."""

    def __init__(self, *secrets: dict[str, Any], looks: int | None = 2) -> None:
        self.looks, self.seconds, self.calls = looks, 0.0, []  # type: ignore[var-annotated]
        fake = FakeAws({
            ("secretsmanager", HOME, "ListSecrets"): {"SecretList": list(secrets)},
            ("secretsmanager", HOME, "DescribeSecret"): self._describe,
            ("secretsmanager", HOME, "RotateSecret"): self._called("rotate"),
            ("rds", HOME, "ModifyDBInstance"): self._called("modify")})
        self.work = Secrets("production", SETTINGS, fake.client("secretsmanager", HOME), fake.client("rds", HOME),
                            pause=self._pause, now=lambda: self.seconds)

    def _called(self, what: str) -> Any:
        def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
            self.calls.append((what, dict(asked)))
            return {}

        return answer

    def _describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if self.calls and self.looks is not None:
            self.looks -= 1
        done = self.looks is not None and self.looks < 0
        return {"VersionIdsToStages": {OLD: ["AWSPREVIOUS"], NEW: ["AWSCURRENT"]} if done else {OLD: ["AWSCURRENT"]}}

    def _pause(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def world() -> World:
    return World(JWT, CACHE, SLACK, RDS, ANOTHERS)


def test_secrets_have_the_names_that_people_use_and_others_stacks_are_left_out(world: World) -> None:
    found = {each.name: each for each in world.work.all()}
    assert set(found) == {"jwt-key", "cache-auth", "slack", "database"}
    assert {name: each.every for name, each in found.items()} == {
        "jwt-key": 30, "cache-auth": 30, "slack": None, "database": 7}
    assert spoken("candlefish/jwt-key-production-20261122001122334400000001", Names("production")) == "jwt-key"


def test_what_was_not_rotated_in_time_is_overdue(world: World) -> None:
    found = {each.name: each.overdue(NOW) for each in world.work.all()}
    assert found == {"jwt-key": False, "cache-auth": True, "slack": False, "database": True}


def test_a_rotation_is_waited_for_until_the_new_value_is_current(world: World) -> None:
    done = world.work.rotate(world.work.named("jwt-key"))
    assert (done["version"], done["before"]) == (NEW, OLD)
    ((what, asked),) = world.calls
    assert (what, asked["SecretId"]) == ("rotate", JWT["ARN"])


def test_the_databases_password_is_rds_to_rotate(world: World) -> None:
    world.work.rotate(world.work.named("database"))
    ((what, asked),) = world.calls
    assert what == "modify"
    assert asked == {"DBInstanceIdentifier": "production-candlefish-db", "RotateMasterUserPassword": True,
                     "ApplyImmediately": True}


def test_a_rotation_that_does_not_end_is_told_with_its_log() -> None:
    world = World(JWT, looks=None)
    with pytest.raises(OperationError, match=r"no new value after 900 s.*aws logs tail /aws/lambda/production-cand"):
        world.work.rotate(world.work.named("jwt-key"))
    assert world.seconds > ROTATED_SECONDS


def test_one_that_is_under_way_is_not_begun_again() -> None:
    pending = {**JWT, "SecretVersionsToStages": {OLD: ["AWSCURRENT"], NEW: ["AWSPENDING"]}}
    world = World(pending)
    with pytest.raises(OperationError, match=f"--remove-from-version-id {NEW}"):
        world.work.rotate(world.work.named("jwt-key"))
    assert world.calls == []
    assert World({**JWT, "SecretVersionsToStages": {OLD: ["AWSCURRENT", "AWSPENDING"]}}).work.all()[0].pending == ""


@pytest.mark.parametrize(("name", "words"), [
    ("jwt", "has no secret 'jwt'; it has cache-auth, database, jwt-key, slack"),
    ("slack", "filled by hand and has no rotation")])
def test_what_can_not_be_rotated_is_refused_before_anything_is_done(name: str, words: str, world: World) -> None:
    with pytest.raises(NotAcceptable, match=words):
        world.work.named(name)
    assert world.calls == []
