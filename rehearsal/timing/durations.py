"""The table of durations: read, checked, and asked for one resource."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from rehearsal.errors import Unusable

TABLE = Path(__file__).with_name("durations.yaml")
_Z95 = 1.6448536269514722  # of the standard normal distribution
_TIME = re.compile(r"(\d+):([0-5]\d)")
_PATH = " > "


class DurationsUnreadable(Unusable):
    """A table that can't be read: the text says which file, which row and what is allowed."""


class Operation(StrEnum):
    CREATE = "create"
    DELETE = "delete"


@dataclass(frozen=True)
class Duration:
    """Seconds. Spread log-normally: what takes long in AWS is a multiple of the usual, not so many minutes more."""

    p50: float
    p95: float
    source: str

    def drawn(self, standard_normal: float) -> float:
        if self.p50 == 0:
            return 0.0
        return self.p50 * math.exp(math.log(self.p95 / self.p50) / _Z95 * standard_normal)


NOTHING = Duration(0.0, 0.0, "")


@dataclass(frozen=True)
class Figure:
    type: str
    when: Mapping[str, Any]  # path in the inputs → value, or "present"
    of: Mapping[Operation, Duration]
    joins: str = ""  # a path: what comes after another of the type with the same value there joins what that one made

    def holds(self, type: str, inputs: Mapping[str, Any]) -> bool:
        return type == self.type and all(_holds(at(inputs, path), wanted) for path, wanted in self.when.items())


@dataclass(frozen=True)
class Limit:
    """types: beginnings of type tokens. operation: None for all."""

    types: tuple[str, ...]
    operation: Operation | None
    seconds: float
    source: str


@dataclass(frozen=True)
class Fault:
    type: str
    operation: Operation
    adds: Duration


@dataclass(frozen=True)
class Durations:
    figures: tuple[Figure, ...]
    assumed: Duration
    instant: tuple[str, ...]
    limits: tuple[Limit, ...]
    faults: Mapping[str, Fault]

    def of(self, type: str, inputs: Mapping[str, Any], operation: Operation) -> Duration:
        """`assumed` itself where the table has no figure."""
        if type.startswith(self.instant):
            return NOTHING
        row = self._row(type, inputs)
        return self.assumed if row is None else row.of.get(operation, self.assumed)

    def made_together(self, type: str, inputs: Mapping[str, Any]) -> str:
        """Names what several resources of the type make once, by the first of them; "" where each makes its own."""
        row = self._row(type, inputs)
        return f"{type} {at(inputs, row.joins)}" if row is not None and row.joins else ""

    def _row(self, type: str, inputs: Mapping[str, Any]) -> Figure | None:
        return next((row for row in self.figures if row.holds(type, inputs)), None)

    def limit(self, type: str, operation: Operation) -> int | None:
        """Which of the limits the resource is under."""
        return next((index for index, limit in enumerate(self.limits)
                     if type.startswith(limit.types) and limit.operation in (None, operation)), None)


def load(own: Path | None = None) -> Durations:
    """The table, with a stack's own figures before it. Raises DurationsUnreadable."""
    table = _read(TABLE)
    if own is None:
        return table
    more = _read(own)
    return Durations((*more.figures, *table.figures), table.assumed, (*more.instant, *table.instant),
                     (*more.limits, *table.limits), {**table.faults, **more.faults})


def _read(path: Path) -> Durations:
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise DurationsUnreadable(f"{path} can't be read: {error}") from error
    if not isinstance(document, dict):
        raise DurationsUnreadable(f"{path} holds no mapping; its form is that of {TABLE.name}")
    _only(path, "the table", document, {"figures", "assumed", "instant", "limits", "faults"})
    try:
        return Durations(
            tuple(_figure(path, row) for row in document.get("figures") or ()),
            _duration(path, "assumed", document["assumed"]) if "assumed" in document else NOTHING,
            tuple(document.get("instant") or ()),
            tuple(_limit(path, row) for row in document.get("limits") or ()),
            {name: _fault(path, name, row) for name, row in (document.get("faults") or {}).items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DurationsUnreadable(f"{path} has a row that can't be read ({error!r}); its form is that of {TABLE.name}"
                                  ) from error


def _figure(path: Path, row: Mapping[str, Any]) -> Figure:
    name = str(row["type"])
    _only(path, name, row, {"type", "when", "joins", *Operation})
    return Figure(name, row.get("when") or {},
                  {operation: _duration(path, f"{name}, {operation}", row[operation])
                   for operation in Operation if operation in row}, str(row.get("joins", "")))


def _limit(path: Path, row: Mapping[str, Any]) -> Limit:
    _only(path, "a limit", row, {"types", "operation", "seconds", "source"})
    operation = Operation(row["operation"]) if "operation" in row else None
    return Limit(tuple(row["types"]), operation, float(row["seconds"]), str(row["source"]))


def _fault(path: Path, name: str, row: Mapping[str, Any]) -> Fault:
    _only(path, name, row, {"type", "operation", "adds"})
    return Fault(str(row["type"]), Operation(row["operation"]), _duration(path, name, row["adds"]))


def _duration(path: Path, where: str, row: Mapping[str, Any]) -> Duration:
    _only(path, where, row, {"p50", "p95", "source"})
    p50, p95, source = _seconds(path, where, row["p50"]), _seconds(path, where, row["p95"]), str(row.get("source", ""))
    if not 0 < p50 <= p95:
        raise DurationsUnreadable(f"{path}: {where}: p50 ({row['p50']}) must be above 0:00 and at most p95 "
                                  f"({row['p95']})")
    if not source.strip():
        raise DurationsUnreadable(f"{path}: {where}: a figure needs its `source`")
    return Duration(p50, p95, source)


def _seconds(path: Path, where: str, text: object) -> float:
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise DurationsUnreadable(f"{path}: {where}: {text!r} is not a time; write minutes and seconds in quotation "
                                  'marks, such as "7:30"')
    return 60.0 * int(found[1]) + int(found[2])


def _only(path: Path, where: str, row: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(row) - known):
        raise DurationsUnreadable(f"{path}: {where}: {', '.join(unknown)} is not known; allowed: "
                                  f"{', '.join(sorted(known))}")


def at(inputs: Mapping[str, Any], path: str) -> Any:
    value: Any = inputs
    for part in path.split(_PATH):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _holds(value: Any, wanted: Any) -> bool:
    if wanted == "present":
        return value not in (None, "", [], {})
    return bool(value == wanted)


def clock(seconds: float) -> str:
    """`7:30`, and `1:02:03` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def assumed_types(durations: Durations, types: Sequence[tuple[str, Duration]]) -> dict[str, int]:
    """How many resources of each type have no figure of their own."""
    found: dict[str, int] = {}
    for type, duration in types:
        if duration is durations.assumed:
            found[type] = found.get(type, 0) + 1
    return dict(sorted(found.items()))
