"""What waits for what: the resources of a state or of a preview, as Pulumi orders them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from rehearsal.engine import urns
from rehearsal.engine.order import deletion_blockers, ordered
from rehearsal.engine.state import State
from rehearsal.errors import Unusable
from rehearsal.timing.durations import Operation


class StateUnreadable(Unusable):
    """The file is no deployment: the text says which, and what makes one."""


class Why(StrEnum):
    DATA = "data"  # an input needs an output
    ORDER = "order"  # `depends_on`
    PARENT = "parent"
    PROVIDER = "provider"
    BLOCKS = "blocks"  # on the way down: it is used by what goes first
    ROUND = "round"  # on the way down: Pulumi deletes in rounds
    SLOT = "slot"  # as many operations are under way as may be
    LIMIT = "limit"  # the provider's or the account's rate


@dataclass(frozen=True)
class Wait:
    """For node `before`. through: the inputs that need it."""

    before: int
    why: Why
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """work: whether anybody is called. Components, providers and rounds are nodes that take no time."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    work: bool
    parent: str = ""


@dataclass(frozen=True)
class Graph:
    """waits: for each node what must be done before it."""

    operation: Operation
    nodes: tuple[Node, ...]
    waits: tuple[tuple[Wait, ...], ...]

    def waits_for(self, node: int, others: set[int]) -> bool:
        """Whether one of `others` is done before the node begins."""
        seen, queue = {node}, [node]
        while queue:
            for wait in self.waits[queue.pop()]:
                if wait.before in others:
                    return True
                if wait.before not in seen:
                    seen.add(wait.before)
                    queue.append(wait.before)
        return False

    def without(self, before: int, after: set[int]) -> Graph:
        """As if the nodes `after` did not wait for `before`, but for data."""
        return replace(self, waits=tuple(
            tuple(wait for wait in waits if wait.before != before or wait.why is Why.DATA) if index in after else waits
            for index, waits in enumerate(self.waits)))

    def working(self, urns: Collection[str]) -> Graph:
        """As if all but `urns` were done. What takes no time is left out, but between two that do: it orders them."""
        work = [node.work and node.urn in urns for node in self.nodes]
        after, before = _reached(self.waits, work), _reached(_turned(self.waits), work)
        kept = [index for index, does in enumerate(work) if does or (after[index] and before[index])]
        place = {index: position for position, index in enumerate(kept)}
        return replace(self, nodes=tuple(replace(self.nodes[index], work=work[index]) for index in kept),
                       waits=tuple(tuple(replace(wait, before=place[wait.before]) for wait in self.waits[index]
                                         if wait.before in place) for index in kept))


def _turned(waits: Sequence[Sequence[Wait]]) -> list[list[Wait]]:
    """For each node those that wait for it."""
    found: list[list[Wait]] = [[] for _ in waits]
    for index, mine in enumerate(waits):
        for wait in mine:
            found[wait.before].append(replace(wait, before=index))
    return found


def _reached(waits: Sequence[Sequence[Wait]], work: Sequence[bool]) -> list[bool]:
    """For each node whether one that does work stands before it."""
    following = _turned(waits)
    found = [False] * len(work)
    queue = [index for index, does in enumerate(work) if does]
    while queue:
        for wait in following[queue.pop()]:
            if not found[wait.before]:
                found[wait.before] = True
                queue.append(wait.before)
    return found


def recorded(path: Path) -> list[State]:
    """The resources of a state file or of `pulumi stack export`. Secrets stay as they are spelled there. Raises
    StateUnreadable."""
    try:
        document = json.loads(path.read_bytes())
        found = [_state(raw) for raw in document["deployment"].get("resources") or ()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateUnreadable(f"{path} is no deployment of Pulumi ({error!r}); `pulumi stack export --file "
                              f"{path.name}` writes one") from error
    return [state for state in found if not state.delete]


def _state(raw: Mapping[str, Any]) -> State:
    return State(
        urn=raw["urn"], type=raw["type"], custom=raw.get("custom", False), inputs=raw.get("inputs") or {},
        parent=raw.get("parent", ""), provider=raw.get("provider", ""), dependencies=raw.get("dependencies") or [],
        property_dependencies=raw.get("propertyDependencies") or {}, external=raw.get("external", False),
        delete=raw.get("delete", False), retain_on_delete=raw.get("retainOnDelete", False),
        deleted_with=raw.get("deletedWith", ""))


def up(states: Sequence[State]) -> Graph:
    """Everything made from nothing. A resource is registered when what its inputs, `depends_on`, its parent and its
    provider need is there; that is what the SDK waits for."""
    states = ordered(states)
    index = {state.urn: position for position, state in enumerate(states)}
    nodes = tuple(Node(state.urn, state.type, state.name, state.inputs, _calls(state), state.parent)
                  for state in states)
    return Graph(Operation.CREATE, nodes, tuple(
        tuple(Wait(index[urn], why, through) for urn, (why, through) in _needs(state).items() if urn in index)
        for state in states))


def _calls(state: State) -> bool:
    return state.custom and not state.external and not urns.is_provider(state.type)


def _needs(state: State) -> dict[str, tuple[Why, tuple[str, ...]]]:
    """By URN the strongest reason."""
    needs: dict[str, tuple[Why, tuple[str, ...]]] = {}
    through: dict[str, list[str]] = defaultdict(list)
    for key, named in sorted(state.property_dependencies.items()):
        for urn in named:
            through[urn].append(key)
    needs.update({urn: (Why.DATA, tuple(keys)) for urn, keys in sorted(through.items())})
    if state.provider:
        needs.setdefault(urns.split_reference(state.provider)[0], (Why.PROVIDER, ()))
    if state.parent:
        needs.setdefault(state.parent, (Why.PARENT, ()))
    for urn in sorted(state.dependencies):
        needs.setdefault(urn, (Why.ORDER, ()))
    needs.pop(state.urn, None)
    return needs


def down(states: Sequence[State]) -> Graph:
    """Everything deleted, each after what refers to it."""
    states = ordered(states)
    blockers = deletion_blockers(states)
    back = range(len(states) - 1, -1, -1)
    place = {position: rank for rank, position in enumerate(back)}
    nodes = tuple(Node(state.urn, state.type, state.name, state.inputs,
                       _calls(state) and not state.retain_on_delete and not state.deleted_with, state.parent)
                  for state in (states[position] for position in back))
    return Graph(Operation.DELETE, nodes, tuple(
        tuple(Wait(place[blocker], Why.BLOCKS) for blocker in sorted(blockers[position])) for position in back))


def in_rounds(graph: Graph) -> Graph:
    """The same deletions as Pulumi does them: in rounds, of which each waits for the end of the one before (its step
    generator's ScheduleDeletes: "this is not true delete parallelism")."""
    level = _levels(graph)
    order = sorted(range(len(graph.nodes)), key=lambda index: (level[index], index))
    nodes: list[Node] = []
    found: list[tuple[Wait, ...]] = []
    members: list[int] = []
    barrier: tuple[Wait, ...] = ()
    for rank, index in enumerate(order):
        if rank and level[index] != level[order[rank - 1]]:
            nodes.append(Node("", "round", f"end of round {level[index]}", {}, work=False))
            found.append(tuple(Wait(member, Why.ROUND) for member in members))
            barrier, members = (Wait(len(nodes) - 1, Why.ROUND),), []
        members.append(len(nodes))
        nodes.append(graph.nodes[index])
        found.append(barrier)
    return replace(graph, nodes=tuple(nodes), waits=tuple(found))


def _levels(graph: Graph) -> list[int]:
    """For each node how many stand before it on the longest way to it."""
    level = [0] * len(graph.nodes)
    waiting = [len(waits) for waits in graph.waits]
    dependents: dict[int, list[int]] = defaultdict(list)
    for index, waits in enumerate(graph.waits):
        for wait in waits:
            dependents[wait.before].append(index)
    ready = [index for index, count in enumerate(waiting) if count == 0]
    while ready:
        done = ready.pop()
        for index in dependents[done]:
            level[index] = max(level[index], level[done] + 1)
            waiting[index] -= 1
            if waiting[index] == 0:
                ready.append(index)
    return level
