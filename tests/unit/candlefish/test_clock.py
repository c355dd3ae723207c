"""`candlefish rehearse clock`: what it takes, what it shows, how it leaves. Servers and targets stand in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from candlefish import app, clock
from candlefish.runtime import Rehearsal, Servers
from rehearsal.aws.clock import occurrences
from rehearsal.aws.clock.clock import VirtualClock
from rehearsal.aws.clock.deliveries import Delivery, Sender
from rehearsal.aws.clock.record import Record
from rehearsal.aws.clock.sources import Found, Source, Unmoved
from rehearsal.aws.servers import AwsEndpoint

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)  # a Saturday; 13:00 in New York, development's zone
TOPIC = "arn:aws:sns:us-east-1:1:alerts"
Run = Callable[..., tuple[int, str, str]]


class Finder:
    def find(self) -> Found:
        def act(due: datetime) -> Delivery:
            return Delivery(Sender.SCHEDULER, "arn:a", TOPIC, "{}", 0, 60)

        return Found([Source("a", "arn:a", "evening", "schedule", "cron(0 18 ? * MON-FRI *) America/New_York", TOPIC,
                             occurrences.of_schedule("cron(0 18 ? * MON-FRI *)", "America/New_York"), act)],
                     [Unmoved("database", "rotation", "rate(30 days)", "RDS rotates it")])

    def others(self) -> list[Unmoved]:
        return [Unmoved("health", "canary", "rate(5 minutes)", "nothing runs canaries here")]


class Topic:
    def __init__(self) -> None:
        self.published: list[str] = []

    def publish(self, TopicArn: str, Message: str) -> None:
        self.published.append(Message)


@pytest.fixture(name="topic")
def topic_fixture() -> Topic:
    return Topic()


@pytest.fixture(name="run")
def run_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                topic: Topic) -> Run:
    """Runs the command on a rehearsal that looks as if it ran: exit code, stdout, stderr."""
    endpoint = cast(AwsEndpoint, type("Endpoint", (), {"url": "http://127.0.0.1:1", "port": 1, "incarnation": "one"})())

    def made(rehearsal: Rehearsal, servers: Servers) -> Any:
        record = Record(rehearsal.home / "clock.json", servers.aws.incarnation)
        return VirtualClock(record, Finder(), lambda service, region: topic, lambda: NOW), Finder()

    monkeypatch.setenv("CANDLEFISH_REHEARSAL_HOME", str(tmp_path))
    monkeypatch.setattr(Rehearsal, "running", lambda self: Servers(endpoint))
    monkeypatch.setattr(clock, "_clock", made)
    home = tmp_path / "stacks" / "development"
    home.mkdir(parents=True)
    (home / "world.json").write_text('{"incarnation": "one"}')

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["candlefish", "rehearse", "clock", "--stack", "development", *arguments])
        with pytest.raises(SystemExit) as left:
            app.main()
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return run


@pytest.mark.parametrize(("arguments", "words"), [
    (("--advance", "-1h"), "--advance is '-1h'; allowed: 1m to 366d"),
    (("--advance", "0h"), "--advance is '0h'"), (("--advance", ""), "--advance is ''"),
    (("--advance", "soon"), "--advance is 'soon'"), (("--advance", "1.5h"), "--advance is '1.5h'"),
    (("--advance", "999999w"), "--advance is '999999w'"), (("--advance", "12h 30m"), "--advance is '12h 30m'"),
    (("--to", "2026-11-21T12:00-05:00"),
     "2026-11-21T17:00:00Z is not after the rehearsal's time, 2026-11-21T18:00:00Z"),
    (("--to", "2026-11-21T18:00Z"), "it moves forward only"), (("--to", "yesterday"), "--to is 'yesterday'; allowed"),
    (("--to", "0001-01-01T00:00+14:00"), "--to is '0001-01-01T00:00+14:00'"),
    (("--to", "2027-03-14T02:30"), "which the clocks skip in America/New_York"),
    (("--to", "2029-01-01T00:00Z"), "more than 366 days"),
    (("--to", "2026-12-01", "--advance", "1h"), "exclude each other"), (("--dry-run",), "--dry-run goes with")])
def test_what_the_time_cannot_be_moved_by_is_one_sentence_and_exit_two(
        run: Run, topic: Topic, arguments: tuple[str, ...], words: str) -> None:
    for more in ((), ("--json",)):
        code, out, told = run(*arguments, *more)
        assert (code, out) == (2, "")
        assert told.startswith("candlefish: ")
        assert words in told
        assert told.count("\n") == 1
    assert not topic.published


def test_the_time_and_what_comes_next_are_shown_in_both_zones_and_nothing_is_left_out(run: Run, topic: Topic) -> None:
    code, out, _ = run()
    assert code == 0
    assert out.startswith("2026-11-21T18:00:00Z  Sat 2026-11-21 13:00 EST  (America/New_York)")
    for words in ("Mon 2026-11-23 18:00 EST  2026-11-23T23:00:00Z  evening", "sns alerts", "RDS rotates it",
                  "nothing runs canaries here"):
        assert words in out
    document = json.loads(run("--json")[1])
    assert (document["now"], document["timeZone"]) == ("2026-11-21T18:00:00Z", "America/New_York")
    assert [each["at"] for each in document["next"]] == ["2026-11-23T23:00:00Z"]
    assert {each["kind"] for each in document["notMoved"]} == {"rotation", "canary"}
    assert not topic.published


def test_a_dry_run_shows_the_calls_and_moves_nothing(run: Run, topic: Topic) -> None:
    code, out, _ = run("--advance", "1w", "--dry-run", "--json")
    document = json.loads(out)
    assert (code, document["dryRun"], document["to"]) == (0, True, "2026-11-28T18:00:00Z")
    assert [each["local"] for each in document["calls"]] == [f"2026-11-{day}T18:00:00-05:00" for day in range(23, 28)]
    assert "5 calls until 2026-11-28T18:00:00Z" in run("--advance", "1w", "--dry-run")[1]
    assert json.loads(run("--json")[1])["now"] == "2026-11-21T18:00:00Z"
    assert not topic.published


def test_moving_calls_what_is_due_and_the_next_command_goes_on_from_there(run: Run, topic: Topic) -> None:
    code, out, _ = run("--to", "2026-11-24T00:00", "--json")  # in New York
    document = json.loads(out)
    assert (code, document["now"], document["local"]) == (0, "2026-11-24T05:00:00Z", "2026-11-24T00:00:00-05:00")
    assert [(each["at"], each["outcome"]) for each in document["calls"]] == [("2026-11-23T23:00:00Z", "done")]
    assert (document["counts"]["done"], len(topic.published)) == (1, 1)
    code, out, _ = run("--advance", "1d12h")
    assert (code, len(topic.published)) == (0, 2)
    assert "2026-11-25T17:00:00Z  Wed 2026-11-25 12:00 EST: 1 calls: 1 done" in out


def test_a_stack_that_does_not_run_is_told_how_to_start(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rehearsal, "running", lambda self: None)
    code, out, told = run("--advance", "1h")
    assert (code, out) == (1, "")
    assert "candlefish rehearse up --stack development" in told


def test_what_another_stack_made_is_not_this_ones_to_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDLEFISH_REHEARSAL_HOME", str(tmp_path))
    for stack in ("development", "staging"):
        folder = tmp_path / "stacks" / stack
        folder.mkdir(parents=True)
        (folder / "state.json").write_text(json.dumps({"deployment": {"resources": [
            {"type": "aws:scheduler/schedule:Schedule", "id": f"default/{stack}", "outputs": {"arn": f"arn:{stack}"}},
            {"type": "aws:secretsmanager/secretRotation:SecretRotation", "id": f"arn:secret:{stack}"},
            {"type": "aws:sqs/queue:Queue", "id": stack, "outputs": {"arn": f"arn:queue:{stack}"}}]}}))
    elsewhere = set(clock._owned_elsewhere(Rehearsal("development")))
    assert {"arn:staging", "arn:secret:staging"} <= elsewhere
    assert not {"arn:development", "arn:secret:development", "arn:queue:staging"} & elsewhere
