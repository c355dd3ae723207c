"""Which curves of memory are leaks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from operations.rollout.judging import Judge, Ruling, Sample, Thresholds
from operations.rollout.judging.memory import growth, put

pytestmark = pytest.mark.unit

MIB = 1024 ** 2
Curve = Callable[[float], float]


def said(new: Curve, live: Curve = lambda t: 500 * MIB, minutes: float = 5, step: float = 15) -> Ruling:
    judge = Judge(Thresholds())
    judge.begin(0)
    ruling, time = Ruling.CONTINUE, 0.0
    while time < 60 * minutes and not ruling.final:
        time += step
        ruling = judge.observe(Sample(step, 1000, memory_bytes=new(time)), Sample(step, 9000, memory_bytes=live(time))
                               ).ruling
    return ruling


def leak(percent_per_minute: float) -> Curve:
    return lambda t: 500 * MIB * (1 + percent_per_minute / 100 * t / 60)


def noisy(curve: Curve, seed: int, share: float = 0.02) -> Curve:
    noise = random.Random(seed)
    return lambda t: curve(t) * (1 + noise.gauss(0, share))


def test_a_leak_is_found_within_the_stage() -> None:
    assert said(leak(5)) is Ruling.AT_ONCE
    assert said(leak(1)) is Ruling.PASS


def test_readings_every_second_and_every_half_minute_find_it_too() -> None:
    assert said(leak(5), step=1) is Ruling.AT_ONCE
    assert said(leak(5), step=30, minutes=10) is Ruling.AT_ONCE


@pytest.mark.parametrize("minutes_to_settle", [0.25, 0.5, 1, 1.5])
def test_a_warm_up_is_no_leak(minutes_to_settle: float) -> None:
    """Half as much again, filled exponentially."""
    assert said(lambda t: 500 * MIB * (1.5 - 0.5 * math.exp(-t / 60 / minutes_to_settle)), minutes=10) is Ruling.PASS


def test_a_step_is_no_leak() -> None:
    assert said(lambda t: (500 if t < 200 else 700) * MIB, minutes=8) is Ruling.PASS


def test_growth_that_the_live_colour_shows_too_is_no_leak_of_the_release() -> None:
    assert said(leak(5), live=leak(5)) is Ruling.PASS


def test_noise_and_collected_garbage_are_no_leak() -> None:
    """400 stages of 10 minutes each; an allocator that grows by a fifth and is collected every 70 s."""
    wrong = sum(said(noisy(lambda t: 500 * MIB * (1 + 0.2 * (t % 70) / 70), seed), minutes=10, step=30).final
                for seed in range(200))
    wrong += sum(said(noisy(lambda t: 500 * MIB, seed, share=0.05), minutes=10, step=30).final for seed in range(200))
    assert wrong == 0


def test_a_leak_is_found_in_noise() -> None:
    found = sum(said(noisy(leak(6), seed), minutes=8, step=15).final for seed in range(50))
    assert found >= 49


def test_a_hold_of_hours_judges_its_last_minutes() -> None:
    buckets = put([], 0, 1.0, None)
    for second in range(1, 7200, 15):
        buckets = put(buckets, second, 100.0 + (max(0, second - 6600) / 60) * 5, None)
    assert len(buckets) == 40
    grown = growth(buckets)
    assert grown is not None
    assert grown.per_minute == pytest.approx(0.04, rel=0.25)
