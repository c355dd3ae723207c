"""What a rollout expects to find, step by step, and what it takes for another's hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operations.rollout.model import Phase, Record
from operations.rollout.watch import expected

AT = Record(1, "canary", "image:2", "image:1", "blue", "green", began=0.0, stages=(10.0, 50.0, 100.0), least=2, grown=3)
BLUE, GREEN = (100, 0), (0, 100)


def at(phase: Phase, **more: Any) -> tuple[set[str], set[tuple[int, int]], dict[str, int]] | None:
    found = expected(replace(AT, phase=phase, **more))
    return None if found is None else (set(found.colours), set(found.weights), found.pods)


@pytest.mark.parametrize("phase", [Phase.PREPARE, Phase.MIGRATE, Phase.DEPLOY, Phase.CHECK])
def test_before_the_switch_all_is_as_it_was(phase: Phase) -> None:
    assert at(phase) == ({"blue"}, {BLUE}, {"blue": 2})


def test_while_traffic_moves_both_are_right() -> None:
    assert at(Phase.SWITCH) == ({"blue", "green"}, {BLUE, GREEN}, {"blue": 2, "green": 3})
    assert at(Phase.STAGES, stage=1) == ({"blue"}, {(90, 10), (50, 50)}, {"blue": 2, "green": 3})
    assert at(Phase.STAGES, stage=2) == ({"blue", "green"}, {(50, 50), GREEN}, {"blue": 2, "green": 3})


@pytest.mark.parametrize(("stage", "colour", "weights"), [(0, "blue", (90, 10)), (1, "blue", (50, 50)),
                                                          (2, "green", GREEN)])
def test_a_stage_that_is_entered_has_its_own_weights_and_no_others(
        stage: int, colour: str, weights: tuple[int, int]) -> None:
    assert at(Phase.STAGES, stage=stage, entered=1.0) == ({colour}, {weights}, {"blue": 2, "green": 3})


def test_the_old_colour_s_pods_are_missed_until_they_are_to_go() -> None:
    assert at(Phase.HOLD) == ({"green"}, {GREEN}, {"blue": 2, "green": 3})
    assert at(Phase.RETIRE) == ({"green"}, {GREEN}, {})


@pytest.mark.parametrize("phase", [Phase.BACK, Phase.CLEAR, Phase.DONE])
def test_on_the_way_back_nothing_is_certain(phase: Phase) -> None:
    assert at(phase) is None
