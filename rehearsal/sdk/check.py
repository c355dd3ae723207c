"""Are these inputs what the SDK's types allow? Unknown and missing keys at every depth, wrong kinds."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from rehearsal.engine.provider import Failure
from rehearsal.engine.values import UNKNOWN, Archive, Asset, Properties, ResourceReference, Secret
from rehearsal.sdk.types import Kind, Property, ResourceType

_NAMES = {"string": "a string", "boolean": "true or false", "integer": "a whole number", "number": "a number",
          "list": "a list", "map": "a map", "object": "an object"}


def check(resource: ResourceType, inputs: Properties) -> list[Failure]:
    """Values that are unknown, secret, assets or references are taken as right."""
    return list(_object(resource, inputs, resource.inputs, "", resource.token))


def _object(resource: ResourceType, value: Properties, allowed: dict[str, Property], path: str,
            what: str) -> Iterator[Failure]:
    for name, entry in value.items():
        place = f"{path}.{name}" if path else name
        if name.startswith("__"):  # the engine's own marks
            continue
        if name not in allowed:
            yield Failure(place, f"{what} has no input `{name}`{_suggestion(name, allowed)}")
        elif entry is not None:
            yield from _value(resource, entry, allowed[name].kind, place)
    for name, entry in allowed.items():
        if entry.required and value.get(name) is None:
            yield Failure(f"{path}.{name}" if path else name, f"{what} needs `{name}`")


def _value(resource: ResourceType, value: Any, kind: Kind, path: str) -> Iterator[Failure]:
    if value is None or value is UNKNOWN or isinstance(value, Asset | Archive | ResourceReference):
        return
    if isinstance(value, Secret):
        yield from _value(resource, value.value, kind, path)
    elif kind == "any":
        return
    elif isinstance(kind, str):
        if not _is_scalar(value, kind):
            yield Failure(path, f"must be {_NAMES[kind]}, is {_shown(value)}")
    else:
        yield from _composite(resource, value, kind, path)


def _composite(resource: ResourceType, value: Any, kind: dict[str, Any], path: str) -> Iterator[Failure]:
    [(shape, inner)] = kind.items()
    if shape == "union":
        attempts = [list(_value(resource, value, part, path)) for part in inner]
        if all(attempts):
            yield from min(attempts, key=len)
    elif shape == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(resource, item, inner, f"{path}[{index}]")
    elif shape == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from _value(resource, item, inner, f'{path}["{key}"]')
    elif shape == "object" and isinstance(value, dict):
        name = inner.rpartition("#")[2].removesuffix("Args")
        yield from _object(resource, value, resource.types[inner], path, name)
    else:
        yield Failure(path, f"must be {_NAMES[shape]}, is {_shown(value)}")


def _is_scalar(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, int) if kind == "integer" else isinstance(value, int | float)


def _shown(value: Any) -> str:
    """The kind and, for what is short and can't be secret, the value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return {"str": "a string", "list": "a list", "dict": "an object"}.get(type(value).__name__, type(value).__name__)


def _suggestion(name: str, allowed: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(allowed), 1)
    return f"; did you mean `{close[0]}`?" if close else ""
