"""A recorded graph as the policies see it."""

from __future__ import annotations

from typing import Any

from policy.model import UNKNOWN as SPELLED
from policy.model import Resource
from rehearsal.engine.state import State
from rehearsal.engine.values import UNKNOWN, Secret
from tests.program import Graph


def resources(graph: Graph) -> list[Resource]:
    return [seen(state) for state in graph.resources]


def seen(state: State) -> Resource:
    """With secrets in the open, as an analyzer gets them."""
    return Resource(state.type, state.urn, state.name, plain(state.inputs), state.property_dependencies)


def plain(value: Any) -> Any:
    if value is UNKNOWN:
        return SPELLED
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
