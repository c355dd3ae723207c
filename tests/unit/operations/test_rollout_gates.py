"""When a rollout goes on, back, or holds: the gates of its stages, with a judge that is fed by hand and a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from operations.errors import Failed
from operations.rollout.assess import Assessor
from operations.rollout.gates import Kept
from operations.rollout.journal import Journal
from operations.rollout.judging import Sample, Thresholds
from operations.rollout.judging.sources import Source, SourceError
from operations.rollout.model import Held, OnHold, Phase, Record, Wish
from operations.rollout.pods import Fitness
from operations.rollout.waits import Waits

START = 1_000_020.0  # a whole minute
LIMIT = 600.0
AT = Thresholds(stage_seconds=300.0)
Share = Callable[[float], float]  # of requests that fail, at a moment in seconds since the start


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += max(seconds, 0.01)


@dataclass
class Book:
    """A journal in memory."""

    record: Record
    written: list[Record] = field(default_factory=list)

    def note(self, record: Record) -> None:
        self.record = record
        self.written.append(record)


@dataclass
class Fed:
    """So many requests a second to each colour, of which shares fail; in whole intervals, as CloudWatch has them."""

    rate: float = 20.0
    new: Share = lambda at: 0.0
    live: Share = lambda at: 0.0
    interval_seconds: float = 60.0
    delay_seconds: float = 120.0
    broken: bool = False

    def readable(self, now: datetime) -> datetime:
        at = int(now.timestamp() - self.delay_seconds)
        return datetime.fromtimestamp(at - at % int(self.interval_seconds), UTC)

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        if self.broken:
            raise SourceError("CloudWatch does not answer: throttled")
        seconds = (until - since).total_seconds()
        requests = round(seconds * self.rate)
        share = (self.new if colour == "green" else self.live)(until.timestamp() - START)
        return Sample(seconds, requests, round(requests * share))


class NoPods:
    def stay(self) -> None:
        pass


@dataclass
class Gate:
    """A stage at work, over virtual time."""

    source: Fed
    on_hold: OnHold = OnHold.STOP
    stages: tuple[float, ...] = (10.0, 100.0)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.book = Book(Record(1, "canary", "image:2", "image:1", "blue", "green", began=START, phase=Phase.STAGES,
                                stages=self.stages, entered=START, on_hold=self.on_hold))
        self.kept, self.assessor = self.process()

    def process(self) -> tuple[Kept, Assessor]:
        """Another one that goes on where the journal stands."""
        journal = cast(Journal, self.book)
        assessor = Assessor(journal, cast(Source, self.source), AT, self.said.append, self.clock)
        assessor._pool = cast(Any, SimpleNamespace(submit=_now, shutdown=lambda **more: None))
        waits = Waits(lambda: None, self.said.append, self.clock, self.clock.pause)
        return Kept(journal, waits, assessor, self.said.append, LIMIT, self.clock), assessor

    def judged(self) -> None:
        self.kept.judged(cast(Fitness, NoPods()))

    @property
    def minutes(self) -> float:
        return (self.clock.at - START) / 60


def _now(work: Callable[..., Any], *given: Any) -> Any:
    """An executor's submit, done when it returns."""
    def result() -> Any:
        return work(*given)

    return SimpleNamespace(done=lambda: True, result=result)


def test_a_healthy_stage_is_passed_when_its_minutes_were_read() -> None:
    gate = Gate(Fed())
    gate.judged()
    assert 7.0 <= gate.minutes <= 8.5  # 5 minutes of readings that come up to 3 minutes late
    assert gate.book.record.verdict is not None
    assert gate.book.record.verdict["ruling"] == "pass"


def test_a_stage_is_passed_on_its_own_requests_and_not_on_those_before_it() -> None:
    gate = Gate(Fed())
    gate.judged()
    before = gate.clock.at
    gate.book.note(replace(gate.book.record, stage=1, entered=before))
    gate.judged()
    assert gate.clock.at - before > 300
    assert gate.book.record.judged == 1


def test_what_fails_before_the_stage_s_first_reading_is_found_too() -> None:
    gate = Gate(Fed(new=lambda at: 0.5))
    gate.book.note(replace(gate.book.record, entered=START + 3600, judged=-1, mark=START))
    gate.clock.at = START + 3600
    with pytest.raises(Failed, match="of the new colour's requests fail"):
        gate.judged()


def test_a_release_that_fails_goes_back_with_the_judge_s_reason_and_numbers() -> None:
    gate = Gate(Fed(new=lambda at: 0.03))
    with pytest.raises(Failed, match=r"\d+ of \d+ requests of the new colour failed"):
        gate.judged()
    assert gate.book.record.verdict is not None
    assert gate.book.record.verdict["numbers"]["new_errors"] > 0
    assert any(note.startswith("fail: ") for note in gate.book.record.notes)


@pytest.mark.parametrize(("on_hold", "raised"), [(OnHold.STOP, Held), (OnHold.ABORT, Failed)])
def test_without_data_a_stage_is_held_for_its_limit(on_hold: OnHold, raised: type[Exception]) -> None:
    gate = Gate(Fed(rate=0.5), on_hold)
    with pytest.raises(raised, match="not decided after 600 s: not enough data"):
        gate.judged()
    assert LIMIT <= gate.clock.at - START < LIMIT + 1


def test_on_hold_promote_goes_on_without_data_but_not_while_both_colours_fail() -> None:
    gate = Gate(Fed(rate=0.5), OnHold.PROMOTE)
    gate.judged()
    assert "promoted by --on-hold" in gate.book.record.notes[-1]
    both = Gate(Fed(new=lambda at: 0.05, live=lambda at: 0.05), OnHold.PROMOTE)
    with pytest.raises(Held, match="both fail, so the release is not the cause"):
        both.judged()


def test_on_hold_wait_waits_until_there_is_data() -> None:
    gate = Gate(Fed(rate=1.5), OnHold.WAIT)
    gate.judged()
    assert gate.minutes > LIMIT / 60
    assert gate.book.record.verdict is not None
    assert gate.book.record.verdict["ruling"] == "pass"


def test_a_pause_ends_when_the_live_colour_recovers() -> None:
    def storm(at: float) -> float:
        return 0.02 if at < 120 else 0.0

    gate = Gate(Fed(rate=100.0, new=storm, live=storm))
    gate.judged()
    said = [note.partition(":")[0] for note in gate.book.record.notes]
    assert "pause" in said
    assert said[-1] == "pass"


def test_a_source_that_does_not_answer_is_told_and_nothing_is_passed_meanwhile() -> None:
    gate = Gate(Fed(broken=True))
    with pytest.raises(Held, match="CloudWatch does not answer: throttled"):
        gate.judged()
    assert gate.said.count("nothing is judged: CloudWatch does not answer: throttled") == 1
    gate.source.broken = False
    gate.judged()  # all that was missed is read
    assert gate.book.record.judge is not None
    assert gate.book.record.judge["state"]["seconds"] >= 300


def test_who_goes_on_elsewhere_says_what_the_first_would_have_said() -> None:
    whole, parts = Gate(Fed(new=lambda at: 0.0005)), Gate(Fed(new=lambda at: 0.0005))
    whole.judged()

    class Killed(BaseException):
        pass

    def killed(record: Record) -> None:
        Book.note(parts.book, record)
        if len(parts.book.written) % 2:
            raise Killed

    parts.book.note = killed  # type: ignore[method-assign]
    for _ in range(50):
        try:
            parts.judged()
            break
        except Killed:
            parts.kept, parts.assessor = parts.process()
    assert parts.book.record.judge == whole.book.record.judge
    assert parts.book.record.verdict == whole.book.record.verdict


def test_a_wish_passes_the_stage() -> None:
    gate = Gate(Fed(rate=0.0))
    gate.book.note(replace(gate.book.record, wish=Wish.PROMOTE))
    gate.judged()
    assert gate.clock.at == START


def test_a_batch_takes_its_time_and_ends_early_only_when_it_fails() -> None:
    gate = Gate(Fed(rate=0.0))
    gate.kept.timed(START, 120.0, cast(Fitness, NoPods()))
    assert 120 <= gate.clock.at - START < 121
    bad = Gate(Fed(new=lambda at: 0.5, interval_seconds=10.0, delay_seconds=0.0))
    with pytest.raises(Failed):
        bad.kept.timed(START, 120.0, cast(Fitness, NoPods()))
    assert bad.clock.at - START < 60


@pytest.mark.parametrize(("rate", "allowed", "text"), [
    (2.0, 10.0, "cost at most 10 of them"), (100.0, 0.4, "costs about 27 failed requests; 0.4 % keeps it to 10")])
def test_what_the_first_stage_may_cost_is_told(rate: float, allowed: float, text: str) -> None:
    exposure = Gate(Fed(rate=rate)).kept.exposure()
    assert (exposure.allowed, text in exposure.text) == (allowed, True), exposure


def test_a_long_absence_is_read_in_pieces() -> None:
    gate = Gate(Fed(rate=0.01, interval_seconds=30.0, delay_seconds=0.0))
    gate.book.note(replace(gate.book.record, mark=START))
    gate.clock.at = START + 3600
    lengths: list[timedelta] = []
    read = gate.source.read

    def reading(colour: str, since: datetime, until: datetime) -> Sample:
        lengths.append(until - since)
        return read(colour, since, until)

    gate.source.read = reading  # type: ignore[method-assign]
    for _ in range(100):
        gate.assessor.look()
    assert max(lengths) == timedelta(seconds=300)
    assert gate.book.record.mark == START + 3600
