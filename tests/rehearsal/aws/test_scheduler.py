"""EventBridge Scheduler and SSM's parameters through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import Inputs, World, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

SCHEDULE, GROUP, PARAMETER = "aws:scheduler/schedule:Schedule", "aws:scheduler/scheduleGroup:ScheduleGroup", \
    "aws:ssm/parameter:Parameter"


def evening(place: World, **more: Any) -> Inputs:
    return {"name": "down", "scheduleExpression": "cron(0 18 ? * MON-FRI *)", "flexibleTimeWindow": {"mode": "OFF"},
            "target": {"arn": place.queue, "roleArn": place.role, "input": '{"action":"down"}'}, **more}


def test_a_schedule_lives_in_its_time_zone_with_retries_and_dead_letters(aws: Any) -> None:
    place = world(aws)
    target = {"arn": place.queue, "roleArn": place.role, "input": '{"action":"down"}',
              "deadLetterConfig": {"arn": place.queue},
              "retryPolicy": {"maximumRetryAttempts": 5, "maximumEventAgeInSeconds": 3600}}
    lives(aws, SCHEDULE, evening(place, scheduleExpressionTimezone="America/Denver", target=target),
          {"scheduleExpression": "rate(1 day)"}, {"scheduleExpressionTimezone": "UTC"}, {"state": "DISABLED"},
          {"target": {**target, "input": '{"action":"up"}'}}, {"description": "in the evening"})


def test_schedules_of_a_group_are_named_in_it(aws: Any) -> None:
    place = world(aws)
    lives(aws, GROUP, {"name": "g"})
    group, _ = made(aws, GROUP, {"name": "operations"})
    id, outputs = made(aws, SCHEDULE, evening(place, groupName=group))
    assert (id, outputs["groupName"]) == ("operations/down", "operations")


@pytest.mark.parametrize(("wrong", "message"), [
    ({"scheduleExpression": "cron(0 18 * * MON-FRI *)"}, "Invalid Schedule Expression"),
    ({"scheduleExpression": "cron(0 18 ? * MON-FRI)"}, "Invalid Schedule Expression"),
    ({"scheduleExpression": "cron(0 25 ? * MON-FRI *)"}, r"Invalid Schedule Expression: hours: '25'"),
    ({"scheduleExpression": "at(2026-02-30T08:00:00)"}, "Invalid Schedule Expression"),
    ({"scheduleExpression": "every day"}, "Invalid Schedule Expression"),
    ({"scheduleExpressionTimezone": "Denver"}, "not a supported timezone"),
    ({"flexibleTimeWindow": {"mode": "FLEXIBLE"}}, "has a maximum"),
    ({"state": "ON"}, "ENABLED"), ({"groupName": "nobody"}, "does not exist")])
def test_a_schedule_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, SCHEDULE, evening(world(aws), **wrong), message)


@pytest.mark.parametrize(("wrong", "message"), [
    ({"arn": "arn:aws:sqs:us-east-1:{account}:nobody"}, "target.arn"),
    ({"roleArn": "arn:aws:iam::{account}:role/nobody"}, "target.roleArn"),
    ({"deadLetterConfig": {"arn": "arn:aws:sqs:us-east-1:{account}:nobody"}}, "deadLetterConfig"),
    ({"retryPolicy": {"maximumRetryAttempts": 186}}, "within 0 and 185")])
def test_what_a_schedule_calls_must_exist(aws: Any, wrong: Inputs, message: str) -> None:
    place = world(aws)
    wrong = {key: value.format(account=aws.account) if isinstance(value, str) else
             {k: v.format(account=aws.account) if isinstance(v, str) else v for k, v in value.items()}
             for key, value in wrong.items()}
    refused(aws, SCHEDULE, evening(place, target={"arn": place.queue, "roleArn": place.role, **wrong}), message)


def test_a_parameter_keeps_its_value_in_the_open_or_as_a_secret(aws: Any) -> None:
    key = world(aws).key
    lives(aws, PARAMETER, {"name": "/a/state", "type": "String", "insecureValue": "{}", "description": "d"},
          {"insecureValue": '{"phase":"up"}'}, {"description": "e"})
    lives(aws, PARAMETER, {"name": "secret", "type": "SecureString", "value": "s", "keyId": key}, {"value": "t"})


@pytest.mark.parametrize(("wrong", "message"), [
    ({"name": "a/b"}, "leading /"), ({"name": "aws-thing"}, "can't begin"), ({"type": "Number"}, "Number"),
    ({"insecureValue": "x" * 4097}, "1 to 4096")])
def test_a_parameter_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, PARAMETER, {"name": "p", "type": "String", "insecureValue": "v", **wrong}, message)
