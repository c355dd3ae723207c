"""Property values as the engine holds them, apart from how the wire or the state file spells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias


class _Unknown:
    """A value that only a real deployment can know. There is one instance, `UNKNOWN`."""

    _instance: _Unknown | None = None

    def __new__(cls) -> _Unknown:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: Any) -> _Unknown:
        return self

    def __bool__(self) -> bool:
        raise TypeError("an unknown value was used as a truth value; ask `is UNKNOWN` first")


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that is encrypted in the state and masked on every screen."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True)
class ResourceReference:
    """A resource that is passed as a value. `id` is None for a component, UNKNOWN in a preview."""

    urn: str
    id: Any = None
    package_version: str = ""


@dataclass(frozen=True)
class Asset:
    """A file-like value. Exactly one of text, path, uri is set; `hash` is the SHA-256 of the content, in hex."""

    text: str | None = None
    path: str | None = None
    uri: str | None = None
    hash: str = ""


@dataclass(frozen=True)
class Archive:
    """A folder-like value. Exactly one of assets, path, uri is set; `hash` is a SHA-256 over names and content."""

    assets: Mapping[str, Asset | Archive] | None = field(default=None)
    path: str | None = None
    uri: str | None = None
    hash: str = ""


# None, bool, int, float, str, list[Value], dict[str, Value], Asset, Archive, ResourceReference, Secret, UNKNOWN.
# Whole numbers are ints: the wire knows only doubles, so 3.0 arrives here as 3.
Value: TypeAlias = Any
Properties: TypeAlias = dict[str, Value]
