"""Orders over resources that depend only on the resources, not on who finished first."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from rehearsal.engine.state import State


def ordered(states: Sequence[State]) -> list[State]:
    """References first, then by URN. Of one URN, entries that wait for deletion come last."""
    by_urn: dict[str, list[State]] = defaultdict(list)
    for state in states:
        by_urn[state.urn].append(state)
    ranks = {urn: rank for rank, urn in enumerate(topological(
        by_urn, lambda urn: {found for state in by_urn[urn] for found in state.references()}))}
    return sorted(states, key=lambda state: (state.delete, ranks[state.urn], str(state.id)) if state.delete
                  else (False, ranks[state.urn], ""))


def topological(nodes: Iterable[str], references: Callable[[str], set[str]]) -> list[str]:
    """Kahn's algorithm with the smallest name first. References outside `nodes` don't count; the members of a cycle,
    which only a damaged state can hold, come at the end in the order of their names."""
    names = set(nodes)
    waiting: dict[str, int] = {}
    dependents: dict[str, list[str]] = defaultdict(list)
    for name in names:
        found = (references(name) & names) - {name}
        waiting[name] = len(found)
        for reference in found:
            dependents[reference].append(name)
    ready = [name for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    result: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        result.append(name)
        for dependent in dependents[name]:
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                heapq.heappush(ready, dependent)
    return result + sorted(names - set(result))


def deletion_blockers(states: Sequence[State]) -> dict[int, set[int]]:
    """For each state (by position) the positions that must be deleted before it: whoever refers to it, and, if it is
    a component, whoever depends on it must go before its children too."""
    positions: dict[str, list[int]] = defaultdict(list)
    children: dict[str, list[int]] = defaultdict(list)
    for position, state in enumerate(states):
        positions[state.urn].append(position)
        children[state.parent].append(position)
    blockers: dict[int, set[int]] = {position: set() for position in range(len(states))}
    for position, state in enumerate(states):
        for urn in state.references():
            for target in positions.get(urn, ()):
                blockers[target].add(position)
        for urn in state.dependencies:
            inside = _descendants(urn, states, positions, children)
            if position not in inside:
                for target in inside:
                    blockers[target].add(position)
    return blockers


def _descendants(urn: str, states: Sequence[State], positions: dict[str, list[int]],
                 children: dict[str, list[int]]) -> set[int]:
    """Everything below a component; nothing for a custom resource."""
    if not any(not states[position].custom for position in positions.get(urn, ())):
        return set()
    found: set[int] = set()
    queue = [urn]
    while queue:
        for position in children.get(queue.pop(), ()):
            if position not in found:
                found.add(position)
                queue.append(states[position].urn)
    return found
