"""Writes docs/runbooks/response.md, or says whether it differs.

    python -m tests.response            # 1 if the page differs from settings and tables
    python -m tests.response --write
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.settings.load import load_file
from operations.incidents.page import page
from tests.stacks import STACKS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/runbooks/response.md"


def made() -> str:
    return page({stack: load_file(ROOT / f"Pulumi.{stack}.yaml") for stack in STACKS})


def main() -> int:
    if "--write" in sys.argv[1:]:
        PAGE.write_text(made(), encoding="utf-8")
    same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == made()
    print("the page is as the tables say" if same else f"{PAGE.name} differs; --write makes it")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
