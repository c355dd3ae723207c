"""Property values of a graph as data that can go through JSON.

Spelled, a value that JSON does not have is a mapping with the one key `$`: {"$": "unknown"}, {"$": "secret:ab12…"},
{"$": "archive:sha256…"}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MARK = "$"
_PLAIN = re.compile(r"[A-Za-z_$][\w$-]*")


@dataclass(frozen=True)
class Marked:
    """kind: unknown, secret, asset or archive. digest: tells one from another, and says no more of a secret."""

    kind: str
    digest: str = ""

    def __str__(self) -> str:
        return f"[{self.kind} {self.digest[:12]}]" if self.kind in ("asset", "archive") else f"[{self.kind}]"


UNKNOWN: Final = Marked("unknown")


def read(value: Any) -> Any:
    """A spelled value."""
    if isinstance(value, Mapping):
        if value.keys() == {MARK}:
            kind, _, digest = str(value[MARK]).partition(":")
            return Marked(kind, digest)
        return {key: read(item) for key, item in value.items()}
    if isinstance(value, list):
        return [read(item) for item in value]
    return value


def shown(value: Any) -> Any:
    """For a reader: no secret, nothing but JSON."""
    if isinstance(value, Marked):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    return value


def text(value: Any) -> str:
    """The one spelling of a value: equal values have equal texts."""
    return json.dumps(shown(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def places(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves with their paths, below the path of the value."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from places(item, join(path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from places(item, f"{path}[{index}]")
    else:
        yield path, value


def join(path: str, key: str) -> str:
    """Pulumi's path syntax: `spec.replicas`, `labels["app.kubernetes.io/name"]`."""
    if not _PLAIN.fullmatch(key):
        return path + '["' + key.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    return f"{path}.{key}" if path else key


def leaves(value: Any) -> Iterator[Any]:
    """Everything inside that is neither a mapping nor a list."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value
