"""The rehearsal's time on the embedded AWS: real functions, queues and secrets are called when it is moved."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws.clock.clock import Fired, VirtualClock
from rehearsal.aws.clock.deliveries import Status, stamp
from rehearsal.aws.clock.record import Record
from rehearsal.aws.clock.sources import ROTATION, Finder
from tests.eventually import eventually
from tests.rehearsal.aws.lifecycles import Inputs, made
from tests.rehearsal.aws.test_rotation import current, deployed

pytestmark = pytest.mark.rehearsal

SCHEDULE, RULE, TARGET = ("aws:scheduler/schedule:Schedule", "aws:cloudwatch/eventRule:EventRule",
                          "aws:cloudwatch/eventTarget:EventTarget")
# Writes down what it is given, and fails when it is told to.
FUNCTION = """
    import json, boto3
    def handle(event, context):
        boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=json.dumps(event))
        if event.get("fail"):
            raise RuntimeError("as it was told")
        return event["action"]
"""
# Moves the time by a day, as a command does that somebody kills.
MOVER = """
    import sys
    from datetime import timedelta
    from pathlib import Path
    from rehearsal.aws.clients import Clients
    from rehearsal.aws.clock.clock import VirtualClock
    from rehearsal.aws.clock.record import Record
    from rehearsal.aws.clock.sources import Finder
    from rehearsal.aws.kept import GatewayKept
    url, port, incarnation, account, region, home = sys.argv[1:]
    shared = Clients(url, attempts=1).shared
    clients = lambda service, region: shared(service, region, account)
    clock = VirtualClock(Record(Path(home), incarnation), Finder(
        clients, GatewayKept("127.0.0.1", int(port)), account, region), clients, lambda: None)
    for fired in clock.advance(clock.state().now + timedelta(days=1)):
        pass
"""


@dataclass
class World:
    """A function, a queue that it writes to, a queue for dead letters, and a time that begins where the test wants."""

    aws: Any
    home: Path
    start: datetime = datetime(2026, 10, 30, 11, 0, tzinfo=UTC)

    def __post_init__(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("main.py", textwrap.dedent(FUNCTION))
        self.aws.client("iam").create_role(
            RoleName="r", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
        self.role = f"arn:aws:iam::{self.aws.account}:role/r"
        self.seen, self.letters = self.queue("seen"), self.queue("letters")
        self.function = self.aws.client("lambda").create_function(
            FunctionName="f", Runtime="python3.13", Role=self.role, Handler="main.handle", Timeout=30,
            Code={"ZipFile": archive.getvalue()}, DeadLetterConfig={"TargetArn": self.letters})["FunctionArn"]

    def queue(self, name: str) -> str:
        self.aws.client("sqs").create_queue(QueueName=name)
        return f"arn:aws:sqs:{self.aws.region}:{self.aws.account}:{name}"

    def url(self, arn: str) -> str:
        return str(self.aws.client("sqs").get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])

    def schedule(self, name: str, expression: str, input: Inputs | None = None, **more: Any) -> None:
        given = {"action": name, "queue": self.url(self.seen), "at": "<aws.scheduler.scheduled-time>", **(input or {})}
        target = {"arn": self.function, "roleArn": self.role, "input": json.dumps(given), **more.pop("target", {})}
        made(self.aws, SCHEDULE, {"name": name, "scheduleExpression": expression, "target": target,
                                  "flexibleTimeWindow": {"mode": "OFF"}, **more})

    @property
    def finder(self) -> Finder:
        return Finder(self.aws.client, self.aws.kept, self.aws.account, self.aws.region)

    @property
    def clock(self) -> VirtualClock:
        """As each command makes its own."""
        return VirtualClock(Record(self.home / "clock.json", self.aws.endpoint.incarnation), self.finder,
                            self.aws.client, lambda: self.start)

    def advance(self, **far: float) -> list[Fired]:
        clock = self.clock
        return list(clock.advance(clock.state().now + timedelta(**far)))

    def messages(self, arn: str) -> list[dict[str, Any]]:
        """All that are in the queue, taken out of it, in their order."""
        found: list[dict[str, Any]] = []
        while batch := self.aws.client("sqs").receive_message(
                QueueUrl=self.url(arn), MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages"):
            found += batch
            for message in batch:
                self.aws.client("sqs").delete_message(QueueUrl=self.url(arn), ReceiptHandle=message["ReceiptHandle"])
        return found

    def given(self) -> list[tuple[str, str]]:
        """What the function was given: action and the scheduled time."""
        events = [json.loads(message["Body"]) for message in self.messages(self.seen)]
        return [(event["action"], event["at"]) for event in events]


@pytest.fixture(name="world")
def world_fixture(aws: Any, tmp_path: Path) -> World:
    return World(aws, tmp_path)


def attributes(message: dict[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def test_nights_off_come_in_order_at_the_same_local_times_through_the_change_of_the_clocks(world: World) -> None:
    """From Friday morning to Tuesday; on the Sunday between, New York leaves daylight saving."""
    for name, hour in (("down", 18), ("up", 8)):
        world.schedule(name, f"cron(0 {hour} ? * MON-FRI *)", scheduleExpressionTimezone="America/New_York")
    world.schedule("off", "rate(1 hour)", state="DISABLED")
    fired = world.advance(days=4, hours=3)
    assert world.given() == [
        ("up", "2026-10-30T12:00:00Z"), ("down", "2026-10-30T22:00:00Z"), ("up", "2026-11-02T13:00:00Z"),
        ("down", "2026-11-02T23:00:00Z"), ("up", "2026-11-03T13:00:00Z")]
    assert [(each.status, each.said) for each in fired] == [
        (Status.DONE, json.dumps(action)) for action in ("up", "down", "up", "down", "up")]
    assert world.advance(hours=1) == []
    assert [(step.name, step.at.isoformat()) for step in world.clock.upcoming()] == [
        ("down", "2026-11-03T23:00:00+00:00"), ("up", "2026-11-04T13:00:00+00:00")]


def test_rates_one_time_and_ended_schedules_are_called_as_often_as_they_should(world: World) -> None:
    world.schedule("often", "rate(20 minutes)")
    world.schedule("once", "at(2026-10-30T08:30:00)", scheduleExpressionTimezone="America/New_York",
                   actionAfterCompletion="DELETE")
    world.schedule("ended", "cron(0/30 * * * ? *)", startDate="2026-10-30T11:30:00Z", endDate="2026-10-30T12:30:00Z")
    world.advance(minutes=90)
    world.advance(minutes=90)
    given = world.given()
    assert sorted(at for _, at in given) == [at for _, at in given]
    counts = {name: sum(each == name for each, _ in given) for name in ("often", "once", "ended")}
    assert counts == {"often": 10, "once": 1, "ended": 3}  # 11:00, 11:20 … 14:00
    assert {each["Name"] for each in world.aws.client("scheduler").list_schedules()["Schedules"]} == {"often", "ended"}


def test_a_function_that_fails_is_run_three_times_and_its_event_is_a_dead_letter(world: World) -> None:
    world.schedule("bad", "at(2026-10-30T12:00:00)", {"fail": True})
    fired = world.advance(hours=1, minutes=2)
    assert [each.status for each in fired] == [Status.RETRYING, Status.RETRYING]
    assert fired[0].said == "RuntimeError: as it was told"
    assert world.messages(world.letters) == []
    (last,) = world.advance(hours=1)
    assert (last.status, last.step.at.isoformat()) == (Status.DEAD_LETTER, "2026-10-30T12:03:00+00:00")
    assert world.given() == [("bad", "2026-10-30T12:00:00Z")] * 3
    (letter,) = world.messages(world.letters)
    assert json.loads(letter["Body"])["at"] == "2026-10-30T12:00:00Z"
    assert attributes(letter)["ErrorMessage"] == "RuntimeError: as it was told"


def test_a_target_that_is_gone_ends_in_the_schedules_dead_letters_after_its_retries(world: World) -> None:
    gone = world.queue("gone")
    world.schedule("lost", "at(2026-10-30T12:00:00)", target={
        "arn": gone, "deadLetterConfig": {"arn": world.letters},
        "retryPolicy": {"maximumRetryAttempts": 2, "maximumEventAgeInSeconds": 3600}})
    world.aws.client("sqs").delete_queue(QueueUrl=world.url(gone))
    fired = world.advance(hours=2)
    assert [each.status for each in fired] == [Status.RETRYING, Status.RETRYING, Status.DEAD_LETTER]
    (letter,) = world.messages(world.letters)
    told = attributes(letter)
    assert json.loads(letter["Body"])["action"] == "lost"
    assert "NonExistentQueue" in told["ERROR_CODE"]
    assert {name: told[name] for name in ("EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS", "SCHEDULED_TIME",
                                          "TARGET_ARN")} == {
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "RETRY_ATTEMPTS": "2", "TARGET_ARN": gone,
        "SCHEDULED_TIME": "2026-10-30T12:00:00Z"}
    assert told["SCHEDULE_ARN"].endswith(":schedule/default/lost")


def test_a_rule_with_a_rate_sends_the_scheduled_event_to_each_target(world: World) -> None:
    other = world.queue("other")
    made(world.aws, RULE, {"name": "hourly", "scheduleExpression": "rate(1 hour)"})
    made(world.aws, RULE, {"name": "off", "scheduleExpression": "rate(1 hour)", "state": "DISABLED"})
    for rule, id, arn in (("hourly", "a", world.seen), ("hourly", "b", other), ("off", "a", world.seen)):
        made(world.aws, TARGET, {"rule": rule, "targetId": id, "arn": arn,
                                 **({"input": '{"as": "it is"}'} if id == "b" else {})})
    assert [each.step.name for each in world.advance(hours=2)] == ["hourly/a", "hourly/b"] * 2
    events = [json.loads(message["Body"]) for message in world.messages(world.seen)]
    assert [(event["source"], event["detail-type"], event["time"]) for event in events] == [
        ("aws.events", "Scheduled Event", f"2026-10-30T{hour}:00:00Z") for hour in (12, 13)]
    assert len({event["id"] for event in events}) == 2
    assert [message["Body"] for message in world.messages(other)] == ['{"as": "it is"}'] * 2


def test_a_move_that_is_killed_goes_on_and_nothing_that_was_written_down_is_called_again(world: World) -> None:
    world.schedule("often", "rate(20 minutes)")
    world.advance(minutes=1)  # the child has no clock to begin with
    endpoint, aws = world.aws.endpoint, world.aws
    child = subprocess.Popen([
        sys.executable, "-c", textwrap.dedent(MOVER), endpoint.url, str(endpoint.port), endpoint.incarnation,
        aws.account, aws.region, str(world.home / "clock.json")])
    count = "ApproximateNumberOfMessages"
    eventually("eight calls were made", lambda: int(aws.client("sqs").get_queue_attributes(
        QueueUrl=world.url(world.seen), AttributeNames=[count])["Attributes"][count]) >= 8)
    child.kill()
    assert child.wait(timeout=10) == -signal.SIGKILL, "the child was done before it was killed"
    stands = world.clock.state().now
    assert world.start + timedelta(hours=2) <= stands < world.start + timedelta(days=1)
    world.advance(hours=1)
    times = [at for _, at in world.given()]
    last = stands + timedelta(hours=1)
    wanted = [stamp(each) for each in (world.start + n * timedelta(minutes=20) for n in range(80)) if each <= last]
    assert sorted(set(times)) == wanted
    assert len(times) - len(wanted) in (0, 1)  # the one that was under way may have been called twice


def test_secrets_rotate_when_their_days_are_over_and_one_that_fails_keeps_its_value(world: World) -> None:
    secrets = world.aws.client("secretsmanager")
    keys = secrets.create_secret(Name="keys", SecretString=json.dumps({"current": "a" * 64, "previous": ""}))["ARN"]
    bad = secrets.create_secret(Name="bad", SecretString="no document")["ARN"]
    function = deployed(world.aws, "key_rotation", OVERLAP_SECONDS="3600")
    for secret, at_once in ((keys, True), (bad, False)):
        made(world.aws, ROTATION, {"secretId": secret, "rotationLambdaArn": function, "rotateImmediately": at_once,
                                   "rotationRules": {"automaticallyAfterDays": 30}})
    first = world.advance(days=1)
    assert [(each.step.name, each.status) for each in first] == [(keys.split(":")[-1], Status.DONE)]
    announced = current(world.aws, keys)
    assert announced["current"] == "a" * 64  # the first rotation only announces
    later = world.advance(days=30)
    assert [(each.step.due.isoformat(), each.status) for each in later] == [
        ("2026-11-29T00:00:00+00:00", Status.DROPPED), ("2026-11-29T00:00:00+00:00", Status.DONE)]
    assert "no JSON object" in later[0].said
    assert current(world.aws, keys)["current"] == announced["next"]
    assert secrets.get_secret_value(SecretId=bad)["SecretString"] == "no document"


def test_what_is_not_moved_is_named_with_the_reason(world: World) -> None:
    world.aws.client("scheduler").create_schedule(
        Name="universal", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "RoleArn": world.role})
    world.aws.kept.put(world.aws.account, world.aws.region, ROTATION, "arn:aws:secretsmanager:us-east-1:1:secret:rds!x",
                       {"rotationEnabled": True, "rotationRules": {"automaticallyAfterDays": 7}})
    world.aws.client("backup").create_backup_vault(BackupVaultName="v")
    world.aws.client("backup").create_backup_plan(BackupPlan={"BackupPlanName": "p", "Rules": [
        {"RuleName": "daily", "TargetBackupVaultName": "v", "ScheduleExpression": "cron(0 9 * * ? *)"}]})
    found = [*world.finder.find().unmoved, *world.finder.others()]
    assert {(each.kind, each.name, each.expression) for each in found} == {
        ("schedule", "universal", "rate(1 hour) UTC"), ("rotation", "rds!x", "rate(7 days)"),
        ("backup plan", "p/daily", "cron(0 9 * * ? *)")}
    assert all(each.why for each in found)
    assert world.advance(days=8) == []


def test_every_schedule_is_seen_also_beyond_a_page_and_not_those_of_other_stacks(world: World) -> None:
    target = {"Arn": world.seen, "RoleArn": world.role, "Input": "{}"}
    arns = [world.aws.client("scheduler").create_schedule(
        Name=f"s{number}", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"},
        Target=target)["ScheduleArn"] for number in range(120)]
    assert len(world.finder.find().sources) == 120
    rest = Finder(world.aws.client, world.aws.kept, world.aws.account, world.aws.region, frozenset(arns[:100]))
    assert {each.arn for each in rest.find().sources} == set(arns[100:])
