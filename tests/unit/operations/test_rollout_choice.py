"""What a rollout is to be, out of what was asked for and of the stack's settings."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from operations.errors import NotAcceptable
from operations.rollout.choice import Choice
from operations.rollout.model import OnHold, Readings, Strategy, Target
from operations.rollout.shares import batches, pods, weights
from tests.cluster.rollout_world import target


def aim(*, fronted: bool = True, **rollout: Any) -> Target:
    found = target("somewhere", **rollout)
    return found if fronted else Target(found.stack, found.settings, found.service.model_copy(update={"paths": ()}))


def test_what_nobody_asked_for_is_as_the_settings_say() -> None:
    settled = Choice().settled(aim(strategy="canary", on_hold="abort", limit_exposure=True))
    assert settled == {"strategy": Strategy.CANARY, "stages": (10.0, 25.0, 50.0, 100.0), "prometheus": "",
                       "readings": Readings.CLOUDWATCH, "on_hold": OnHold.ABORT, "limited": True}


def test_what_was_asked_for_comes_before_the_settings() -> None:
    choice = Choice(Strategy.ROLLING, Readings.BOTH, "http://prometheus:9090", OnHold.WAIT)
    settled = choice.settled(aim(strategy="canary", batch_percent=50))
    assert settled == {"strategy": Strategy.ROLLING, "stages": (50.0, 100.0), "prometheus": "http://prometheus:9090",
                       "readings": Readings.BOTH, "on_hold": OnHold.WAIT, "limited": False}


def test_the_settings_canary_is_blue_green_for_a_service_behind_no_front_door() -> None:
    settled = Choice().settled(aim(fronted=False, strategy="canary"))
    assert (settled["strategy"], settled["readings"]) == (Strategy.BLUE_GREEN, Readings.NONE)


@pytest.mark.parametrize(("choice", "fronted", "why"), [
    (Choice(Strategy.CANARY), False, "the front door does not reach website.*--strategy blue-green"),
    (Choice(Strategy.ROLLING), False, "the front door does not reach website"),
    (Choice(readings=Readings.CLOUDWATCH), False, "take prometheus or none"),
    (Choice(Strategy.CANARY, Readings.NONE), True, "a canary is judged by readings"),
    (Choice(readings=Readings.PROMETHEUS), True, "needs --prometheus http"),
    (Choice(readings=Readings.BOTH, prometheus="prometheus:9090"), True, "it is 'prometheus:9090'")])
def test_what_can_not_be_is_refused_with_what_to_take_instead(choice: Choice, fronted: bool, why: str) -> None:
    with pytest.raises(NotAcceptable, match=why):
        choice.settled(aim(fronted=fronted))


@pytest.mark.parametrize("percent", range(1, 101))
def test_batches_rise_to_the_whole_by_no_more_than_a_tenth_above_their_size(percent: int) -> None:
    found = (0.0, *batches(percent))
    steps = [after - before for before, after in itertools.pairwise(found)]
    assert found[-1] == 100
    assert 0 < min(steps) <= max(steps) <= 1.1 * percent


def test_batches_of_a_third_are_three() -> None:
    assert batches(33) == (33.0, 66.0, 100.0)


@pytest.mark.parametrize(("share", "found"), [(0, (100, 0)), (10, (90, 10)), (0.5, (995, 5)), (100, (0, 100))])
def test_weights_are_whole_numbers_that_a_load_balancer_takes(share: float, found: tuple[int, int]) -> None:
    assert weights("green", share) == found
    assert weights("blue", share) == found[::-1]
    assert max(found) <= 999


def test_a_share_has_pods_enough_and_at_least_one() -> None:
    assert [pods(3, share) for share in (1, 33, 34, 66, 67, 100)] == [1, 1, 2, 2, 3, 3]
