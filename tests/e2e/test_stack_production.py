"""The production stack from nothing to nothing."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Command
from tests.e2e.lives import live

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_production_lives_its_whole_life(candlefish: Command) -> None:
    live(candlefish, "production")
