"""What the parts of one run share: settings, the state, the steps taken, failures and events."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.engine import urns
from rehearsal.engine.config import StackConfig
from rehearsal.engine.errors import FailedStep, Halted, StepRefused, Violation
from rehearsal.engine.masking import Masker
from rehearsal.engine.provider import Context, NotFound, ProviderError
from rehearsal.engine.results import Diagnostic, Event, EventKind, Operation, Step
from rehearsal.engine.state import State
from rehearsal.engine.store import Store
from rehearsal.engine.values import Properties


@dataclass
class Run:
    """One operation on one stack, from its start to its end."""

    project: str
    stack: str
    directory: Path
    config: StackConfig
    store: Store
    masker: Masker
    preview: bool
    seed: int
    parallel: int
    on_event: Callable[[Event], None]
    continue_on_error: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    failures: list[FailedStep] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)  # by URN; deletions under "delete {urn} {id}"
    diagnostics: list[Diagnostic] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    deletion_order: list[str] = field(default_factory=list)  # keys of `steps`
    outputs: Properties = field(default_factory=dict)
    registered: dict[str, State] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # new URN -> the URN that an alias found it under
    aliases: dict[str, list[str]] = field(default_factory=dict)  # by URN of what is new: where its past was looked for
    replaced: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)  # URNs that a preview would create or replace
    lock: threading.RLock = field(default_factory=threading.RLock)
    running: int = 0

    def __post_init__(self) -> None:
        self.slots = threading.BoundedSemaphore(max(1, self.parallel))
        self.idle = threading.Condition(self.lock)
        self.activity = time.monotonic()

    # -- going on or not -------------------------------------------------------------------------------------------

    @property
    def halted(self) -> bool:
        """No new step may begin: cancelled, a step has failed or a mandatory policy is violated. A preview goes on to
        find all failures."""
        return self.cancelled.is_set() or (not self.preview and self.violated) or bool(
            self.failures and not self.preview and not self.continue_on_error)

    @property
    def violated(self) -> bool:
        return any(violation.mandatory for violation in self.violations)

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Around every request of the program, for the watchdog and for an orderly end."""
        with self.lock:
            self.running += 1
        try:
            yield
        finally:
            with self.lock:
                self.running -= 1
                self.activity = time.monotonic()
                self.idle.notify_all()

    @contextlib.contextmanager
    def mutating(self) -> Iterator[None]:
        """Around a call that changes something: at most `parallel` at a time, none after a halt."""
        with self.slots:
            if self.halted:
                raise Halted
            yield

    # -- reporting -------------------------------------------------------------------------------------------------

    def event(self, kind: EventKind, urn: str = "", operation: Operation | None = None, message: str = "",
              severity: str = "", seconds: float = 0.0) -> None:
        self.on_event(Event(kind, urn, operation, self.masker.mask(message), severity, seconds))

    def diagnose(self, severity: str, message: str, urn: str = "") -> None:
        masked = self.masker.mask(message)
        with self.lock:
            self.diagnostics.append(Diagnostic(severity, masked, urn))
        self.on_event(Event(EventKind.DIAGNOSTIC, urn, None, masked, severity))

    def fail(self, urn: str, reason: str, operation: Operation | None = None) -> None:
        masked = self.masker.mask(reason)
        with self.lock:
            self.failures.append(FailedStep(urn, masked))
        self.event(EventKind.FAILED, urn, operation, masked, "error")

    def record(self, step: Step, key: str = "") -> None:
        with self.lock:
            self.steps[key or step.urn] = step
        self.event(EventKind.FINISHED, step.urn, step.operation, seconds=step.seconds)

    @contextlib.contextmanager
    def failing(self, urn: str, operation: Operation | None = None) -> Iterator[None]:
        """Records a refusal, and lets the caller's caller see a halt."""
        try:
            yield
        except StepRefused as refusal:
            self.fail(urn, str(refusal), operation)
            raise

    # -- providers' view -------------------------------------------------------------------------------------------

    def context(self, urn: str, config: Mapping[str, Any], *, operation: str = "", timeout: float | None = None,
                generation: str = "") -> Context:
        """`generation`: the id of the resource that is replaced, so that auto-names are drawn anew."""
        seed = self.seed
        if generation:
            seed = int.from_bytes(hashlib.sha256(f"{seed}:{generation}".encode()).digest()[:6], "big")

        def report(message: str) -> None:
            self.event(EventKind.PROGRESS, urn, message=message)

        return Context(urn=urn, type=urns.type_of(urn), name=urns.name_of(urn), config=dict(config), seed=seed,
                       operation=operation, preview=self.preview, timeout_seconds=timeout, cancelled=self.cancelled,
                       report=report)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turns what a provider raises on purpose into a refusal of the step."""
    try:
        yield
    except ProviderError as error:
        raise StepRefused(str(error)) from error
    except NotFound as error:
        raise StepRefused(str(error) or "the resource is gone; run `refresh`") from error
