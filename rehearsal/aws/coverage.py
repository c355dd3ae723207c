"""How faithfully each property of each resource type is served: emulated, kept beside the emulators, or unknown.

`kept` is what the handlers declare. A property counts as emulated once it has been read back from the emulator as it
was sent; `altered` was read back as something else, and `lost` not at all, so what a program sees of it is its own
input. What no run has touched is unknown.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rehearsal.aws.handler import HANDLERS, Handler
from rehearsal.engine.values import Properties
from rehearsal.sdk.types import Types, default_cache


class Service(StrEnum):
    EMULATED = "emulated"
    KEPT = "kept"
    ALTERED = "altered"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Row:
    """One property of one resource type."""

    type: str
    property: str
    service: Service


class Observations:
    """What read-backs have shown, by type and property; the worst that was seen counts. Thread-safe."""

    def __init__(self, seen: Mapping[str, Mapping[str, Service]] | None = None) -> None:
        self._seen: dict[str, dict[str, Service]] = {type: dict(table) for type, table in (seen or {}).items()}
        self._lock = threading.Lock()

    def record(self, type: str, property: str, service: Service) -> None:
        with self._lock:
            table = self._seen.setdefault(type, {})
            if _BADNESS.index(service) >= _BADNESS.index(table.get(property, Service.EMULATED)):
                table[property] = service

    def of(self, type: str) -> Mapping[str, Service]:
        with self._lock:
            return dict(self._seen.get(type, {}))

    def merged(self, other: Observations) -> Observations:
        result = Observations(self._seen)
        for type, table in other._seen.items():
            for property, service in table.items():
                result.record(type, property, service)
        return result

    def save(self, file: Path) -> None:
        """Joins what the file has: observations of several runs add up."""
        joined = self.merged(Observations.load(file))
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(joined._seen, indent=1, sort_keys=True))
        fresh.replace(file)

    @classmethod
    def load(cls, file: Path) -> Observations:
        if not file.exists():
            return cls()
        return cls({type: {name: Service(word) for name, word in table.items()}
                    for type, table in json.loads(file.read_text()).items()})


_BADNESS = (Service.EMULATED, Service.ALTERED, Service.LOST)


def observed_file() -> Path:
    """Where the observations of this user's runs add up."""
    return default_cache().parent / "coverage.json"


def report(observed: Path | None = None) -> list[dict[str, str]]:
    """`type`, `property`, `served` for every input of every type that has a handler; by what runs have observed."""
    from rehearsal.aws.provider import load_services  # the provider imports this module

    load_services()
    table = rows(Observations.load(observed or observed_file()), Types(default_cache()))
    return [{"type": row.type, "property": row.property, "served": str(row.service)} for row in table]


def rows(observations: Observations, types: Types, handlers: Mapping[str, Handler] = HANDLERS) -> list[Row]:
    """Every input of every type that has a handler, sorted by type and property."""
    return [Row(type, property, _service(handlers[type], property, observations.of(type)))
            for type in sorted(handlers) for property in sorted(types.get(type).inputs)]


def summary(table: list[Row]) -> dict[str, dict[str, int]]:
    """Type → how many of its properties are served which way."""
    counts: dict[str, dict[str, int]] = {}
    for row in table:
        of_type = counts.setdefault(row.type, dict.fromkeys(map(str, Service), 0))
        of_type[row.service] += 1
    return counts


def touched(properties: Properties) -> list[str]:
    """The input names that a program gave, without the engine's marks."""
    return [name for name, value in properties.items() if value is not None and not name.startswith("__")]


def _service(handler: Handler, property: str, seen: Mapping[str, Service]) -> Service:
    if handler.kept_whole or property in handler.kept:
        return Service.KEPT
    return seen.get(property, Service.UNKNOWN)
