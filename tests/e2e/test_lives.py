"""Staging and recovery from nothing to nothing: `make lives`. `make test` does it to production, with interruptions
(test_interrupted.py), and uses development; of these two it has the previews, which hold every control and clause."""

from __future__ import annotations

import os

import pytest

from tests.e2e.conftest import Command
from tests.e2e.lives import live

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.skipif(
    not os.environ.get("CANDLEFISH_LIVES"), reason="five minutes each; `make lives` runs them")]


@pytest.mark.parametrize("stack", ["staging", "recovery"])
def test_a_stack_lives_its_whole_life(candlefish: Command, stack: str) -> None:
    live(candlefish, stack)
