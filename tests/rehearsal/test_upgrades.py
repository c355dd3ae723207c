"""Every version in a stack's graph has a row in docs/upgrades.md, or a reason to have none."""

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
    **{(f"pulumi:providers:{name}", "version"): "its package's, in requirements.txt"
       for name in ("aws", "eks", "kubernetes", "random")},
}


def versions(graph: Graph) -> Iterator[tuple[str, str]]:
    for state in graph.resources:
        if state.custom:
            yield from ((state.type, name) for name in NAMES & {*state.inputs} if isinstance(state.inputs[name], str))


def test_every_version_of_a_stack_has_a_row(programs: Programs) -> None:
    found = {*versions(programs.preview("development"))}
    known = {pair for row in rows() for pair in row.properties}
    assert found - known - {*OTHERWISE} == set()
    assert len(found & known) >= 10
