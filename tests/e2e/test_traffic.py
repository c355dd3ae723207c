"""The short form of `make load`: the development stack under load, under attack and with faults, over the addresses of
its outputs. It runs between the files that build the stack and that use it up."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.e2e.conftest import Command
from tests.load import faults, fuzz, traffic
from tests.load.environment import Environment, found

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
STACK, SEED = "development", 20261121


@pytest.fixture(scope="module")
def environment(development: Command) -> Environment:
    def command(verb: str, *arguments: str) -> Any:
        return development("rehearse", verb, *arguments, "--json").document

    return found(STACK, development.home, command, say)


def say(text: str) -> None:
    print(text, file=sys.stderr)


def shown(outcome: traffic.Outcome | fuzz.Outcome | faults.Outcome) -> str:
    return json.dumps(outcome.document(), indent=1)


def test_every_event_that_was_accepted_under_load_is_kept_and_told_once(environment: Environment) -> None:
    outcome = traffic.run(environment, levels=[1, 4], size=20, seconds=3, seed=SEED, say=say)
    assert outcome.holds, shown(outcome)
    assert outcome.accepted >= 40
    for level in outcome.levels:
        assert len(level.inside) == level.sent.requests - level.sent.answers["429"]
        assert 0 < level.row()["inside p50"] < level.row()["whole p50"]
    cost = outcome.document()["USD a million events"]
    assert cost["API Gateway"] == pytest.approx(3.50 / 20, rel=0.01) or outcome.levels[0].sent.answers["429"]
    assert cost["DynamoDB writes"] == pytest.approx(3 * 0.625)  # twice for the transaction, once for the index


def test_hostile_requests_and_frames_are_refused_with_a_reason_and_nothing_else_happens(
        environment: Environment) -> None:
    outcome = fuzz.run(environment, requests=200, frames=40, seed=SEED, say=say)
    assert outcome.holds, shown(outcome)
    assert sum(outcome.answered.by.values()) > 50
    assert {"the function", "API Gateway"} <= outcome.answered.by.keys()


def test_with_faults_nothing_is_lost_and_nothing_counts_twice(environment: Environment) -> None:
    outcome = faults.run(environment, count=12, size=10, clients=4, seed=SEED, say=say)
    assert outcome.holds, shown(outcome)
    assert outcome.killed >= 2
    assert 0 < outcome.accepted <= outcome.sent - 10  # but for the batch whose process was killed after its write
    assert outcome.answers["200"] == 2 * 12 + 2
