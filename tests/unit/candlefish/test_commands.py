"""The pages of docs/commands/ are what the command line says of itself."""

from __future__ import annotations

import pytest

from tests import commands

pytestmark = pytest.mark.unit


def test_the_pages_are_up_to_date() -> None:
    """`python -m tests.commands` writes them."""
    assert {path.name: path.read_text(encoding="utf-8") for path in commands.FOLDER.glob("*")} == commands.pages()


def test_every_argument_of_every_command_says_what_it_is() -> None:
    silent = [line for text in commands.pages().values() for line in text.splitlines()
              if line.startswith("| `") and not line.split("` |")[1].split("|")[0].strip()]
    assert not silent
