"""Components: the parts of a stack that a reader thinks in, what a change does to each, and what they need of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from operations.preview.model import ORDER, STACK_TYPE, Graph, Operation, Resource, StackPreview


@dataclass(frozen=True)
class Part:
    """A component directly below the stack. worst: the gravest thing that happens to a resource of it."""

    name: str
    type: str
    resources: tuple[str, ...]
    worst: Operation = Operation.SAME


@dataclass(frozen=True)
class Need:
    """`of` needs something of `to`. properties: (type, input) pairs that say what."""

    of: str
    to: str
    properties: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def parts(stack: StackPreview) -> tuple[Part, ...]:
    """In the order of their registration; those that go at the end."""
    operations: dict[str, Operation] = {}
    owners = owner_of(stack.graph)
    names: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for resource in stack.graph.resources:
        if resource.type != STACK_TYPE and not resource.type.startswith("pulumi:providers:"):
            owner = owners[resource.urn]
            names.setdefault(owner.name, owner.type)
            members.setdefault(owner.name, []).append(resource.urn)
    for change in stack.changes:
        owner_name = owners[change.urn].name if change.urn in owners else _top_of(change.urn)
        names.setdefault(owner_name, "")
        members.setdefault(owner_name, [])
        present = operations.get(owner_name, Operation.SAME)
        operations[owner_name] = min(present, change.operation, key=ORDER.index)
    return tuple(Part(name, type, tuple(members[name]), operations.get(name, Operation.SAME))
                 for name, type in names.items())


def owner_of(graph: Graph) -> Mapping[str, Resource]:
    """By URN, the component below the stack that a resource is part of; itself where there is none."""
    found: dict[str, Resource] = {}
    for resource in graph.resources:  # parents come first
        parent = graph.by_urn.get(resource.parent)
        nested = parent is not None and parent.type != STACK_TYPE
        found[resource.urn] = found[resource.parent] if nested else resource
    return found


def needs(graph: Graph) -> tuple[Need, ...]:
    """Between components, each pair once."""
    owners = owner_of(graph)
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for resource in graph.resources:
        for key, urns in resource.references.items():
            for urn in urns:
                if urn in owners and owners[urn].urn != owners[resource.urn].urn:
                    pair = owners[resource.urn].name, owners[urn].name
                    found.setdefault(pair, set()).add((resource.type, key))
    return tuple(Need(of, to, frozenset(properties)) for (of, to), properties in sorted(found.items()))


def _top_of(urn: str) -> str:
    """Of what is gone with its component: the type of that, `network`, from the URN."""
    return urn.split("::")[2].split("$")[0].split(":")[1] if urn.count("::") >= 3 else urn
