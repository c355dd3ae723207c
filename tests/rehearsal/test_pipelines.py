"""The workflows by the tool that knows GitHub's syntax, and the scripts that they call."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.actionlint import actionlint

pytestmark = pytest.mark.rehearsal
ROOT = Path(__file__).parents[2]


def test_actionlint_has_nothing_to_say() -> None:
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    done = subprocess.run([actionlint(), "-no-color", *files], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.parametrize(("history", "commit"), [
    ([], ""),
    ([{"kind": "update", "result": "succeeded", "version": 1, "environment": {}}], ""),
    ([{"kind": "update", "result": "failed", "version": 4, "environment": {"git.head": "d"}},
      {"kind": "preview", "result": "succeeded", "version": 3, "environment": {"git.head": "c"}},
      {"kind": "update", "result": "succeeded", "version": 2, "environment": {"git.head": "b"}},
      {"kind": "update", "result": "succeeded", "version": 1, "environment": {"git.head": "a"}}], "b"),
])
def test_the_way_back_is_the_last_update_that_succeeded(history: list[dict[str, Any]], commit: str) -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts/deployed-commit"], input=json.dumps(history),
                          capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == f"commit={commit}\n"
