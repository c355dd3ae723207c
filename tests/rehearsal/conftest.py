"""Previews that the tests of this folder share."""

from __future__ import annotations

import pytest

from tests.program import Programs


@pytest.fixture(scope="session")
def programs() -> Programs:
    """Previews of the real program, each stack's once a session."""
    return Programs()
