"""`candlefish rehearse timing`: what it reads, shows and writes, and how it leaves. No server is started."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from candlefish import app
from candlefish.runtime import Rehearsal

pytestmark = pytest.mark.unit

Run = Callable[..., tuple[int, str, str]]
PAGE = Path(__file__).parents[3] / "docs" / "recovery.md"


def _resource(type: str, name: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::p::{type}::{name}", "type": type, "custom": True, **more}


KEY, DATABASE = _resource("aws:kms/key:Key", "keys-data"), "aws:rds/instance:Instance"
STATE = {"version": 3, "deployment": {"resources": [
    KEY, _resource(DATABASE, "database", inputs={"multiAz": True}, dependencies=[KEY["urn"]],
                   propertyDependencies={"kmsKeyId": [KEY["urn"]]}),
    _resource("aws:xray/group:Group", "traces")]}}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Of a home in which production and recovery have a state."""
    monkeypatch.setenv("CANDLEFISH_REHEARSAL_HOME", str(tmp_path))
    monkeypatch.setattr(Rehearsal, "start", lambda self, kubernetes=True: pytest.fail("servers were started"))
    for stack in ("production", "recovery"):
        (tmp_path / "stacks" / stack).mkdir(parents=True)
        (tmp_path / "stacks" / stack / "state.json").write_text(json.dumps(STATE))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["candlefish", "rehearse", "timing", *arguments])
        with pytest.raises(SystemExit) as left:
            app.main()
        out = capsys.readouterr()
        return int(left.value.code or 0), out.out, out.err

    return run


def test_one_object_says_how_long_and_because_of_what(run: Run) -> None:
    code, out, _ = run("--stack", "production", "--json", "--samples", "100")
    found = json.loads(out)
    assert (code, found["operation"], found["of"], found["resources"]) == (0, "up", "the rehearsal's state", 3)
    assert found["median"] == found["bound"] == 22 + 452
    assert found["allowedSeconds"] == 4 * 3600
    assert found["median"] * 0.9 < found["p50"] < found["p95"]
    assert [(part["name"], part["through"]) for part in found["path"]] == [
        ("keys-data", []), ("database", ["kmsKeyId"])]
    assert found["assumed"] == {"aws:xray/group:Group": 1}


def test_the_terminal_has_path_gains_and_what_is_assumed(run: Run) -> None:
    code, out, _ = run("--stack", "production", "--samples", "20")
    assert code == 0
    assert "database (aws:rds/instance:Instance)  after keys-data (data)" in out
    assert re.search(r"if it took no time:\n +0:22  database", out)
    assert "1 resources of 1 types" in out


def test_an_exported_state_is_taken_instead(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(STATE))
    code, out, _ = run("--stack", "staging", "--operation", "destroy", "--state", str(file), "--json")
    assert (code, json.loads(out)["operation"]) == (0, "destroy")
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": []}}))
    assert run("--stack", "staging", "--state", str(file))[0] == 2


@pytest.mark.parametrize(("arguments", "says"), [
    (("--stack", "nowhere"), "nowhere"), (("--fault", "flood"), "restore-backing-up"),
    (("--durations", "/nowhere.yaml"), "can't be read"), (("--html", "/nowhere/a.html"), "no folder"),
    (("--parallel", "0"), "parallel")])
def test_what_cannot_be_meant_so_is_wrong_use(run: Run, arguments: tuple[str, ...], says: str) -> None:
    code, out, err = run(*(() if "--stack" in arguments else ("--stack", "production")), *arguments)
    assert (code, out) == (2, "")
    assert says in err


def test_the_commands_of_the_page_work(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [shlex.split(line, comments=True)[3:] for line in PAGE.read_text().splitlines()
                if line.startswith("candlefish rehearse timing")]
    assert len(commands) >= 4
    places = {"timing.html": str(tmp_path / "timing.html"), "ours.yaml": str(tmp_path / "ours.yaml"),
              "stack.json": str(tmp_path / "stacks" / "production" / "state.json")}
    (tmp_path / "ours.yaml").write_text(
        'figures:\n- type: aws:kms/key:Key\n  create: {p50: "0:30", p95: "0:40", source: "drill of May"}\n')
    for command in commands:
        assert run(*(places.get(part, part) for part in command))[0] == 0, command
    assert "<svg" in (tmp_path / "timing.html").read_text()
