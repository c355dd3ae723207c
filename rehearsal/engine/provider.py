"""What the engine asks of a provider. `rehearsal.aws`, `rehearsal.kubernetes` and the small ones implement it.

Providers see plain values: the engine unwraps `Secret` before a call and marks the outputs again afterwards (an
output is secret when the input of that name was, when the program asked for it in additionalSecretOutputs, or when
the provider wraps it in `Secret` itself). `UNKNOWN` reaches a provider only in `check`, `diff` and `preview`.

Calls come from many threads at once, one resource at a time per URN.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from rehearsal.engine.values import Properties


@dataclass(frozen=True)
class Context:
    """One resource in one operation."""

    urn: str
    type: str  # "aws:ec2/vpc:Vpc"
    name: str  # logical name, "network-vpc"
    config: Properties  # inputs of the provider resource, JSON strings already parsed
    seed: int
    operation: str  # stable over a crash: the same id comes again when an interrupted step is taken again
    preview: bool = False
    # Configurations by package of the providers that were handed to a packaged component ("aws" for eks:index:Cluster).
    providers: Mapping[str, Properties] = field(default_factory=dict)
    timeout_seconds: float | None = None  # from customTimeouts; None: the provider's own default
    cancelled: threading.Event = field(default_factory=threading.Event)
    report: Callable[[str], None] = lambda message: None  # progress, shown beside the resource

    @property
    def random(self) -> random.Random:
        """A generator that depends on the seed and the URN only: the same run draws the same names."""
        return random.Random(f"{self.seed}:{self.urn}")


@dataclass(frozen=True)
class Failure:
    """An input that is refused. `property` is a path such as `spec.replicas` or empty for the whole resource."""

    property: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """Inputs with defaults and auto-names filled in, or why they are refused."""

    inputs: Properties
    failures: tuple[Failure, ...] = ()


class Change(Enum):
    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class PropertyDiff:
    path: str  # Pulumi's path syntax: `ingress[0].cidrBlocks`, `tags["a.b"]`
    change: Change
    replaces: bool = False
    assumed: bool = False  # no source says whether this property forces a replacement; taken as an update


@dataclass(frozen=True)
class Diff:
    properties: tuple[PropertyDiff, ...] = ()
    delete_before_replace: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.properties)

    @property
    def replaces(self) -> bool:
        return any(p.replaces for p in self.properties)


@dataclass(frozen=True)
class Found:
    """A resource as it is. `inputs` are what a program would have to say to get it (for import and refresh)."""

    id: str
    outputs: Properties
    inputs: Properties


class NotFound(Exception):
    """The resource is gone; raised by `update` and `delete`. `delete` of something gone counts as done."""


class ProviderError(Exception):
    """The provider refused or failed. `partial` carries id and outputs of what exists all the same: the engine
    records it and marks it as failed initialisation, so that the next run goes on from there. `in_doubt`: nobody
    knows whether the call took effect; the engine keeps the operation as pending and takes it again in the next run,
    with the same `Context.operation` and the same inputs."""

    def __init__(self, message: str, partial: tuple[str, Properties] | None = None, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.partial = partial
        self.in_doubt = in_doubt


@dataclass(frozen=True)
class Registered:
    """What a packaged component's expansion gets back for each resource that it registers."""

    urn: str
    id: str | object  # UNKNOWN in a preview
    outputs: Properties


@dataclass(frozen=True)
class Registration:
    """One child that a packaged component (a `remote` resource) registers, in the terms of RegisterResource."""

    type: str
    name: str
    inputs: Properties
    custom: bool = True
    parent: str = ""  # URN; empty: the component itself
    depends_on: tuple[str, ...] = ()
    delete_before_replace: bool = False
    ignore_changes: tuple[str, ...] = ()
    provider: str = ""  # "urn::id" of a provider resource; empty: the component's for that package
    import_id: str = ""


Register = Callable[[Registration], Registered]


class Provider(Protocol):
    packages: Sequence[str]  # ("aws",): the packages of the type tokens that it serves
    identifies: bool  # whether two things that exist have two ids

    def check(self, context: Context, old: Properties | None, new: Properties) -> Checked: ...

    def diff(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
             new_inputs: Properties) -> Diff: ...

    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        """Outputs as a preview shows them: inputs, what is known from before, UNKNOWN for the rest."""
        ...

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]: ...

    def read(self, context: Context, id: str, inputs: Properties | None,
             outputs: Properties | None) -> Found | None: ...

    def update(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
               new_inputs: Properties, ignored: tuple[str, ...]) -> Properties: ...

    def delete(self, context: Context, id: str, inputs: Properties, outputs: Properties) -> None: ...

    def invoke(self, context: Context, token: str, arguments: Properties) -> Properties:
        """A data source. Raises ProviderError with the reason as the program should see it."""
        ...

    def construct(self, context: Context, inputs: Properties, register: Register) -> Properties:
        """Expand a packaged component by calling `register` for its children; returns its outputs.
        Inputs and outputs may hold Secret, UNKNOWN and ResourceReference."""
        ...
