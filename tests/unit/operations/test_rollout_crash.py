"""Rollouts that end before or after any of their writes, on a played cluster; `make soak` has a thousand points."""

from __future__ import annotations

import random

import pytest

from operations.rollout.model import Record, Result
from tests.soak import play
from tests.soak.clock import Clock, playing
from tests.soak.fates import Fate, Fault, Side
from tests.soak.points import Point, points

pytestmark = pytest.mark.unit

SEED, POINTS = 20261121, 40


def test_a_rollout_that_is_killed_at_any_write_is_ended_by_the_same_command() -> None:
    told = play.sweep(points(SEED, POINTS, 0, play.writes()), SEED, print)
    assert told.wrong == []
    assert (told.points, told.rollouts, told.lost) == (POINTS, POINTS, 0)
    assert told.unreached < POINTS / 4
    assert told.requests > 100_000
    assert max(told.seconds) <= play.WORK_SECONDS


def _released(lag_seconds: float, drain_seconds: int) -> tuple[Record | str, int]:
    """The end of a release, and the requests that it lost."""
    clock = Clock()
    with playing(clock), play.played(clock, random.Random(1), lag_seconds, drain_seconds) as world:
        end = play.run(world, "forward", "example/website:2.0", Fate(now=clock.now, renewing=lambda: clock.renewing),
                       "somebody", lambda line: None)
        clock.sleep(lag_seconds + 1)
        return end, world.lost


@pytest.mark.parametrize(("lag_seconds", "drain_seconds", "loses"), [(20.0, 20, False), (60.0, 61, False),
                                                                     (5.0, 1, True), (60.0, 20, True)])
def test_without_a_hold_the_drain_covers_the_lag_and_nothing_else_does(
        lag_seconds: float, drain_seconds: int, loses: bool) -> None:
    end, lost = _released(lag_seconds, drain_seconds)
    assert isinstance(end, Record)
    assert end.result is Result.PROMOTED
    assert (lost > 0) is loses


def test_points_are_every_write_with_every_fault_on_either_side() -> None:
    found = points(SEED, 2 * 2 * 5 * 4, 0, {"forward": 4})
    assert {(point.kill_at, point.side, point.fault) for point in found} == {
        (at, side, fault) for at in range(1, 5) for side in Side for fault in Fault}
    assert all(1 <= point.fault_at <= point.kill_at for point in found)
    assert found == points(SEED, 2 * 2 * 5 * 4, 0, {"forward": 4})
    assert isinstance(found[0], Point)
