"""The command around the checks: what it prints, its exit codes, where outputs come from."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from candlefish import app, outputs
from candlefish import verify as command
from operations.errors import NotAcceptable, OperationError
from operations.verify import report
from operations.verify.model import Check, Outcome, Skipped, State, Unfit
from operations.verify.web import Web, local

pytestmark = pytest.mark.unit
AT = datetime(2026, 11, 22, tzinfo=UTC)


def _fails(scene: Any) -> str:
    raise Unfit("its <light> is \x1b[31mout")


def _skips(scene: Any) -> str:
    raise Skipped("nothing there yet")


GOOD, BAD, NONE = (Check(name, "group", f"about {name}", run) for name, run in (
    ("good", lambda scene: "all is well"), ("bad", _fails), ("none", _skips)))
OUTCOMES = [Outcome(GOOD, State.OK, "all is well", 0.5), Outcome(BAD, State.FAILED, "its <light> is \x1b[31mout", 1.25),
            Outcome(NONE, State.SKIPPED, "nothing there yet", 0)]


def test_junit_has_a_case_for_each_check_with_its_time_and_its_words() -> None:
    suite = ElementTree.fromstring(report.junit("production", AT, 1.5, OUTCOMES))
    assert {key: suite.get(key) for key in ("tests", "failures", "skipped", "time")} == {
        "tests": "3", "failures": "1", "skipped": "1", "time": "1.500"}
    good, bad, none = suite
    assert (good.get("classname"), good.get("name"), good.get("time")) == ("production.group", "good", "0.500")
    assert [each.tag for each in (*good, *bad, *none)] == ["system-out", "failure", "skipped"]
    assert (bad[0].get("message"), none[0].get("message")) == ("its <light> is ?[31mout", "nothing there yet")


@pytest.mark.parametrize(("states", "passed"), [
    ([State.OK, State.SKIPPED], True), ([State.OK, State.FAILED], False), ([State.SKIPPED], False), ([], False)])
def test_it_has_passed_when_something_was_checked_and_nothing_failed(states: list[State], passed: bool) -> None:
    assert report.passed([Outcome(GOOD, state, "", 0) for state in states]) is passed


def candlefish(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["candlefish", "verify", "--stack", "development", *arguments])
    with pytest.raises(SystemExit) as left:
        app.main()
    return int(left.value.code or 0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Checks that look at nothing, and arguments that bring outputs."""
    monkeypatch.setattr(command, "CHECKS", (GOOD, BAD, NONE))
    (tmp_path / "outputs.json").write_text('{"siteUrl": "x"}')
    return ["--outputs", str(tmp_path / "outputs.json")]


def test_a_check_that_fails_is_exit_code_1_and_in_every_form(
        few: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert candlefish(monkeypatch, *few, "--json", "--junit", str(tmp_path / "junit.xml")) == 1
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.err == ""
    assert document["counts"] == {"ok": 1, "failed": 1, "skipped": 1}
    assert (document["ok"], document["stack"]) == (False, "development")
    assert [(each["name"], each["state"]) for each in document["checks"]] == [
        ("good", "ok"), ("bad", "failed"), ("none", "skipped")]
    assert len(ElementTree.parse(tmp_path / "junit.xml").getroot()) == 3
    assert candlefish(monkeypatch, *few) == 1
    assert "1 ok, 1 failed, 1 skipped" in capsys.readouterr().err


def test_only_what_is_named_is_run_and_what_was_skipped_alone_is_no_success(
        few: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert candlefish(monkeypatch, *few, "--only", "good", "--only", "none") == 0
    assert candlefish(monkeypatch, *few, "--only", "none") == 1
    capsys.readouterr()
    assert candlefish(monkeypatch, *few, "--only", "godo") == 2
    assert "there is no check godo; there are bad, good, none" in capsys.readouterr().err


def test_list_says_what_is_checked_without_any_outputs(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "outputs_of", lambda *_: pytest.fail("outputs were read"))
    assert candlefish(monkeypatch, "--list") == 0
    assert "RateLimitRule" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "words"), [("{", "is no JSON"), ("[]", "has no outputs"), (None, "No such file")])
def test_a_file_that_has_no_outputs_is_wrong_usage(text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(NotAcceptable, match=words):
        outputs.outputs_of("staging", path)


def test_outputs_come_from_pulumi_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperationError, match="no pulumi on PATH"):
        outputs.outputs_of("staging", None)
    program = tmp_path / "pulumi"
    program.write_text('#!/bin/sh\n[ "$*" = "stack output --json --non-interactive --stack staging" ] || '
                       '{ echo "no stack $*" >&2; exit 255; }\necho \'{"vpcId": "vpc-1"}\'\n')
    program.chmod(0o755)
    assert outputs.outputs_of("staging", None) == {"vpcId": "vpc-1"}
    with pytest.raises(OperationError, match=r"no stack .* other"):
        outputs.outputs_of("other", None)


def test_an_address_that_nobody_serves_is_asked_twice_and_told() -> None:
    pauses: list[float] = []
    with pytest.raises(Unfit, match=r"http://127\.0\.0\.1:9/ does not answer"):
        Web(pauses.append).get("http://127.0.0.1:9/")
    assert pauses == [0.0, 1.0]
    assert local("http://127.0.0.1:9/")
    assert not local("https://candlefish.ai")
