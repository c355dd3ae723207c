"""What Lambda does with a stream's records: nothing is lost, nothing out of turn, nothing for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.aws.emulators.stream_batches import (
    PAYLOAD_BYTES,
    RETENTION_SECONDS,
    Answer,
    Batch,
    Condition,
    Discard,
    Invoke,
    Lane,
    Record,
    Rules,
    Wait,
    judge,
)

pytestmark = pytest.mark.unit

Function = Callable[[tuple[Record, ...]], Answer]


@dataclass
class Run:
    """What a lane did until nothing was left: the invocations, and what was given up."""

    invoked: list[list[str]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    discarded: list[tuple[list[str], Condition, int, str | None]] = field(default_factory=list)
    now: float = 0.0


def records(count: int, created: float = 0.0, size: int = 100) -> list[Record]:
    return [Record(f"{number:03}", created, size) for number in range(count)]


def run(rules: Rules, given: list[Record], function: Function, takes_seconds: float = 0.0, now: float = 0.0) -> Run:
    """Everything is in the stream at once; time passes only where the lane waits and while the function works."""
    lane, done = Lane(rules), Run(now=now)
    for record in given:
        lane.add(record, now)
    for _ in range(100_000):
        match lane.next(done.now):
            case Wait(None):
                return done
            case Wait(until):
                assert until is not None
                assert until > done.now
                done.now = until
            case Discard(batch, condition):
                done.discarded.append(([each.sequence for each in batch.records], condition, batch.invocations,
                                       batch.error))
            case Invoke(batch):
                done.invoked.append([each.sequence for each in batch.records])
                done.starts.append(done.now)
                answer = function(batch.records)
                done.now += takes_seconds
                verdict = judge(rules, batch, answer)
                done.acknowledged += [each.sequence for each in batch.records[:verdict.done]]
                lane.settle(verdict, done.now)
    raise AssertionError("it never ends")


def raising(*poisoned: str) -> Function:
    return lambda given: Answer(error="Unhandled") if any(each.sequence in poisoned for each in given) else Answer()


def reporting(*poisoned: str) -> Function:
    return lambda given: Answer({"batchItemFailures": [
        {"itemIdentifier": each.sequence} for each in given if each.sequence in poisoned]})


def works_after(failures: int) -> Function:
    left = [failures]

    def function(given: tuple[Record, ...]) -> Answer:
        left[0] -= 1
        return Answer(error="Unhandled") if left[0] >= 0 else Answer()

    return function


def test_a_function_that_works_gets_full_batches_in_order() -> None:
    done = run(Rules(batch_size=10), records(25), raising())
    assert [len(each) for each in done.invoked] == [10, 10, 5]
    assert done.acknowledged == [each.sequence for each in records(25)]


def test_a_batch_that_fails_too_often_is_given_up_and_the_next_goes_on() -> None:
    done = run(Rules(batch_size=2, retries=2), records(4), raising("000"))
    assert done.invoked == [["000", "001"]] * 3 + [["002", "003"]]
    assert done.discarded == [(["000", "001"], Condition.RETRIES, 3, "Unhandled")]
    assert done.acknowledged == ["002", "003"]


def test_retries_are_paced_and_the_pause_grows() -> None:
    starts = run(Rules(retries=6), records(1), raising("000")).starts
    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2])


def test_without_a_limit_a_record_blocks_until_the_stream_forgets_it() -> None:
    given = [Record("000", 0, 1), Record("001", RETENTION_SECONDS, 1)]
    done = run(Rules(batch_size=1), given, raising("000"), takes_seconds=600)
    assert [each[:2] for each in done.discarded] == [(["000"], Condition.AGE)]
    assert len(done.invoked) > 100
    assert done.acknowledged == ["001"]


def test_halving_finds_the_poisoned_record_and_a_split_is_no_retry() -> None:
    done = run(Rules(retries=0, bisect=True), records(100), raising("042"))
    assert done.discarded == [(["042"], Condition.RETRIES, 8, "Unhandled")]
    assert done.acknowledged == [each.sequence for each in records(100) if each.sequence != "042"]
    assert len(done.invoked) == 15  # 7 splits of 100, on each level the half without it, and the record alone


def test_a_report_moves_the_checkpoint_and_with_halving_costs_no_retry() -> None:
    done = run(Rules(retries=0, bisect=True, reports=True), records(8), reporting("005"))
    assert done.invoked[:2] == [["000", "001", "002", "003", "004", "005", "006", "007"], ["005", "006", "007"]]
    assert done.discarded == [(["005"], Condition.RETRIES, 3, None)]
    assert sorted(done.acknowledged) == ["000", "001", "002", "003", "004", "006", "007"]


def test_without_halving_everything_behind_the_checkpoint_is_given_up_together() -> None:
    done = run(Rules(retries=1, reports=True), records(4), reporting("002"))
    assert done.invoked == [["000", "001", "002", "003"], ["002", "003"]]
    assert done.discarded == [(["002", "003"], Condition.RETRIES, 2, None)]
    assert done.acknowledged == ["000", "001"]


@pytest.mark.parametrize("payload", [None, "", {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_empty_answer_is_complete_success(payload: Any) -> None:
    assert judge(Rules(reports=True), Batch(tuple(records(3))), Answer(payload)).done == 3


@pytest.mark.parametrize("payload", [
    "done", [], 7, {"batchItemFailures": "001"}, {"batchItemFailures": ["001"]}, {"batchItemFailures": [{}]},
    {"batchItemFailures": [{"itemIdentifier": ""}]}, {"batchItemFailures": [{"itemIdentifier": None}]},
    {"batchItemFailures": [{"identifier": "001"}]}, {"batchItemFailures": [{"itemIdentifier": "999"}]},
    {"batchItemFailures": [{"itemIdentifier": 1}]}, {"batchItemFailures": [{"itemIdentifier": ["001"]}]},
    {"batchItemFailures": [{"itemIdentifier": "001"}, {"itemIdentifier": ""}]},
])
def test_an_answer_that_makes_no_sense_is_complete_failure(payload: Any) -> None:
    assert judge(Rules(reports=True), Batch(tuple(records(3))), Answer(payload)).done == 0


def test_reports_mean_nothing_unless_they_are_asked_for() -> None:
    answer = Answer({"batchItemFailures": [{"itemIdentifier": "001"}]})
    assert judge(Rules(), Batch(tuple(records(3))), answer).done == 3
    assert judge(Rules(reports=True), Batch(tuple(records(3))), answer).done == 1


def test_the_lowest_reported_number_is_the_checkpoint() -> None:
    answer = Answer({"batchItemFailures": [{"itemIdentifier": "002"}, {"itemIdentifier": "001"}]})
    assert judge(Rules(reports=True), Batch(tuple(records(3))), answer).done == 1


def test_old_records_are_not_given_to_the_function() -> None:
    given = [Record("old", 0, 1), Record("young", 95, 1)]
    done = run(Rules(age_seconds=60), given, raising(), now=100)
    assert done.invoked == [["young"]]
    assert done.discarded == [(["old"], Condition.AGE, 0, None)]


def test_a_record_that_fails_is_given_up_when_it_is_too_old() -> None:
    done = run(Rules(age_seconds=60), records(1), raising("000"), takes_seconds=1)
    assert done.discarded[0][:2] == (["000"], Condition.AGE)
    assert 60 < done.now <= 67
    assert done.discarded[0][2] == len(done.invoked) > 5


def test_throttling_costs_no_retry() -> None:
    left = [20]

    def throttled(given: tuple[Record, ...]) -> Answer:
        left[0] -= 1
        return Answer(throttled=left[0] >= 0)

    done = run(Rules(retries=0), records(3), throttled)
    assert done.acknowledged == ["000", "001", "002"]
    assert not done.discarded


def test_the_window_gathers_records_until_it_closes_or_the_batch_is_full() -> None:
    lane = Lane(Rules(batch_size=3, window_seconds=5))
    first, second, third = records(3)
    lane.add(first, 10)
    assert lane.next(10) == Wait(15)
    lane.add(second, 14)
    assert lane.next(14) == Wait(15)
    assert lane.next(15) == Invoke(Batch((first, second)))
    lane.settle(judge(lane.rules, Batch((first, second)), Answer()), 16)
    for record in (first, second, third):
        lane.add(record, 16)
    assert lane.next(16) == Invoke(Batch((first, second, third)))


def test_a_batch_is_no_larger_than_an_invocation_may_be() -> None:
    done = run(Rules(batch_size=100, window_seconds=60), records(4, size=PAYLOAD_BYTES // 2), raising())
    assert [len(each) for each in done.invoked] == [2, 2]
    done = run(Rules(batch_size=100), records(2, size=PAYLOAD_BYTES + 1), raising())
    assert [len(each) for each in done.invoked] == [1, 1]  # a record alone is never held back


def test_a_function_that_fails_twice_loses_nothing() -> None:
    for rules in (Rules(retries=2), Rules(retries=0, bisect=True), Rules()):
        done = run(rules, records(10), works_after(2))
        assert done.acknowledged == [each.sequence for each in records(10)]
        assert not done.discarded


_RULES = st.builds(Rules, batch_size=st.integers(1, 12), window_seconds=st.sampled_from([0, 1.5]),
                   retries=st.integers(0, 4), age_seconds=st.sampled_from([-1, 60, 30]), bisect=st.booleans(),
                   reports=st.booleans())
_BEHAVIOUR = st.sampled_from(["works", "raises", "reports", "reports first", "nonsense", "throttled"])


@given(rules=_RULES, count=st.integers(0, 30), gaps=st.lists(st.integers(0, 20), min_size=30, max_size=30),
       behaviour=st.lists(_BEHAVIOUR, max_size=60), poisoned=st.sets(st.integers(0, 29), max_size=4),
       takes=st.sampled_from([0.0, 0.4, 9.0]))
def test_every_record_is_acknowledged_or_described_exactly_once(
        rules: Rules, count: int, gaps: list[int], behaviour: list[str], poisoned: set[int], takes: float) -> None:
    """Whatever the function does: raises, reports some or all, answers nonsense, is throttled; and then only the
    poisoned records fail."""
    moods = iter(behaviour)
    bad = {f"{number:03}" for number in poisoned}
    created = [sum(gaps[:number]) / 2 for number in range(count)]
    given_records = [Record(f"{number:03}", created[number], 1) for number in range(count)]
    start = created[-1] if created else 0.0
    not_counted = [0]

    def function(given: tuple[Record, ...]) -> Answer:
        match next(moods, "poison"):
            case "works":
                return Answer()
            case "raises":
                return Answer(error="Unhandled")
            case "reports":
                return Answer({"batchItemFailures": [{"itemIdentifier": given[len(given) // 2].sequence}]})
            case "reports first":
                return Answer({"batchItemFailures": [{"itemIdentifier": given[0].sequence}]})
            case "nonsense":
                return Answer({"batchItemFailures": [{}]})
            case "throttled":
                not_counted[0] += 1
                return Answer(throttled=True)
        return raising(*bad)(given)

    done = run(rules, given_records, function, takes, start)
    described = [sequence for batch, *_ in done.discarded for sequence in batch]
    assert Counter([*done.acknowledged, *described]) == Counter(each.sequence for each in given_records)
    assert done.acknowledged == sorted(done.acknowledged)  # in the stream's order
    by_sequence = {each.sequence: each.created for each in given_records}
    for batch, begun in zip(done.invoked, done.starts, strict=True):
        assert batch == sorted(batch)
        assert len(batch) <= rules.batch_size
        assert all(begun - by_sequence[sequence] <= rules.oldest_seconds for sequence in batch)
    # Each record starts the invocation of what begins with it at most so often; halving adds one for each cut.
    assert len(done.invoked) - not_counted[0] <= count * (rules.retries + 1) + (count if rules.bisect else 0)
    for batch, condition, _, _ in done.discarded:
        if condition is Condition.RETRIES and rules.bisect:
            assert len(batch) == 1  # nothing is given up because of its neighbour
