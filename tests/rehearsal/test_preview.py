"""`candlefish preview` on a copy of the project: two versions of the real program, compared and shown."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from candlefish.preview_refs import files_here, stacks_of
from candlefish.preview_sources import against
from operations.preview import report
from operations.preview.html import page
from operations.preview.markdown import comment
from operations.preview.model import Operation, Preview
from tests import previews
from tests.eventually import eventually
from tests.program import ROOT

pytestmark = pytest.mark.rehearsal
STACK = "development"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in a repository of its own, with one commit."""
    folder = previews.copied(tmp_path_factory.mktemp("preview") / "project")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "before")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
                   check=True)


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Preview]:
    """The three of tests/previews.py."""
    return previews.previews(tmp_path_factory.mktemp("changes"))


def test_a_database_that_would_be_replaced_stands_on_top_with_its_reason_and_its_data(
        changes: Mapping[str, Preview]) -> None:
    text = comment(changes["database-replaced"])
    first, *rest = previews.sections(text)["### ⚠️ Destroyed or replaced"][1:]
    assert first.startswith("| production | replace | `database` | `aws:rds/instance:Instance` | `kmsKeyId` "
                            "**protected: `up` refuses it** | the database: all rows")
    assert {each.rpartition("| ")[2] for each in rest} == {"– |"} or not rest
    [stack] = changes["database-replaced"].stacks
    instance = next(each for each in stack.changes if each.type == "aws:rds/instance:Instance")
    assert {each.path: each.replaces for each in instance.properties} == {"kmsKeyId": True, "allocatedStorage": False}
    assert stack.cost.delta is not None
    assert stack.cost.delta > 0
    assert stack.violations == ()
    assert stack.timing.made is not None
    assert stack.timing.gone is not None
    assert ("database", True) in {(bar.name, bar.critical) for bar in stack.timing.made.bars}
    assert text.index("Predicted `up`") < text.index("### ⚠️ Destroyed") < text.index("### Changes")
    assert re.search(r"n\d+\[\"database\"\]:::replace", text)


def test_a_new_service_makes_and_destroys_nothing_of_others(changes: Mapping[str, Preview]) -> None:
    [stack] = changes["new-service"].stacks
    assert not previews.sections(comment(changes["new-service"]))
    made = [each for each in stack.changes if each.operation is Operation.CREATE]
    assert all("invoices" in each.name for each in made)
    assert {"BlueGreenService", "Deployment", "Repository"} < {each.type.rpartition(":")[2] for each in made}
    assert stack.timing.made is not None
    assert len(stack.timing.made.bars) == len([each for each in made if not each.type.startswith("candlefish:")])


def test_a_violated_policy_is_new_and_names_each_bucket(changes: Mapping[str, Preview]) -> None:
    [stack] = changes["public-bucket"].stacks
    assert {(each.id, each.known) for each in stack.violations} == {("CKV_AWS_54", False)}
    assert len(stack.violations) == stack.count(Operation.UPDATE) == len(
        previews.sections(comment(changes["public-bucket"]))["### Violated policies"])
    assert stack.policies is not None
    assert {*stack.policies[:len(stack.violations)]} == {*stack.violations}


@pytest.mark.parametrize("name", previews.CHANGES)
def test_the_comment_in_the_docs_says_what_the_change_does(name: str, changes: Mapping[str, Preview]) -> None:
    kept = (previews.DOCS / f"{name}.md").read_text(encoding="utf-8")
    now = comment(changes[name])
    assert previews.sections(kept) == previews.sections(now), "renew it: python -m tests.previews --write"


def test_the_document_counts_what_it_lists(changes: Mapping[str, Preview]) -> None:
    for preview in changes.values():
        document = report.document(preview)["stacks"][previews.STACK]
        assert len(document["resources"]) == sum(document[each] for each in ("create", "update", "replace", "delete"))
        json.dumps(document)


def test_a_ref_is_checked_out_compared_and_gone(copy: Path) -> None:
    """With a program that is quick: settings and ref are real ones."""
    (copy / "__main__.py").write_text("import pulumi\npulumi.ComponentResource('candlefish:edge:Quick', 'quick')\n")
    git(copy, "commit", "--quiet", "--all", "-m", "quick")
    try:
        settings = copy / f"Pulumi.{STACK}.yaml"
        settings.write_text(settings.read_text().replace("instanceClass: db.t4g.micro", "instanceClass: db.t4g.small"))
        [stack] = against(copy, STACK, "HEAD", lambda message: None).stacks
    finally:
        git(copy, "reset", "--quiet", "--hard", "HEAD~1")
    assert (stack.changes, stack.same, stack.note) == ((), 1, "")
    assert stack.cost.components["database"][1] > stack.cost.components["database"][0]
    assert len(worktrees(copy)) == 1


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_the_page_works_in_a_browser_without_a_network(changes: Mapping[str, Preview], tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    preview = changes["database-replaced"]
    file.write_text(page(preview), encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000", "--dump-dom",
         f"{file.as_uri()}#up"], capture_output=True, text=True, timeout=120, check=True)
    shown = html.unescape(done.stdout)
    total = preview.stacks[0].same + len(preview.stacks[0].changes)
    assert f"{total} found, the first 300 shown" in shown
    assert 'data-page="up" aria-selected="true"' in shown
    assert shown.count('class="box') > 20
    assert '<tr class="critical" title="database, aws:rds/instance:Instance: at 0:00' in shown


def test_an_interrupted_preview_leaves_nothing(copy: Path) -> None:
    """Ctrl-C while the programs run: 130, no worktree, no process."""
    program = copy / "__main__.py"
    kept = program.read_text()
    program.write_text("import time\nprint('the program has begun', flush=True)\ntime.sleep(600)\n")
    command = [sys.executable, "-P", "-m", "candlefish", "preview", "--stack", STACK, "--against", "HEAD"]
    process = subprocess.Popen(command, cwd=copy, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        eventually("the program runs", lambda: len(worktrees(copy)) == 2 and programs(copy), seconds=120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=180)
    finally:
        process.kill()
        program.write_text(kept)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert len(worktrees(copy)) == 1
    eventually("the programs have ended", lambda: not programs(copy), seconds=30)


def test_every_stack_has_its_file(copy: Path) -> None:
    assert stacks_of(files_here(copy)) == ["development", "production", "recovery", "staging"]


def worktrees(folder: Path) -> list[str]:
    listed = subprocess.run(["git", "-C", str(folder), "worktree", "list", "--porcelain"], capture_output=True,
                            text=True, check=True).stdout
    return re.findall(r"(?m)^worktree (.+)$", listed)


def programs(folder: Path) -> list[int]:
    """Processes of the engine's host that work in the project's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"host.py" in (process / "cmdline").read_bytes() and (process / "cwd").resolve() == folder.resolve():
                found.append(int(process.name))
        except OSError:
            continue
    return found
