"""Whole lives from nothing to nothing: `make lives`. `make test` has development's (test_tools.py, test_upkeep.py), and
of all four stacks the previews, which hold every control and clause."""

from __future__ import annotations

import os
import socket

import pytest

from tests.e2e import lives
from tests.e2e.conftest import Command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800), pytest.mark.skipif(
    not os.environ.get("CANDLEFISH_LIVES"), reason="minutes each; `make lives` runs them")]


@pytest.mark.parametrize("stack", ["staging", "recovery"])
def test_a_stack_lives_its_whole_life_and_is_built_again_the_same_day(candlefish: Command, stack: str) -> None:
    """Secrets stay in their recovery window and keep their names: the next life must draw others."""
    lives.built(candlefish, stack)
    lives.settled(candlefish, stack)
    lives.gone(candlefish, stack)
    lives.built(candlefish, stack)
    lives.gone(candlefish, stack)


def test_production_lives_its_whole_life_though_it_is_stopped_again_and_again(candlefish: Command) -> None:
    lives.previewed(candlefish, "production")
    for after, number in lives.moments():
        lives.stopped(candlefish, "production", after, number)
    lives.mended(candlefish, "production")
    lives.settled(candlefish, "production")
    lives.gone(candlefish, "production")


def test_down_and_up_again_makes_everything_anew_though_its_port_is_taken(candlefish: Command) -> None:
    lives.built(candlefish, "development")
    port = int((candlefish.home / "aws" / "port").read_text())
    candlefish("rehearse", "down")
    assert candlefish("rehearse", "status", "--stack", "development", "--json").document["aws"] is None
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        lives.built(candlefish, "development")
        assert int((candlefish.home / "aws" / "port").read_text()) != port
