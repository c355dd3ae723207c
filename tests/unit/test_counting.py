"""The table of the stacks is written by a command."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.stacks
from tests.counting import rewritten, rows
from tests.stacks import BY_TYPE, COUNTS

pytestmark = pytest.mark.unit


def test_the_table_is_as_the_command_writes_it() -> None:
    source = Path(tests.stacks.__file__).read_text()
    assert rewritten(source, rows(BY_TYPE)) == source


def test_a_type_that_nothing_registers_any_more_loses_its_row() -> None:
    fewer = {stack: {type: count for type, count in counts.items() if type != "aws:sns/topic:Topic"}
             for stack, counts in BY_TYPE.items()}
    assert COUNTS.keys() - rows(fewer).keys() == {"aws:sns/topic:Topic"}
    source = rewritten(Path(tests.stacks.__file__).read_text(), rows(fewer))
    assert '"aws:sns/topic:Topic"' not in source
    compile(source, "stacks", "exec")
