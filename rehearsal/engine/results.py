"""What a run reports: steps, events while it goes on, and the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rehearsal.engine.errors import Violation
from rehearsal.engine.provider import Change, Diff
from rehearsal.engine.values import Properties


class Operation(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    SAME = "same"
    READ = "read"
    IMPORT = "import"
    REFRESH = "refresh"  # a read that found a difference


COUNTED = (Operation.CREATE, Operation.UPDATE, Operation.REPLACE, Operation.DELETE, Operation.SAME)


@dataclass(frozen=True)
class PropertyChange:
    """One changed property. `before` and `after` are for screens: secrets are `[secret]`, unknowns `[unknown]`."""

    path: str
    change: Change
    before: Any = None
    after: Any = None
    replaces: bool = False
    assumed: bool = False


@dataclass(frozen=True)
class Step:
    urn: str
    type: str
    name: str
    operation: Operation
    diff: tuple[PropertyChange, ...] = ()
    causes: tuple[str, ...] = ()  # why it is replaced: paths, "provider", "replaceOnChanges", "dependency", …
    assumed: tuple[str, ...] = ()  # paths whose effect (update, not replace) has no source
    seconds: float = 0.0


class EventKind(StrEnum):
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    PROGRESS = "progress"
    DIAGNOSTIC = "diagnostic"
    POLICY = "policy"


@dataclass(frozen=True)
class Event:
    """`message`: progress, a diagnostic line, what a policy said, or why a step failed. Known secrets are masked."""

    kind: EventKind
    urn: str = ""
    operation: Operation | None = None
    message: str = ""
    severity: str = ""  # "debug", "info", "warning", "error"; "stdout" and "stderr" for lines of the program
    seconds: float = 0.0


@dataclass(frozen=True)
class Diagnostic:
    severity: str
    message: str
    urn: str = ""


@dataclass
class Result:
    """`outputs` are the stack's; secret ones are `Secret`, unknown ones of a preview `UNKNOWN`."""

    changes: dict[str, int]
    steps: list[Step]
    outputs: Properties
    seconds: float
    seed: int
    program_seconds: float = 0.0  # from the program's start until it has registered everything
    diagnostics: list[Diagnostic] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)  # what policy packs advise

    @property
    def changed(self) -> bool:
        return any(count for operation, count in self.changes.items() if operation != Operation.SAME)


NO_DIFF = Diff()
