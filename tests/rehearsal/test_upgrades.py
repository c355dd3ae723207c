"""Every version in the stacks' graphs has a row in docs/upgrades.md, or a reason to have none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.program import Graph, Programs
from tests.upgrades import rows

pytestmark = pytest.mark.rehearsal

# Inputs that name a version of somebody's software.
NAMES = {"version", "engineVersion", "runtime", "runtimeVersion", "addonVersion", "amiType", "engine", "family",
         "caCertIdentifier", "kubernetesVersion", "releaseVersion", "imageId"}
# Of these the program decides nothing that anybody would upgrade.
OTHERWISE = {
    ("aws:rds/instance:Instance", "engine"): "PostgreSQL",
}


def versions(graph: Graph) -> Iterator[tuple[str, str]]:
    for state in graph.resources:
        if state.custom:
            yield from ((state.type, name) for name in NAMES & {*state.inputs} if isinstance(state.inputs[name], str))


@pytest.mark.parametrize("stack", ["development", "production"])
def test_every_version_of_a_stack_has_a_row(programs: Programs, stack: str) -> None:
    found = {*versions(programs.preview(stack))}
    known = {pair for row in rows() for pair in row.properties}
    assert found - known - {*OTHERWISE} == set()
    assert len(found & known) >= 10


def test_every_row_is_of_something_that_a_stack_has(programs: Programs) -> None:
    found = {*versions(programs.preview("production"))}
    assert {pair for row in rows() for pair in row.properties} - found == set()
