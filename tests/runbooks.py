"""Writes the runbooks of disasters, or says which differ.

    python -m tests.runbooks            # 1 if a page differs from the table of disasters
    python -m tests.runbooks --write
"""

from __future__ import annotations

import sys
from pathlib import Path

from candlefish.drills import targets
from rehearsal.disasters.pages import pages, times
from rehearsal.disasters.table import DISASTERS
from rehearsal.engine.state import State
from tests.program import Programs

FOLDER = Path(__file__).parents[1] / "docs/runbooks/disasters"


def made(states: tuple[State, ...]) -> dict[Path, str]:
    found = pages({each.name: targets(each) for each in DISASTERS}, times(states))
    return {FOLDER / name: text for name, text in found.items()}


def differing(wanted: dict[Path, str]) -> list[str]:
    there = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(path.name for path in {*wanted, *there} if wanted.get(path) != there.get(path))


def main() -> int:
    wanted = made(Programs().preview("production").resources)
    if "--write" in sys.argv[1:]:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path in set(FOLDER.glob("*.md")) - set(wanted):
            path.unlink()
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
    found = differing(wanted)
    print("\n".join(found) or "all pages are as the table says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
