"""Resources, the world that they make together, and what a control is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import signature
from typing import Any, cast

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # how Pulumi spells a value that only the deployment knows
STACK = "pulumi:pulumi:Stack"
DEVELOPMENT = frozenset({"development"})
ENVIRONMENTS = frozenset({"development", "staging", "production", "recovery"})


class Undecided(Exception):
    """The control asks for a value that is known after the deployment only."""


@dataclass(frozen=True)
class Resource:
    """references: by input, the URNs of the resources whose outputs it was made from."""

    type: str
    urn: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, Sequence[str]] = field(default_factory=dict)
    delete_before_replace: bool = False

    def at(self, path: str) -> Any:
        """`at("metadataOptions.httpTokens")`; `at("rules[].name")` is the list of what is there; None: is not said."""
        return at(self.inputs, path)

    def document(self, path: str) -> Mapping[str, Any]:
        """A JSON document. Raises Undecided for one that a deployment completes."""
        text = self.at(path)
        if text == UNKNOWN:
            raise Undecided(path)
        return dict(json.loads(text)) if isinstance(text, str) else dict(text or {})

    def statements(self, path: str = "policy") -> list[dict[str, Any]]:
        return listed(self.document(path).get("Statement"))


@dataclass(frozen=True)
class World:
    """All resources of one stack."""

    resources: tuple[Resource, ...]

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return found

    @cached_property
    def _by_urn(self) -> dict[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    def of(self, *types: str) -> list[Resource]:
        return [resource for type in types for resource in self._by_type.get(type, ())]

    def users(self, resource: Resource, type: str, key: str) -> list[Resource]:
        """Resources of a type that are made for this one: it is what their input `key` names."""
        return [other for other in self.of(type) if resource.urn in other.references.get(key, ())]

    def named(self, resource: Resource, key: str, type: str) -> list[Resource]:
        """Resources of a type that this one's input `key` names."""
        found = (self._by_urn.get(urn) for urn in resource.references.get(key, ()))
        return [other for other in found if other is not None and other.type == type]


Alone = Callable[[Resource], object]
Among = Callable[[Resource, World], object]
Holds = Alone | Among


@dataclass(frozen=True)
class Control:
    """ids: checkov's first, then Security Hub's. holds: truthy where the resource meets it; may raise Undecided.
    mend: what to do about a resource that doesn't. waivable: environments where a waiver is accepted. alone: the
    resource itself is all that it asks for, so that it can be judged before anything is made."""

    ids: tuple[str, ...]
    title: str
    types: tuple[str, ...]
    holds: Among
    mend: str
    waivable: frozenset[str] = ENVIRONMENTS
    alone: bool = False

    @property
    def id(self) -> str:
        return self.ids[0]

    @property
    def name(self) -> str:
        """As CrossGuard names a policy."""
        return self.id.lower().replace("_", "-").replace(".", "-")


@dataclass(frozen=True)
class Finding:
    control: Control
    resource: Resource

    def __str__(self) -> str:
        return f"{'/'.join(self.control.ids)} {self.control.title}: {self.resource.type} {self.resource.name}: " \
               f"{self.control.mend}"


def control(ids: str, title: str, types: str | tuple[str, ...], holds: Holds, mend: str,
            waivable: frozenset[str] = ENVIRONMENTS) -> Control:
    """`ids` are separated by spaces. `holds` takes the resource alone, or the world too."""
    kinds = (types,) if isinstance(types, str) else types
    alone = len(signature(holds).parameters) == 1
    judged = (lambda resource, world: cast(Alone, holds)(resource)) if alone else cast(Among, holds)
    return Control(tuple(ids.split()), title, kinds, judged, mend, waivable, alone)


def says(path: str, value: Any = True) -> Alone:
    """The input has this value; "true" is the spelling of some providers for True."""
    return lambda resource: (found := resource.at(path)) == value or (value is True and found == "true")


def given(path: str) -> Alone:
    return lambda resource: resource.at(path)


def has(type: str, key: str) -> Among:
    """A resource of this type is made for it."""
    return lambda resource, world: world.users(resource, type, key)


def exists(type: str, holds: Callable[[Resource], object] = lambda resource: True) -> Among:
    """The stack has one such resource."""
    return lambda resource, world: any(holds(each) for each in world.of(type))


def at(value: Any, path: str) -> Any:
    for step in path.split(".") if path else ():
        if step.endswith("[]"):
            rest = path.split(step + ".", 1)[1] if step + "." in path else ""
            items = listed(value.get(step[:-2]) if isinstance(value, Mapping) else None)
            return [found for item in items if (found := at(item, rest)) is not None]
        value = value.get(step) if isinstance(value, Mapping) else None
        if value is None or value == UNKNOWN:
            return value
        path = path[len(step) + 1:]
    return value


def listed(value: Any) -> list[Any]:
    """AWS's documents say one thing without a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def every(items: Sequence[Any], holds: Callable[[Any], object]) -> bool:
    """All, and at least one."""
    return bool(items) and all(holds(item) for item in items)


def nested(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping inside."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from nested(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from nested(inner)
