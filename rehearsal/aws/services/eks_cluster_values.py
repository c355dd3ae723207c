"""Values of a packaged component while it is expanded: some unknown, some secret; and how children are registered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rehearsal.aws.handler import Call
from rehearsal.engine.provider import Register, Registered, Registration
from rehearsal.engine.values import UNKNOWN, Properties, ResourceReference, Secret


def lift(function: Callable[..., Any], *values: Any) -> Any:
    """`function` of the plain values; unknown when one of them is, secret when one of them is, at any depth."""
    plain, unknown, secret = [], False, False
    for value in values:
        stripped, has_unknown, has_secret = _strip(value)
        plain.append(stripped)
        unknown, secret = unknown or has_unknown, secret or has_secret
    result = UNKNOWN if unknown else function(*plain)
    return Secret(result) if secret else result


def _strip(value: Any) -> tuple[Any, bool, bool]:
    """The value without its secret marks; whether it holds an unknown, and whether it held a secret."""
    if isinstance(value, Secret):
        inner, unknown, _ = _strip(value.value)
        return inner, unknown, True
    if value is UNKNOWN:
        return value, True, False
    if isinstance(value, Mapping):
        parts = {key: _strip(item) for key, item in value.items()}
        return ({key: part[0] for key, part in parts.items()}, any(part[1] for part in parts.values()),
                any(part[2] for part in parts.values()))
    if isinstance(value, list):
        items = [_strip(item) for item in value]
        return ([item[0] for item in items], any(item[1] for item in items), any(item[2] for item in items))
    return value, False, False


def present(properties: Mapping[str, Any]) -> Properties:
    """Without what the program left out: an absent input and a null one are the same to the SDK."""
    return {key: value for key, value in properties.items() if value is not None}


def merged(*parts: Any) -> Any:
    """The mappings as one, the later ones winning; absent ones count as empty."""
    return lift(lambda *mappings: {key: value for mapping in mappings for key, value in (mapping or {}).items()},
                *parts)


def compact(value: Any) -> Any:
    """As JSON.stringify writes it."""
    return lift(lambda plain: json.dumps(plain, separators=(",", ":"), ensure_ascii=False), value)


class Family:
    """Registers the children of one component. All of them depend on what they are given as `after`."""

    def __init__(self, call: Call, register: Register) -> None:
        self.call = call
        self._register = register

    def child(self, type: str, name: str, inputs: Mapping[str, Any], *, parent: str = "",
              after: Iterable[Registered] = (), ignore_changes: tuple[str, ...] = (),
              custom: bool = True) -> Registered:
        return self._register(Registration(
            type=type, name=name, inputs=present(inputs), custom=custom, parent=parent,
            depends_on=tuple(dict.fromkeys(each.urn for each in after)), ignore_changes=ignore_changes))

    def output(self, of: Registered, *path: str | int) -> Any:
        """An output of a child. One that a preview can't know is unknown."""
        value: Any = of.outputs
        for step in path:
            secret = isinstance(value, Secret)
            value = value.value if secret else value
            if value is UNKNOWN:
                return UNKNOWN
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return UNKNOWN if self.call.context.preview else None
            value = Secret(value) if secret else value
        return value


def reference(of: Registered, custom: bool = True) -> ResourceReference:
    return ResourceReference(of.urn, of.id if custom else None)
