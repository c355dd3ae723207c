"""What holds for the judge whatever the samples are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.rollout.judging import Judge, Sample, Thresholds, merged
from operations.rollout.judging.verdict import Ruling

pytestmark = pytest.mark.unit

AT = Thresholds(stage_seconds=60)  # four intervals


@st.composite
def samples(draw: st.DrawFn, seconds: float = 15) -> Sample:
    """Traffic from none to much, mostly healthy, with all that a source may know or not."""
    requests = draw(st.one_of(st.integers(0, 30), st.integers(0, 20_000)))
    share = draw(st.sampled_from((0, 0.001, 0.01, 0.2, 1)))
    counted = st.integers(0, int(requests * share))
    gauge = st.none() | st.floats(0, 1e9)
    return Sample(seconds, requests, draw(counted), draw(counted), fps=draw(st.none() | st.floats(0, 120)),
                  memory_bytes=draw(gauge), critical_log_errors=draw(st.integers(0, 2)),
                  critical_animation_failures=draw(st.integers(0, 2)))


pairs = st.tuples(samples(), samples())
runs = st.lists(pairs, min_size=1, max_size=8)
begins = st.integers(0, 7)


def followed(judge: Judge, run: list[tuple[Sample, Sample]], stage_at: int) -> list[object]:
    said = []
    for index, (new, live) in enumerate(run):
        if index == stage_at:
            judge.begin(1)
        said.append(judge.observe(new, live))
    return said


@given(runs, begins, st.integers(0, 8))
def test_a_judge_that_was_saved_and_resumed_says_the_same_as_one_that_went_on(
        run: list[tuple[Sample, Sample]], stage_at: int, killed_at: int) -> None:
    straight, said = followed(Judge(AT), run, stage_at), []
    judge = Judge(AT)
    for index, (new, live) in enumerate(run):
        if index == killed_at:
            judge = Judge.from_dict(json.loads(json.dumps(judge.to_dict(), allow_nan=False)))
        if index == stage_at:
            judge.begin(1)
        said.append(judge.observe(new, live))
    assert said == straight


@given(runs, st.data())
def test_more_errors_of_the_new_colour_never_make_the_verdict_better(
        run: list[tuple[Sample, Sample]], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(run) - 1))
    new, live = run[index]
    name = data.draw(st.sampled_from(("errors", "slow", "critical_log_errors")))
    most = 5 if name == "critical_log_errors" else new.requests - getattr(new, name)
    worse = list(run)
    worse[index] = (replace(new, **{name: getattr(new, name) + data.draw(st.integers(0, most))}), live)
    for before, after in zip(followed(Judge(AT), run, -1), followed(Judge(AT), worse, -1), strict=True):
        assert after.ruling.severity >= before.ruling.severity  # type: ignore[attr-defined]


@given(st.lists(samples(), min_size=1, max_size=8), st.lists(samples(), min_size=1, max_size=8), st.randoms())
def test_the_order_of_samples_inside_an_interval_does_not_matter(
        new: list[Sample], live: list[Sample], random: object) -> None:
    straight, shuffled = Judge(AT), Judge(AT)
    verdict = straight.observe(merged(new), merged(live))
    random.shuffle(new)  # type: ignore[attr-defined]
    random.shuffle(live)  # type: ignore[attr-defined]
    assert shuffled.observe(merged(new), merged(live)) == verdict
    assert shuffled.to_dict() == straight.to_dict()


@given(runs)
def test_without_its_minutes_and_requests_nothing_passes(run: list[tuple[Sample, Sample]]) -> None:
    judge, seconds, requests = Judge(AT), 0.0, 0
    for new, live in run:
        seconds, requests = seconds + new.seconds, requests + new.requests
        if judge.observe(new, live).ruling is Ruling.PASS:
            assert seconds >= AT.stage_seconds
            assert requests >= 764  # log(999) / 0.00905, what the test of errors needs without any error


@given(runs)
def test_a_service_without_errors_is_never_rolled_back_for_errors(run: list[tuple[Sample, Sample]]) -> None:
    judge = Judge(AT)
    for new, live in run:
        clean = Sample(new.seconds, new.requests)
        assert judge.observe(clean, Sample(live.seconds, live.requests, live.errors, live.slow)).ruling in (
            Ruling.CONTINUE, Ruling.PASS)
