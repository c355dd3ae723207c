"""The workflows: what they may do, what they run, and that nothing of a pull request becomes a command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.preview.markdown import MARKER

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
# What a workflow may do beyond reading the repository.
WRITES = {"comment": {"actions": "read", "pull-requests": "write"}}
# Of an event, what somebody outside can't choose: numbers, ids, and the base's own names.
TRUSTED = re.compile(
    r"github\.(token|ref|base_ref|event\.pull_request\.number|event\.workflow_run\.(id|event|conclusion))$")


@pytest.fixture(params=FILES, ids=[file.stem for file in FILES])
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(request.param.read_text())
    found["on"] = found.pop(True)  # YAML 1.1 reads `on` so
    assert found["name"] == request.param.stem
    return found


def jobs(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [*workflow["jobs"].values()]


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in jobs(workflow):
        yield from job["steps"]


def test_actions_are_pinned_by_commit_and_say_which_version(workflow: dict[str, Any]) -> None:
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
    text = (ROOT / f".github/workflows/{workflow['name']}.yml").read_text()
    assert len(re.findall(r"uses: \S+ # v\d+\.\d+\.\d+\n", text)) == text.count("uses: ")


def test_one_action_has_one_pin() -> None:
    used = {found for file in FILES for found in re.findall(r"uses: (\S+)@(\S+)", file.read_text())}
    assert len({name for name, _ in used}) == len(used)


def test_permissions_are_the_least(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == WRITES.get(workflow["name"], {"contents": "read"})
    assert not [job for job in jobs(workflow) if "permissions" in job]


def test_no_workflow_has_a_secret_or_an_access_key(workflow: dict[str, Any]) -> None:
    text = (ROOT / f".github/workflows/{workflow['name']}.yml").read_text()
    assert not re.search(r"secrets\.|ACCESS_KEY|SECRET_KEY|pull_request_target", text)


def test_nothing_of_a_pull_request_becomes_a_command(workflow: dict[str, Any]) -> None:
    for step in steps(workflow):
        for text in (step.get("run", ""), str((step.get("with") or {}).get("script", ""))):
            assert "${{" not in text
        for value in (step.get("env") or {}).values():
            for expression in re.findall(r"\$\{\{\s*(.+?)\s*\}\}", str(value)):
                assert TRUSTED.search(expression), expression


def test_what_may_write_runs_no_code_of_a_pull_request(workflow: dict[str, Any]) -> None:
    if workflow["name"] in WRITES:
        assert not [step for step in steps(workflow) if "run" in step or "checkout" in step.get("uses", "")]
    for step in steps(workflow):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_every_job_ends_and_runs_on_a_named_image(workflow: dict[str, Any]) -> None:
    assert workflow["concurrency"]["group"].startswith(workflow["name"])
    for job in jobs(workflow):
        assert job["timeout-minutes"] <= 60
        assert job["runs-on"] == "ubuntu-24.04"


def test_what_a_job_runs_can_be_run_on_a_laptop(workflow: dict[str, Any]) -> None:
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    for step in steps(workflow):
        if str(step.get("run", "")).startswith("make "):
            assert step["run"].split()[1] in targets


def test_the_comment_is_found_again_by_its_mark() -> None:
    assert f'marker = "{MARKER}"' in (ROOT / ".github/workflows/comment.yml").read_text()


def test_the_comment_follows_the_preview() -> None:
    text = (ROOT / ".github/workflows/comment.yml").read_text()
    assert yaml.safe_load(text)[True]["workflow_run"]["workflows"] == ["preview"]
    made = yaml.safe_load((ROOT / ".github/workflows/preview.yml").read_text())["jobs"]["preview"]["steps"][-1]
    assert {*re.findall(r"preview/([\w.-]+)", text)} <= {*made["with"]["path"].split()}
