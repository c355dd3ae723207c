"""The runbooks of disasters are what the table of disasters says, with production's times."""

from __future__ import annotations

import pytest

from tests.program import Programs
from tests.runbooks import differing, made

pytestmark = pytest.mark.rehearsal


def test_the_pages_are_up_to_date(programs: Programs) -> None:
    assert differing(made(programs.preview("production").resources)) == [], "run python -m tests.runbooks --write"
