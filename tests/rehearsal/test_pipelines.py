"""The workflows by the tool that knows GitHub's syntax and by the schema that editors use; the scripts they call."""

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


def by_schema(*files: Path) -> subprocess.CompletedProcess[str]:
    """schemastore's `github-workflow.json`, as check-jsonschema's pinned version carries it: nothing is downloaded."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *files],
        capture_output=True, text=True, timeout=60, check=False)


def test_every_workflow_is_as_the_schema_says() -> None:
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    done = by_schema(*files)
    assert done.returncode == 0, done.stdout
    assert len(files) >= 9


@pytest.mark.parametrize(("right", "wrong"), [
    ("runs-on: ubuntu-24.04", "runs-no: ubuntu-24.04"),
    ("timeout-minutes: 30", "timeout-minutes: [30]"),
    ("contents: read", "contents: reed"),
    ("pull_request:", "pull_requests:"),
])
def test_a_workflow_that_is_not_as_the_schema_says_is_told(tmp_path: Path, right: str, wrong: str) -> None:
    text = (ROOT / ".github/workflows/quality.yml").read_text()
    assert right in text
    broken = tmp_path / "quality.yml"
    broken.write_text(text.replace(right, wrong))
    done = by_schema(broken)
    assert done.returncode == 1
    assert "quality.yml" in done.stdout


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
