"""docs/verification.md and the commands of docs/operations.md: the command line understands each as it is written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from typer.main import get_command

from candlefish.app import app
from operations.upkeep import calendar
from operations.verify.table import CHECKS

pytestmark = pytest.mark.unit
DOCS = Path(__file__).parents[3] / "docs"
COMMANDS = [line for page in ("verification.md", "operations.md")
            for block in re.findall(r"(?s)```sh\n(.*?)```", (DOCS / page).read_text()) for line in block.splitlines()]


def understood(arguments: list[str]) -> tuple[str, dict[str, Any]]:
    """The words of the command and its parameters; nothing is run."""
    command: Any = get_command(app)
    words, rest, parent = [], arguments, None
    while hasattr(command, "resolve_command"):
        context = click.Context(command, info_name=words[-1] if words else "candlefish", parent=parent)
        name, command, rest = command.resolve_command(context, rest)
        words.append(name)
        parent = context
    return " ".join(words), command.make_context(words[-1], rest, parent=parent).params


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_pages_is_understood(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == "candlefish"
    words, parameters = understood(arguments)
    assert line.startswith(f"candlefish {words}")
    assert parameters["stack"] == "development"


def test_there_are_commands_and_one_that_is_written_wrong_is_found() -> None:
    assert len(COMMANDS) >= 14
    with pytest.raises(Exception, match=r"(?i)no such option"):
        understood(["verify", "--stack", "development", "--onyl", "pods"])


def test_the_calendars_page_is_what_the_command_writes_and_each_task_is_a_command() -> None:
    assert (DOCS / "calendar.md").read_text() == calendar.page()
    for task in calendar.tasks("staging"):
        program, *arguments = shlex.split(task.command)
        assert (program, understood(arguments)[1]["stack"]) == ("candlefish", "staging")
    assert {task.every for task in calendar.TASKS} == set(calendar.Every)


def test_the_page_has_every_check_and_no_other() -> None:
    table = (DOCS / "verification.md").read_text().partition("## The checks")[2].partition("\n## ")[0]
    named = {name for row in re.findall(r"(?m)^\| ([a-z, -]+) \|", table) for name in row.split(", ")} - {"check"}
    assert named == {check.name for check in CHECKS}
