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
from pathlib import Path

import pytest

from candlefish.preview_refs import files_here, stacks_of
from candlefish.preview_sources import against
from operations.preview import report
from operations.preview.html import page
from operations.preview.markdown import comment
from operations.preview.model import Operation, Preview
from tests.eventually import eventually
from tests.program import ROOT

pytestmark = pytest.mark.rehearsal
STACK = "development"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in a repository of its own, with one commit."""
    folder = tmp_path_factory.mktemp("preview") / "project"
    for path in files_here(ROOT):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
    for command in (["init", "--quiet"], ["add", "--all"],
                    ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "before"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


@pytest.fixture(scope="module")
def preview(copy: Path) -> Preview:
    """A larger database, one service less, and a bucket that is no longer private."""
    stack, bucket = copy / f"Pulumi.{STACK}.yaml", copy / "infra/components/bucket.py"
    changed = stack.read_text().replace("instanceClass: db.t4g.micro", "instanceClass: db.t4g.small")
    stack.write_text(re.sub(r"(?ms)^    paintbox:\n.*?(?=^    \w|^  \w|\Z)", "", changed))
    bucket.write_text(bucket.read_text().replace("block_public_policy=True", "block_public_policy=False"))
    try:
        return against(copy, STACK, "HEAD", lambda message: None)
    finally:
        subprocess.run(["git", "-C", str(copy), "checkout", "--quiet", "."], check=True)


def test_the_changes_are_those_that_were_made(preview: Preview) -> None:
    [stack] = preview.stacks
    changes = {(each.type.rsplit(":", 1)[-1], each.name): each for each in stack.changes}
    instance = changes["Instance", "database"]
    assert [(each.path, each.before, each.after) for each in instance.properties] == [
        ("instanceClass", "db.t4g.micro", "db.t4g.small")]
    assert changes["Repository", "registry-paintbox"].operation is Operation.DELETE
    assert changes["BlueGreenService", "workloads-paintbox"].operation is Operation.DELETE
    assert not [each for each in stack.changes if each.operation in (Operation.CREATE, Operation.REPLACE)]
    assert stack.same > 500


def test_cost_and_policies_are_of_both_versions(preview: Preview) -> None:
    [stack] = preview.stacks
    assert stack.cost.delta is not None
    assert stack.cost.components["database"][1] > stack.cost.components["database"][0]
    assert {(each.id, each.known) for each in stack.violations} == {("CKV_AWS_54", False)}


def test_the_comment_names_what_is_lost_and_what_is_violated(preview: Preview) -> None:
    text = comment(preview)
    assert "`registry-paintbox` | `aws:ecr/repository:Repository` | it is no longer in the program | all images" in text
    assert "CKV_AWS_54" in text
    assert "```mermaid" in text


def test_the_document_counts_what_it_lists(preview: Preview) -> None:
    document = report.document(preview)["stacks"][STACK]
    assert len(document["resources"]) == sum(document[each] for each in ("create", "update", "replace", "delete"))
    json.dumps(document)


def test_nothing_is_left_of_the_other_version(copy: Path, preview: Preview) -> None:
    assert len(worktrees(copy)) == 1


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_the_page_works_in_a_browser_without_a_network(preview: Preview, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(preview), encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000", "--dump-dom",
         f"{file.as_uri()}#resources"], capture_output=True, text=True, timeout=120, check=True)
    shown = html.unescape(done.stdout)
    total = preview.stacks[0].same + len(preview.stacks[0].changes)
    assert f"{total} found, the first 300 shown" in shown
    assert 'data-page="resources" aria-selected="true"' in shown
    assert shown.count('class="box') > 20


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
