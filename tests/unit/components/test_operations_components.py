"""Rotations, cost findings and scheduled scaling: least privilege, by the clock, and only where the settings say so."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.node_groups import NodeGroups, NodeGroupsArgs
from infra.components.operations.operations import Operations, OperationsArgs
from infra.plans.clock import weekdays_at
from infra.plans.names import Names
from infra.settings import model
from infra.settings.operations import OffHours
from infra.settings.operations import Operations as Settings
from tests.unit.components.answering import ACCOUNT, Registrations, record

pytestmark = pytest.mark.unit

SCHEDULE, ROTATION = "aws:scheduler/schedule:Schedule", "aws:secretsmanager/secretRotation:SecretRotation"
FUNCTION, PERMISSION = "aws:lambda/function:Function", "aws:lambda/permission:Permission"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
NIGHTS = Settings(off_hours=OffHours(enabled=True, down="19:30", time_zone="America/Denver", stop_database=True))


def operations(settings: Settings) -> Registrations:
    def program() -> SimpleNamespace:
        made = Operations("operations", OperationsArgs(
            names=Names("test"), account_id=ACCOUNT, region="us-east-1", settings=settings, topic_arn="topic",
            data_key_arn="data-key", logs_key_arn="logs-key", log_retention_days=365, jwt_secret_arn="jwt-secret",
            cache_secret_arn="cache-secret", replication_group_id="cache", replication_group_arn="cache-arn",
            cluster_name="candlefish-test", cluster_arn="cluster-arn",
            node_groups={"base": model.NodeGroup(instance_types=("t3.large",), desired=3)},
            node_group_names={"base": "base-1a2b"}, database_id="db", database_arn="db-arn",
            alarm_prefix="test-candlefish-"), pulumi.ResourceOptions(providers=[aws.Provider("aws")]))
        return SimpleNamespace(names=pulumi.Output.all(**made.function_names))

    return record(program)


@pytest.fixture(scope="module")
def nights() -> Registrations:
    return operations(NIGHTS)


def policy(of: Registrations, name: str) -> dict[str, dict[str, Any]]:
    statements = json.loads(of.one(ROLE_POLICY, name).inputs["policy"])["Statement"]
    return {statement["Sid"]: statement for statement in statements}


def test_secrets_rotate_every_thirty_days_by_functions_that_secrets_manager_alone_calls(nights: Registrations) -> None:
    rotations = {each.name: each.inputs for each in nights.of(ROTATION)}
    assert {name: each["secretId"] for name, each in rotations.items()} == {
        "operations-rotation-keys": "jwt-secret", "operations-rotation-cache": "cache-secret"}
    assert all(each["rotationRules"] == {"automaticallyAfterDays": 30} for each in rotations.values())
    assert rotations["operations-rotation-cache"]["rotateImmediately"] is False
    assert sorted((each.inputs["principal"], each.inputs["sourceArn"], each.inputs["sourceAccount"])
                  for each in nights.of(PERMISSION)) == [
        ("secretsmanager.amazonaws.com", secret, ACCOUNT) for secret in ("cache-secret", "jwt-secret")]


def test_a_rotation_touches_its_own_secret_and_the_cache_alone(nights: Registrations) -> None:
    keys = policy(nights, "operations-rotation-keys-permissions")
    assert keys["Secret"]["Resource"] == ["jwt-secret"]
    cache = policy(nights, "operations-rotation-cache-permissions")
    assert (cache["Secret"]["Resource"], cache["Cache"]["Resource"]) == (["cache-secret"], ["cache-arn"])


def test_rotations_run_one_at_a_time_outside_the_vpc_with_the_shared_steps_packaged(nights: Registrations) -> None:
    for name in ("operations-rotation-keys-function", "operations-rotation-cache-function"):
        function = nights.one(FUNCTION, name).inputs
        assert function["reservedConcurrentExecutions"] == 1
        assert "vpcConfig" not in function
        assert "rotation/steps.py" in json.dumps(list(function["code"].assets))


def test_the_clock_calls_in_the_time_zone_of_the_settings_and_keeps_what_could_not_be_called(
        nights: Registrations) -> None:
    schedules = {each.name.removeprefix("operations-schedules-"): each.inputs for each in nights.of(SCHEDULE)}
    assert {name: (each["scheduleExpression"], each["scheduleExpressionTimezone"])
            for name, each in schedules.items()} == {
        "down": ("cron(30 19 ? * MON-FRI *)", "America/Denver"), "up": ("cron(0 8 ? * MON-FRI *)", "America/Denver"),
        "cost": ("cron(0 7 ? * MON *)", "UTC"), "settle": ("rate(1 day)", "UTC")}
    assert {name: json.loads(each["target"]["input"]) for name, each in schedules.items()} == {
        "down": {"action": "down"}, "up": {"action": "up"}, "cost": {}, "settle": {"action": "settle"}}
    assert all(each["target"]["deadLetterConfig"]["arn"] for each in schedules.values())
    assert all(each["flexibleTimeWindow"] == {"mode": "OFF"} for each in schedules.values())


def test_the_clocks_role_is_for_this_accounts_schedules_and_calls_three_functions(nights: Registrations) -> None:
    trust = json.loads(nights.one(ROLE, "operations-schedules").inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    statements = policy(nights, "operations-schedules")
    assert len(statements["Call"]["Resource"]) == 3
    assert statements["Call"]["Action"] == ["lambda:InvokeFunction"]


def test_scheduled_scaling_may_scale_these_groups_stop_this_database_and_silence_these_alarms(
        nights: Registrations) -> None:
    statements = policy(nights, "operations-scaling-function-permissions")
    assert statements["NodeGroups"]["Resource"] == [
        f"arn:aws:eks:us-east-1:{ACCOUNT}:nodegroup/candlefish-test/base-1a2b/*"]
    assert statements["Database"]["Resource"] == ["db-arn"]
    assert statements["Alarms"]["Resource"] == [f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:test-candlefish-*"]
    assert not any("Delete" in action for each in statements.values() for action in each["Action"])
    variables = nights.one(FUNCTION, "operations-scaling-function-function").inputs["environment"]["variables"]
    assert json.loads(variables["NODE_GROUPS"]) == {"base-1a2b": {"minSize": 2, "desiredSize": 3}}
    (state,) = nights.of("aws:ssm/parameter:Parameter")
    assert (state.inputs["insecureValue"], state.ignored) == ("{}", ("insecureValue",))


def test_without_off_hours_nothing_can_take_the_environment_down() -> None:
    made = operations(Settings())
    assert sorted(each.name.rpartition("-")[2] for each in made.of(SCHEDULE)) == ["cost", "settle"]
    assert made.of("aws:ssm/parameter:Parameter") == []
    assert sorted(made.built.names) == ["cacheRotation", "costOptimizer", "keyRotation"]


def test_a_database_that_runs_through_is_out_of_the_functions_reach() -> None:
    made = operations(Settings(off_hours=OffHours(enabled=True)))
    assert "Database" not in policy(made, "operations-scaling-function-permissions")
    variables = made.one(FUNCTION, "operations-scaling-function-function").inputs["environment"]["variables"]
    assert variables["DATABASE_ID"] == ""


@pytest.mark.parametrize(("scheduled", "ignored"), [
    (False, ("scalingConfig.desiredSize",)), (True, ("scalingConfig.desiredSize", "scalingConfig.minSize"))])
def test_the_sizes_that_the_night_changes_are_left_to_operations(scheduled: bool, ignored: tuple[str, ...]) -> None:
    def program() -> SimpleNamespace:
        NodeGroups("nodes", NodeGroupsArgs(
            cluster_name="c", version="1.34", subnet_ids=["s"], instance_tags={}, scheduled=scheduled,
            node_groups={"base": model.NodeGroup(instance_types=("t3.large",))}))
        return SimpleNamespace()

    (group,) = record(program).of("aws:eks/nodeGroup:NodeGroup")
    assert group.ignored == ignored


@pytest.mark.parametrize(("time", "expression"), [
    ("18:00", "cron(0 18 ? * MON-FRI *)"), ("08:05", "cron(5 8 ? * MON-FRI *)")])
def test_a_time_of_day_is_written_as_scheduler_reads_it(time: str, expression: str) -> None:
    assert weekdays_at(time) == expression
