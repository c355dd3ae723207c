"""docs/previews.md: every command that it shows is understood."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from candlefish import preview_sources as sources
from candlefish.app import app
from operations.preview.model import Preview
from tests.unit.preview.graphs import preview_of

pytestmark = pytest.mark.unit
PAGE = Path(__file__).parents[3] / "docs" / "previews.md"
COMMANDS = [line.partition("  #")[0].strip() for block in re.findall(r"(?s)```sh\n(.*?)```", PAGE.read_text())
            for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_is_understood(command: str, monkeypatch: pytest.MonkeyPatch,
                                                 tmp_path: Path) -> None:
    """What it would evaluate stands in: tests/rehearsal/test_preview.py evaluates."""
    def answer(*given: Any) -> Preview:
        return Preview("main", (preview_of("staging"),))

    for name in ("against", "deployed", "from_pulumi"):
        replaced: Callable[..., Preview] = answer
        monkeypatch.setattr(sources, name, replaced)
    monkeypatch.chdir(PAGE.parents[1])
    program, *arguments = shlex.split(command)
    arguments = [str(tmp_path / each) if before == "--output" else each
                 for before, each in zip(["", *arguments], arguments, strict=False)]
    assert program == "candlefish"
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout or (tmp_path / "preview.html").read_text().startswith("<!doctype html>")


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) >= 5
