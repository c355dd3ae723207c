"""Counts what each stack consists of, and writes the table of tests/stacks.py."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import tests.stacks
from tests.program import Programs
from tests.stacks import COUNTS, STACKS


def rows(stacks: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[int, ...]]:
    """By type, in the order of the names: how many of it, in the order of STACKS."""
    types = sorted({type for counts in stacks.values() for type in counts})
    return {type: tuple(stacks[stack].get(type, 0) for stack in STACKS) for type in types}


def rewritten(source: str, counts: Mapping[str, tuple[int, ...]]) -> str:
    """The source of tests/stacks.py with other rows."""
    table = "".join(f'    "{type}": {numbers},\n' for type, numbers in counts.items())
    return re.sub(r"(?ms)^(COUNTS\b[^\n]*\{\n).*?^\}", lambda found: f"{found[1]}{table}}}", source, count=1)


def _previewed() -> dict[str, tuple[int, ...]]:
    """From one recording each."""
    programs = Programs()
    return rows({stack: programs.preview(stack).counts for stack in STACKS})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stacks", description=__doc__)
    parser.add_argument("--write", action="store_true", help="rewrite the table from previews of the four stacks")
    given = parser.parse_args()
    found = _previewed()
    differing = [type for type in sorted({*found, *COUNTS}) if found.get(type) != COUNTS.get(type)]
    for type in differing:
        print(f"{type}: {COUNTS.get(type, 'not in the table')} → {found.get(type, 'in no stack')}")
    if given.write:
        path = Path(tests.stacks.__file__)
        path.write_text(rewritten(path.read_text(), found))
        return 0
    return 1 if differing else 0

