"""Moving the time: order, retries on the way, interruptions, and what is switched off. Targets stand in."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.aws.clock import occurrences
from rehearsal.aws.clock.clock import Backwards, ClockError, Fired, VirtualClock
from rehearsal.aws.clock.deliveries import Delivery, Sender, Status
from rehearsal.aws.clock.record import ClockBusy, Record, RecordUnreadable
from rehearsal.aws.clock.sources import Found, Source

pytestmark = pytest.mark.unit

START = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
QUEUE, FUNCTION, LETTERS = (f"arn:aws:{part}" for part in (
    "sqs:us-east-1:1:target", "lambda:us-east-1:1:function:f", "sqs:us-east-1:1:letters"))


class Account:
    """SQS and Lambda as far as the clock calls them. `refuse`: so many calls of the target fail, then it works."""

    def __init__(self, refuse: int = 0, error: str = "AWS.SimpleQueueService.NonExistentQueue") -> None:
        self.refuse, self.error = refuse, error
        self.calls: list[str] = []
        self.letters: list[dict[str, Any]] = []
        self.before: Callable[[], None] = lambda: None

    def clients(self, service: str, region: str) -> Any:
        return self

    def get_queue_url(self, QueueName: str, QueueOwnerAWSAccountId: str) -> dict[str, str]:
        return {"QueueUrl": QueueName}

    def send_message(self, QueueUrl: str, MessageBody: str, MessageAttributes: Any = None) -> None:
        if QueueUrl == "letters":
            self.letters.append({"body": MessageBody, **{
                name: value["StringValue"] for name, value in (MessageAttributes or {}).items()}})
            return
        self._call(MessageBody)

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        try:
            self._call(Payload.decode())
        except ClientError:
            body = json.dumps({"errorType": "ValueError", "errorMessage": "no"}).encode()
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(body)}
        return {"Payload": io.BytesIO(b"{}")}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        return {"DeadLetterConfig": {"TargetArn": LETTERS}}

    def get_function_event_invoke_config(self, FunctionName: str) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetFunctionEventInvokeConfig")

    def _call(self, payload: str) -> None:
        self.before()
        self.calls.append(payload)
        if self.refuse:
            self.refuse -= 1
            raise ClientError({"Error": {"Code": self.error, "Message": "gone"}}, "Call")


def source(name: str, expression: str, target: str = QUEUE, *, enabled: bool = True, retries: int = 2,
           age_seconds: int = 3600, sender: Sender = Sender.SCHEDULER, zone: str = "UTC", **more: Any) -> Source:
    payload = f"{name} <aws.scheduler.scheduled-time> <aws.scheduler.attempt-number>"
    delivery = Delivery(sender, f"arn:{name}", target, payload, retries, age_seconds, LETTERS)
    return Source(f"{name} {expression}", f"arn:{name}", name, "schedule", expression, target,
                  occurrences.of_schedule(expression, zone), lambda due: delivery, enabled, **more)


class Sources:
    def __init__(self, *sources: Source) -> None:
        self.sources = list(sources)

    def find(self) -> Found:
        return Found(list(self.sources), [])


def clock(home: Path, sources: Sources, account: Account, incarnation: str = "one") -> VirtualClock:
    return VirtualClock(Record(home / "clock.json", incarnation), sources, account.clients, lambda: START)


@pytest.fixture(name="account")
def account_fixture() -> Account:
    return Account()


def names(fired: list[Fired] | Iterator[Fired]) -> list[tuple[str, str]]:
    return [(each.step.name, each.step.at.strftime("%d %H:%M:%S")) for each in fired]


def test_what_becomes_due_is_called_in_the_order_of_its_times(tmp_path: Path, account: Account) -> None:
    virtual = clock(tmp_path, Sources(source("late", "cron(0 20 * * ? *)"), source("early", "cron(30 18 * * ? *)"),
                                      source("often", "rate(1 hour)"), source("off", "rate(1 minute)", enabled=False),
                                      source("once", "at(2026-11-21T19:00:00)")), account)
    assert [step.name for step in virtual.upcoming()] == ["often", "early", "once", "late"]
    planned = [(step.name, step.at.strftime("%d %H:%M:%S")) for step in virtual.rehearse(START + 2 * HOUR)]
    assert account.calls == []
    assert names(virtual.advance(START + 2 * HOUR)) == planned == [
        ("often", "21 18:00:00"), ("early", "21 18:30:00"), ("often", "21 19:00:00"), ("once", "21 19:00:00"),
        ("late", "21 20:00:00"), ("often", "21 20:00:00")]
    assert account.calls[1] == "early 2026-11-21T18:30:00Z 1"
    assert virtual.state().now == START + 2 * HOUR
    assert names(virtual.advance(START + 3 * HOUR)) == [("often", "21 21:00:00")]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=4))
def test_however_the_way_is_cut_the_calls_are_the_same(cuts: list[int]) -> None:
    def run(stops: list[datetime]) -> list[tuple[str, str]]:
        with tempfile.TemporaryDirectory() as home:
            found = Sources(source("a", "cron(0/7 5-8 ? * SUN-TUE *)", zone="Australia/Lord_Howe"),
                            source("b", "rate(11 minutes)"), source("c", "cron(0 18 * * ? *)"))
            virtual = clock(Path(home), found, Account())
            return [each for stop in stops for each in names(virtual.advance(stop))]

    ends = sorted({START + cut * MINUTE for cut in cuts})
    assert run(ends) == run(ends[-1:])


def test_a_killed_move_goes_on_without_repeating_what_was_written_down(tmp_path: Path, account: Account) -> None:
    """Two are due at once; the command dies in the call of the second, and another time after one was yielded."""
    found = Sources(source("a", "rate(30 minutes)"), source("b", "rate(30 minutes)"))

    def dies() -> None:
        if len(account.calls) == 3:
            raise KeyboardInterrupt

    account.before = dies
    with pytest.raises(KeyboardInterrupt):
        list(clock(tmp_path, found, account).advance(START + HOUR))
    assert clock(tmp_path, found, account).state().now == START + 30 * MINUTE
    account.before = lambda: None
    after = clock(tmp_path, found, account).advance(START + HOUR)
    assert names(iter([next(after)])) == [("b", "21 18:30:00")]
    after.close()
    assert names(clock(tmp_path, found, account).advance(START + HOUR)) == [("a", "21 19:00:00"), ("b", "21 19:00:00")]
    assert len(account.calls) == 6


def test_a_call_that_was_not_written_down_is_made_again_with_the_same_id(tmp_path: Path, account: Account,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    found = Sources(replace(source("a", "at(2026-11-21T18:10:00)"), act=lambda due: Delivery(
        Sender.SCHEDULER, "arn:a", QUEUE, "<aws.scheduler.execution-id>", 0, 60)))
    virtual, write = clock(tmp_path, found, account), Record.write
    virtual.state()

    def dies(record: Record, state: Any) -> None:
        if account.calls:
            raise KeyboardInterrupt
        write(record, state)

    monkeypatch.setattr(Record, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        list(virtual.advance(START + HOUR))
    monkeypatch.setattr(Record, "write", write)
    list(clock(tmp_path, found, account).advance(START + HOUR))
    assert len(account.calls) == 2
    assert account.calls[0] == account.calls[1] != ""


def test_a_refused_call_is_retried_on_the_rehearsals_time_then_ends_in_the_dead_letters(tmp_path: Path) -> None:
    account = Account(refuse=99)
    virtual = clock(tmp_path, Sources(source("a", "at(2026-11-21T19:00:00)", retries=3)), account)
    fired = list(virtual.advance(START + 2 * HOUR))
    assert [each.status for each in fired] == [Status.RETRYING] * 3 + [Status.DEAD_LETTER]
    assert names(fired) == [("a", f"21 19:0{at}") for at in ("0:00", "0:15", "0:45", "1:45")]
    assert account.calls == [f"a 2026-11-21T19:00:00Z {number}" for number in (1, 2, 3, 4)]
    assert account.letters == [{
        "body": "a 2026-11-21T19:00:00Z 4", "ERROR_CODE": account.error, "ERROR_MESSAGE": "gone", "RETRY_ATTEMPTS": "3",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "TARGET_ARN": QUEUE, "SCHEDULE_ARN": "arn:a",
        "SCHEDULED_TIME": "2026-11-21T19:00:00Z", "IS_PAYLOAD_TRUNCATED": "false",
        "EXECUTION_ID": account.letters[0]["EXECUTION_ID"]}]


def test_retries_end_with_the_age_of_the_event(tmp_path: Path) -> None:
    account = Account(refuse=999)
    virtual = clock(tmp_path, Sources(source("a", "at(2026-11-21T19:00:00)", retries=185, age_seconds=3600)), account)
    fired = list(virtual.advance(START + 4 * HOUR))
    gaps = [after.step.at - before.step.at for before, after in pairwise(fired)]
    assert all(before <= after <= 5 * MINUTE for before, after in pairwise(gaps))
    assert 2 * HOUR - 5 * MINUTE < fired[-1].step.at - START <= 2 * HOUR
    assert account.letters[0]["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
    assert int(account.letters[0]["RETRY_ATTEMPTS"]) == len(fired) - 1


def test_a_retry_that_waits_outlives_the_command_and_falls_between_other_calls(tmp_path: Path) -> None:
    account = Account(refuse=1)
    found = Sources(source("a", "at(2026-11-21T19:00:00)", FUNCTION), source("b", "cron(0/1 19 * * ? *)"))
    first = list(clock(tmp_path, found, account).advance(START + HOUR + timedelta(seconds=30)))
    assert [each.status for each in first] == [Status.RETRYING, Status.DONE]
    assert [step.name for step in clock(tmp_path, found, account).upcoming()] == ["a", "b"]
    found.sources = found.sources[1:]  # its schedule is gone meanwhile; Lambda has the event
    assert names(clock(tmp_path, found, account).advance(START + HOUR + 2 * MINUTE)) == [
        ("a", "21 19:01:00"), ("b", "21 19:01:00"), ("b", "21 19:02:00")]


def test_a_failing_function_is_run_three_times_over_three_minutes_as_by_lambda(tmp_path: Path) -> None:
    account = Account(refuse=99)
    virtual = clock(tmp_path, Sources(source("a", "at(2026-11-21T19:00:00)", FUNCTION, retries=0)), account)
    fired = list(virtual.advance(START + 2 * HOUR))
    assert names(fired) == [("a", "21 19:00:00"), ("a", "21 19:01:00"), ("a", "21 19:03:00")]
    assert account.calls == ["a 2026-11-21T19:00:00Z 1"] * 3  # the same event each time
    assert fired[-1].status is Status.DEAD_LETTER
    assert account.letters == [{"body": account.calls[0], "ErrorCode": "200", "ErrorMessage": "ValueError: no",
                                "RequestID": account.letters[0]["RequestID"]}]


def test_a_rules_target_that_is_gone_is_not_tried_again(tmp_path: Path) -> None:
    account = Account(refuse=99)
    found = Sources(source("a", "at(2026-11-21T19:00:00)", sender=Sender.RULE))
    (fired,) = clock(tmp_path, found, account).advance(START + 2 * HOUR)
    assert fired.status is Status.DEAD_LETTER
    (letter,) = account.letters
    assert (letter["RULE_ARN"], letter["RETRY_ATTEMPTS"]) == ("arn:a", "0")
    assert not {"EXHAUSTED_RETRY_CONDITION", "SCHEDULE_ARN"} & letter.keys()


def test_times_that_pass_while_a_schedule_is_off_are_missed(tmp_path: Path, account: Account) -> None:
    found = Sources(source("a", "cron(0 * * * ? *)", enabled=False))
    assert not list(clock(tmp_path, found, account).advance(START + 3 * HOUR))
    found.sources = [replace(found.sources[0], enabled=True)]
    assert names(clock(tmp_path, found, account).advance(START + 5 * HOUR)) == [
        ("a", "21 22:00:00"), ("a", "21 23:00:00")]


def test_a_schedule_that_a_call_makes_or_takes_away_counts_at_once(tmp_path: Path, account: Account) -> None:
    found = Sources(source("a", "at(2026-11-21T19:00:00)"), source("gone", "cron(30 19 * * ? *)"))

    def changes() -> None:
        found.sources = [found.sources[0], source("new", "cron(15 19 * * ? *)")]

    account.before = changes
    assert [each[0] for each in names(clock(tmp_path, found, account).advance(START + 2 * HOUR))] == ["a", "new"]


def test_a_schedule_that_asks_for_it_is_deleted_after_its_last_time(tmp_path: Path, account: Account) -> None:
    deleted: list[str] = []
    found = Sources(source("once", "at(2026-11-21T19:00:00)", spent=lambda: deleted.append("once")),
                    source("always", "cron(0 19 * * ? *)", spent=lambda: deleted.append("always")))
    list(clock(tmp_path, found, account).advance(START + HOUR - MINUTE))
    assert deleted == []
    list(clock(tmp_path, found, account).advance(START + HOUR))
    assert set(deleted) == {"once"}


def test_the_time_moves_forward_only_and_by_one_command_at_a_time(tmp_path: Path, account: Account) -> None:
    found = Sources(source("a", "rate(1 minute)"))
    virtual = clock(tmp_path, found, account)
    for wrong in (START, START - MINUTE):
        with pytest.raises(Backwards, match="forward only"):
            list(virtual.advance(wrong))
        with pytest.raises(Backwards):
            list(virtual.rehearse(wrong))
    moving = virtual.advance(START + HOUR)
    next(moving)
    with pytest.raises(ClockBusy):
        list(clock(tmp_path, found, account).advance(START + HOUR))


def test_an_account_that_does_not_answer_stops_the_time_before_the_call(tmp_path: Path, account: Account) -> None:
    def silent() -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    found = Sources(source("a", "at(2026-11-21T19:00:00)"))
    account.before = silent
    with pytest.raises(ClockError, match="does not answer"):
        list(clock(tmp_path, found, account).advance(START + 2 * HOUR))
    account.before = lambda: None
    assert len(list(clock(tmp_path, found, account).advance(START + 2 * HOUR))) == 1
    found.find = silent  # type: ignore[method-assign]
    for asked in (lambda: clock(tmp_path, found, account).upcoming(),
                  lambda: list(clock(tmp_path, found, account).advance(START + 3 * HOUR))):
        with pytest.raises(ClockError, match="does not answer"):
            asked()


def test_the_record_of_other_emulators_counts_for_nothing_and_a_broken_one_is_told(
        tmp_path: Path, account: Account) -> None:
    found = Sources(source("a", "rate(1 hour)"))
    list(clock(tmp_path, found, account).advance(START + 2 * HOUR))
    assert clock(tmp_path, found, account, "two").state().now == START
    (tmp_path / "clock.json").write_text("{")
    with pytest.raises(RecordUnreadable, match=r"clock\.json"):
        clock(tmp_path, found, account).state()
