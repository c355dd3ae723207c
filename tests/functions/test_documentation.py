"""docs/functions.md says what the code does."""

from __future__ import annotations

import re
from typing import Any

import pytest

import analytics_processor.handler
import experiments.handler
import stream.handler
import visitor_memory.handler
from analytics_processor.events import MAXIMUM_EVENTS
from common.http import MAXIMUM_BODY_BYTES
from tests.functions.tables import DOCUMENT, written

pytestmark = pytest.mark.functions

TEXT = DOCUMENT.read_text()


def test_the_tables_are_those_of_the_code() -> None:
    assert written(TEXT) == TEXT, "run `python -m tests.functions.tables`"


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{MAXIMUM_EVENTS} events" in TEXT
    assert f"{MAXIMUM_BODY_BYTES // 1024} KiB" in TEXT


@pytest.mark.parametrize("module", [analytics_processor.handler, visitor_memory.handler, experiments.handler,
                                    stream.handler])
def test_each_variable_that_a_function_reads_is_documented(module: Any) -> None:
    words = re.search(r"^Environment: (.*?)\n(?:\n|\Z)", module.__doc__ + "\n\n", re.DOTALL | re.MULTILINE)
    assert words is not None
    for name in re.findall(r"\b[A-Z][A-Z_]{6,}\b", words[1]):
        assert f"`{name}`" in TEXT, f"{name} of {module.__name__} is not in docs/functions.md"
