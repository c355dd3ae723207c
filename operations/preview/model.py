"""Resources of a graph, and what a change does to them, to the bill and to the policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

STACK_TYPE = "pulumi:pulumi:Stack"


class Operation(StrEnum):
    REPLACE = "replace"
    DELETE = "delete"
    UPDATE = "update"
    CREATE = "create"
    SAME = "same"


# In the order in which a reader wants them.
MARKS: Mapping[Operation, str] = {
    Operation.REPLACE: "±", Operation.DELETE: "-", Operation.UPDATE: "~", Operation.CREATE: "+", Operation.SAME: " "}
ORDER: tuple[Operation, ...] = tuple(MARKS)
DESTRUCTIVE = (Operation.REPLACE, Operation.DELETE)


@dataclass(frozen=True)
class Resource:
    """references: by input, the URNs of what it was made from. needs: all URNs that it waits for. ignored,
    replacing: property paths of ignoreChanges and replaceOnChanges. names: texts that stand for this resource in the
    inputs of others, such as its made-up ARN."""

    urn: str
    type: str
    name: str
    parent: str = ""
    custom: bool = True
    inputs: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, Sequence[str]] = field(default_factory=dict)
    provider: str = ""
    protect: bool = False
    retained: bool = False
    ignored: Sequence[str] = ()
    replacing: Sequence[str] = ()
    aliases: Sequence[str] = ()
    names: Sequence[str] = ()
    needs: Sequence[str] = ()


@dataclass(frozen=True)
class Graph:
    """One stack's resources, references first."""

    resources: tuple[Resource, ...]

    @cached_property
    def by_urn(self) -> dict[str, Resource]:
        return {resource.urn: resource for resource in self.resources}


@dataclass(frozen=True)
class Verdict:
    """assumed: no source says whether the property forces a replacement."""

    replaces: bool
    assumed: bool = False


@dataclass(frozen=True)
class PropertyChange:
    """before, after: None where there is none. why: of a value that follows from another resource's replacement."""

    path: str
    before: Any = None
    after: Any = None
    replaces: bool = False
    assumed: bool = False
    why: str = ""


@dataclass(frozen=True)
class Change:
    """causes: the properties that force the replacement. protected: `up` refuses to remove it. retained: it stays in
    the cloud when it leaves the stack."""

    urn: str
    type: str
    name: str
    operation: Operation
    properties: tuple[PropertyChange, ...] = ()
    causes: tuple[str, ...] = ()
    protected: bool = False
    retained: bool = False


class Level(StrEnum):
    VIOLATED = "violated"
    WAIVED = "waived"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Finding:
    """A policy and a resource. known: it was there before the change too."""

    id: str
    level: Level
    resource: str
    message: str
    known: bool = False


@dataclass(frozen=True)
class Cost:
    """USD a month; None: not known, and `note` says why. components: name → (before, after). unpriced: what of the
    later estimate has no price."""

    before: float | None = None
    after: float | None = None
    components: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    unpriced: tuple[str, ...] = ()
    note: str = ""

    @property
    def delta(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Bar:
    """One operation, seconds from the beginning. critical: if it took longer, so would the whole. assumed: its type
    has no figure. why: what it began after and where its figure is from; "" for what is not critical."""

    name: str
    type: str
    begins: float
    ends: float
    critical: bool = False
    assumed: bool = False
    why: str = ""


@dataclass(frozen=True)
class Phase:
    """Seconds. p50, p95: of the whole. median: of the run in which everything takes its median, to which the bars
    belong, in the order in which they begin."""

    p50: float
    p95: float
    median: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timing:
    """How long `up` would take: first all is made, then what was replaced or left goes. None where there is nothing of
    it. uncounted: operations of which nobody knows how long they take → how many."""

    made: Phase | None = None
    gone: Phase | None = None
    uncounted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class StackPreview:
    """changes: all but those that stay the same, of which `same` is the number. policies: None: not evaluated. note:
    what the reader must know before the rest, such as that the version before does not run."""

    stack: str
    changes: tuple[Change, ...]
    same: int
    graph: Graph = field(default_factory=lambda: Graph(()))
    cost: Cost = field(default_factory=Cost)
    policies: tuple[Finding, ...] | None = None
    note: str = ""
    timing: Timing = field(default_factory=Timing)

    def count(self, operation: Operation) -> int:
        return self.same if operation is Operation.SAME else sum(c.operation is operation for c in self.changes)

    @property
    def violations(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.policies or () if each.level is Level.VIOLATED)

    @property
    def destructive(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.operation in DESTRUCTIVE)


@dataclass(frozen=True)
class Preview:
    """against: `origin/main`, or which file, in a reader's words."""

    against: str
    stacks: tuple[StackPreview, ...]

    @property
    def changed(self) -> bool:
        return any(stack.changes for stack in self.stacks)

    @property
    def violated(self) -> bool:
        return any(stack.violations for stack in self.stacks)

    @property
    def ordered(self) -> tuple[StackPreview, ...]:
        """Changed first, otherwise as they came."""
        return tuple(sorted(self.stacks, key=lambda stack: not stack.changes))
