"""A program's life under one kind of fault: made, changed, cut down, destroyed; every position hit once on the way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.runs import Job, Key, Kind, Outcome, prepare, run
from tests.faults.world import Things, World, difference

PROGRAMS = ("cluster", "data", "edge", "governance", "identity", "kubernetes", "network", "observability",
            "operations", "recovery", "serverless", "sockets", "storage")
STAGES = (("up", "first"), ("up", "second"), ("up", "third"), ("destroy", "third"))
MOST_RUNS = 1000  # of one stage: far beyond the calls of any; a run that makes no headway must end some time

Position = tuple[str, *Key]  # stage, URN, ordinal, operation


@dataclass
class Life:
    """What happened. `failed` is empty when every stage converged and nothing was left over."""

    program: str
    kind: str
    seed: int
    met: dict[Position, tuple[str, bool]] = field(default_factory=dict)
    hit: set[Position] = field(default_factory=set)
    runs: int = 0
    seconds: float = 0.0
    stages: int = 0
    cut: bool = False  # the time was up before every position was hit
    failed: str = ""


class NotConverged(Exception):
    """Says at which stage, after which fault, and what is wrong."""


@dataclass
class Biography:
    """One life in the making. `until`: when to stop injecting (monotonic seconds)."""

    world: World
    life: Life
    kind: Kind | None
    share: float
    until: float
    report: Callable[[str], None]
    home: Path = field(init=False)
    last: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home = self.world.home / f"run-{self.life.program}"
        prepare(self.home, self.life.program)
        self.world.reset()

    def run(self, operation: str, phase: str, kind: Kind | None, passed: frozenset[Key] = frozenset()) -> Outcome:
        outcome = run(Job(self.life.program, operation, phase, self.life.seed, self.home, self.world.endpoint,
                          self.world.kubeconfig, kind, self.share, passed))
        stage = f"{operation} {phase}"
        self.life.runs += 1
        self.life.met.update({(stage, *key): facts for key, facts in outcome.met.items()})
        self.life.hit.update((stage, *key) for key in outcome.hit)
        if outcome.hit:
            self.last = sorted(outcome.hit)
        return outcome

    def stage(self, operation: str, phase: str) -> None:
        """Until the operation gets through without meeting a position that was not hit yet."""
        passed: frozenset[Key] = frozenset()
        for _ in range(MOST_RUNS):
            if time.monotonic() > self.until and self.kind is not None:
                self.life.cut = True
            outcome = self.run(operation, phase, None if self.life.cut else self.kind, passed)
            if outcome.done:
                return
            if not outcome.hit:
                raise NotConverged(f"{operation} {phase} fails without a fault: {outcome.error}{self._after()}")
            passed |= outcome.hit
        raise NotConverged(f"{operation} {phase} did not get through in {MOST_RUNS} runs{self._after()}")

    def settled(self, phase: str) -> Things:
        """After an `up`: another one has nothing to do."""
        outcome = self.run("up", phase, None)
        if not outcome.done:
            raise NotConverged(f"up {phase} fails after it got through: {outcome.error}{self._after()}")
        if outcome.changed:
            raise NotConverged(f"up {phase} changes {outcome.changed} more{self._after()}")
        return self.world.things()

    def gone(self, empty: Things) -> None:
        document = json.loads((self.home / "state.json").read_text())
        left = [resource["urn"] for resource in document["deployment"].get("resources", [])]
        if left or document["deployment"].get("pending_operations"):
            raise NotConverged(f"the state holds {len(left)} resources after destroy: {left[:3]}{self._after()}")
        if wrong := difference(empty, self.world.things()):
            raise NotConverged(f"after destroy: {wrong}{self._after()}")

    def _after(self) -> str:
        said = [f"{urn.rsplit('::', 2)[-2]}::{urn.rsplit('::', 1)[-1]} call {ordinal} {operation}"
                for urn, ordinal, operation in self.last[:4]]
        return f" (last hit: {', '.join(said)}{' …' if len(self.last) > 4 else ''})" if said else ""


def plain(world: World, program: str, seed: int, report: Callable[[str], None]) -> tuple[Life, Mapping[str, Things]]:
    """A life without faults: its positions, and what exists after each phase (`""`: nothing built)."""
    life = Life(program, "none", seed)
    teller = Biography(world, life, None, 0.0, float("inf"), report)
    things = {"": world.things()}
    for operation, phase in STAGES:
        teller.stage(operation, phase)
        if operation == "up":
            things[phase] = teller.settled(phase)
    teller.gone(things[""])
    return life, things


def live(world: World, program: str, kind: Kind, seed: int, share: float, until: float, wanted: Mapping[str, Things],
         report: Callable[[str], None]) -> Life:
    """Every drawn position of every stage is hit once."""
    return _told(world, Life(program, kind, seed), kind, share, until, report, lambda teller: _whole(teller, wanted))


def abandon(world: World, program: str, kind: Kind, seed: int, share: float, empty: Things,
            report: Callable[[str], None]) -> Life:
    """Hit while it is made, and then destroyed at once: nothing is left of it."""
    def course(teller: Biography) -> None:
        for _ in range(3):  # the first run's failures stand before the calls that come after
            teller.run("up", "first", kind, frozenset(key[1:] for key in teller.life.hit))
        teller.share = 0.0
        teller.stage("destroy", "first")
        teller.gone(empty)
        teller.life.stages = 1

    return _told(world, Life(program, f"{kind}, then destroy", seed), kind, share, float("inf"), report, course)


def _whole(teller: Biography, wanted: Mapping[str, Things]) -> None:
    for operation, phase in STAGES:
        teller.stage(operation, phase)
        if operation == "destroy":
            teller.gone(wanted[""])
        elif wrong := difference(wanted[phase], teller.settled(phase)):
            raise NotConverged(f"after up {phase}: {wrong}{teller._after()}")
        teller.life.stages += 1
        teller.report(f"{teller.life.program} {teller.life.kind}: {operation} {phase}, {len(teller.life.hit)} hit, "
                      f"{teller.life.runs} runs")


def _told(world: World, life: Life, kind: Kind, share: float, until: float, report: Callable[[str], None],
          course: Callable[[Biography], None]) -> Life:
    started = time.monotonic()
    teller = Biography(world, life, kind, share, until, report)
    try:
        course(teller)
    except NotConverged as failure:
        life.failed = str(failure)
        report(f"{life.program} {life.kind}: FAILED: {life.failed}")
    life.seconds = time.monotonic() - started
    return life
