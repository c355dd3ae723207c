"""docs/recovery.md's table of what breaks rebuilds: what it names as proof is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.disasters.table import DISASTERS

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
TRAPS = 21


def rows() -> Iterator[tuple[str, str]]:
    """Trap → what shows it."""
    page = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
    for line in page.partition("\n## What breaks rebuilds\n")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] != "trap":
            yield cells[0], cells[-1]


FOUND = dict(rows())


def test_the_table_has_every_trap() -> None:
    assert len(FOUND) == TRAPS


@pytest.mark.parametrize("trap", FOUND)
def test_what_shows_a_trap_is_there(trap: str) -> None:
    """Tests by file and name; drills by the table of disasters, and rehearsed."""
    named = re.findall(r"`([^`]+)`", FOUND[trap])
    assert named
    for name in named:
        file, _, test = name.partition("::")
        if test:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            assert test in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, name
        else:
            assert name in {each.name for each in DISASTERS if each.strike is not None}, name
