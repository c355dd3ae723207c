"""Environments differ by their settings alone (E1): the name of one decides nothing but names."""

from __future__ import annotations

import re
from typing import Any

import pytest

from candlefish.policies import plain
from tests.program import Graph, Programs

pytestmark = pytest.mark.rehearsal

# The end of a physical name, which is drawn from the whole; a canary's logs, by the first letters of its name.
DRAWN = r"-[0-9a-f]{7}\b|(?<=cwsyn-)[\w{}-]+"


def test_settings_under_another_environments_name_make_the_same_graph(programs: Programs) -> None:
    """Production's file with recovery's name: every resource and every input is production's, but for the name in them.

    Not with the name of staging or development, where production costs too much; nor has staging's file what
    production demands: those are refused before anything is made."""
    own, other = programs.preview("production"), programs.preview("production", environment="recovery")
    expected, found = nameless(own), nameless(other)
    assert {*found} == {*expected}
    assert [urn for urn in expected if found[urn] != expected[urn]] == []


def nameless(graph: Graph) -> dict[str, Any]:
    """By URN what is created, how it is kept, and from what it was made."""
    return {unnamed(state.urn): unnamed([state.type, plain(state.inputs), state.protect, state.ignore_changes,
                                         sorted(state.dependencies)]) for state in graph.resources}


def unnamed(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(DRAWN, "", re.sub("production|recovery", "{environment}", value))
    if isinstance(value, dict):
        return {unnamed(key): unnamed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unnamed(inner) for inner in value]
    return value
