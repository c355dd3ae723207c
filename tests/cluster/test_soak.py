"""The short form of `make soak`: the same load, lanes, crashes and checks, for seconds instead of an hour."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from rehearsal.kubernetes.controlplane import Running
from tests.soak import lanes
from tests.soak.points import points
from tests.soak.sweep import sweep, writes
from tests.soak.world import Soak, soaking

pytestmark = pytest.mark.cluster

SEED = 20261121
TRAFFIC_SECONDS = 1.0  # after which no lane begins anew; each goes there and back once
POINTS, SIGNALS, LANES = 6, 1, 3  # tests/unit/operations/test_rollout_crash.py has more, on a played cluster


@pytest.fixture(scope="module")
def soak(cluster: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soak]:
    with soaking(tmp_path_factory.mktemp("soak"), cluster) as made:
        yield made


def test_a_hurried_release_loses_requests_and_the_harness_sees_it(soak: Soak) -> None:
    counts = lanes.control(soak)
    assert 0 < counts["failed"] < counts["requests"]
    assert len(counts["failures"]) > 0


def test_rollouts_there_and_back_lose_nothing_whatever_the_load_balancer_lags(soak: Soak) -> None:
    end = time.monotonic() + TRAFFIC_SECONDS
    tally = lanes.run(soak, lanes.SHORT, SEED, lambda tally: time.monotonic() > end, print)
    assert tally.wrong == []
    assert tally.failed == 0
    assert tally.requests > 1_000
    assert tally.fresh > 100
    assert tally.messages > 50
    assert tally.flying > 0
    assert set(tally.switches) == {"forward", "backward"}
    assert tally.looks > 0


def test_a_rollout_that_is_killed_anywhere_is_ended_by_the_same_command(soak: Soak) -> None:
    swept = sweep(soak, points(SEED, POINTS, SIGNALS, writes(soak)), LANES, 0, print)
    assert swept.wrong == []
    assert (swept.points - len(swept.slow), swept.failed) == (POINTS, 0)
    assert swept.least >= 2
    assert swept.requests > 300
