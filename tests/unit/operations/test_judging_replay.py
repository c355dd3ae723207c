"""The short form of `python -m operations.rollout.judging.replay`: the same replays, fewer of them."""

from __future__ import annotations

import functools
import random
from dataclasses import replace

import pytest

from operations.rollout.judging import Thresholds
from operations.rollout.judging.replay import SCENARIOS, Outcome, Row, checks, run
from operations.rollout.judging.replay_world import HOLD_SECONDS, hits, traffic

pytestmark = pytest.mark.unit

AT, SEED = Thresholds(), 1


@functools.cache
def replayed(name: str, replays: int = 60) -> tuple[Outcome, ...]:
    return tuple(run(name, replays, SEED, AT))


@pytest.mark.parametrize(("name", "replays"), [
    ("healthy, at the limit", 60), ("healthy, 0.05 % at 10 requests/s", 60), ("healthy, bursts of 5", 60),
    ("healthy, latency at the limit", 30), ("bad, 1 % errors", 150), ("bad, 1 % errors, live at the limit", 100),
    ("both 1 % errors", 60), ("both 30 % errors", 60), ("Prometheus, 1 % errors", 100), ("CloudWatch, healthy", 60)])
def test_nothing_refutes_the_figures_that_the_long_form_shows(name: str, replays: int) -> None:
    outcomes = replayed(name, replays)
    row = Row.of(name, outcomes)
    assert {outcome.result for outcome in outcomes} <= {"promoted", "rolled-back", "paused", "held"}
    assert not [check for check in checks({name: row}) if check.refuted], row


def test_releases_with_requests_enough_come_to_a_verdict() -> None:
    """Nothing is gained by a judge that holds everything."""
    for name, result in (("healthy, at the limit", "promoted"), ("bad, 10 % slow", "rolled-back"),
                         ("both 1 % errors", "paused")):
        fast = [each for each in replayed(name) if each.rate >= 100]
        assert len([each for each in fast if each.result == result]) / len(fast) > 0.95, name


def test_without_requests_enough_a_release_is_held_after_its_limit() -> None:
    slow = [each for each in replayed("healthy, at the limit") if each.rate < 5]
    assert {each.result for each in slow} == {"held"}
    assert all(each.seconds <= AT.stage_seconds + HOLD_SECONDS + 15 for each in slow)


def test_the_replays_would_notice_a_judge_without_the_bound_on_one_reading() -> None:
    row = Row.of("healthy, bursts of 5", run("healthy, bursts of 5", 40, SEED, replace(AT, reading_weight=1e9)))
    assert [check for check in checks({row.scenario: row}) if check.refuted]


def test_the_replays_would_notice_a_judge_that_misses_what_is_bad() -> None:
    row = Row.of("bad, 1 % errors", run("bad, 1 % errors", 40, SEED, replace(AT, error_healthy=0.01, error_bad=0.05)))
    assert [check for check in checks({row.scenario: row}) if check.refuted]


def test_a_raw_threshold_would_roll_back_what_is_healthy() -> None:
    """0.05 % at 10 requests/s, judged by whether the minute's share is above 0.1 %, over four stages of 5 minutes."""
    rng, scenario, wrong = random.Random(SEED), SCENARIOS["healthy, 0.05 % at 10 requests/s"], 0
    for _ in range(100):
        minutes = (traffic(rng, scenario, 10.0, percent / 100, 60)[0] for percent in (10, 25, 50, 100)
                   for _ in range(5))
        wrong += any(new.errors > 0.001 * new.requests for new in minutes)
    assert wrong > 50


def test_a_replay_is_the_same_for_the_same_seed() -> None:
    def once(seed: int) -> list[Outcome]:
        return run("bad, 0.4 % errors, live healthy", 20, seed, AT)

    assert once(3) == once(3)
    assert once(3) != once(4)


def test_hits_have_the_mean_and_the_spread_of_a_binomial_number() -> None:
    """Both ways of drawing them: 20 and 200 expected hits; 4 standard errors."""
    for trials, share in ((2000, 0.01), (20_000, 0.01)):
        rng = random.Random(SEED)
        drawn = [hits(rng, trials, share) for _ in range(2000)]
        mean, variance = sum(drawn) / 2000, trials * share * (1 - share)
        assert mean == pytest.approx(trials * share, abs=4 * (variance / 2000) ** 0.5)
        assert sum((x - mean) ** 2 for x in drawn) / 1999 == pytest.approx(variance, rel=0.13)
