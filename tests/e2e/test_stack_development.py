"""The development stack from nothing to nothing, twice."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Command
from tests.e2e.lives import live
from tests.stacks import RESOURCES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_development_lives_its_whole_life_and_is_built_again_the_same_day(candlefish: Command) -> None:
    """Secrets stay in their recovery window and keep their names: the next life must draw others."""
    live(candlefish, "development")
    built = candlefish("rehearse", "up", "--stack", "development", "--json").document
    assert built["changes"]["create"] == RESOURCES["development"]
