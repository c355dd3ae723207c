"""`candlefish recovery` as it is typed: the page's commands, and wrong usage."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from candlefish import app

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


def test_the_pages_commands_are_commands_as_they_are_written() -> None:
    page = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
    lines = [line.partition("#")[0] for line in page.splitlines() if line.startswith("candlefish recovery ")]
    assert {"validate", "restore"} <= {line.split()[2] for line in lines}
    for line in lines:
        words, command = shlex.split(line)[2:], app.loaded("recovery")
        while words[0] in getattr(command, "commands", {}):
            command, words = command.commands[words[0]], words[1:]
        command.make_context("candlefish", words)  # raises for an option that there is not


@pytest.mark.parametrize("arguments", [
    (), ("--at", "2026-11-21T10:30:00Z", "--snapshot", "s"), ("--at", "yesterday"), ("--at", "2026-11-21T10:30:00")])
def test_what_names_no_point_is_wrong_usage(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["candlefish", "recovery", "restore", "database", *arguments])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == 2
    assert "--at" in capsys.readouterr().err
