"""One drill: the disaster strikes, the commands of its runbook are run, and what came of it is proven."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from rehearsal.disasters.strikes import Struck
from rehearsal.disasters.table import Command, Disaster
from rehearsal.disasters.world import DrillError, World
from rehearsal.engine.state import State
from rehearsal.timing import durations, graph
from rehearsal.timing.durations import Durations, Operation
from rehearsal.timing.prediction import Prediction, predict

_SAID = 2000  # of a failed command's last words
RUNS = ("moment", "copy", "restored")  # places that another run fills otherwise


@dataclass(frozen=True)
class Targets:
    """Seconds: how long it may take, and how much of the data's last time may be lost."""

    within: float
    rpo: float


@dataclass(frozen=True)
class Drilled:
    """recovered: every command succeeded, nothing would be changed any more, and all data is as it was. predicted: P50
    and P95 on AWS, in seconds. lost: how many of `compared` are not as they were. failure: what went wrong. seen: what
    real time showed, which another run of the same seed may not."""

    disaster: str
    recovered: bool
    commands: tuple[str, ...]
    predicted: tuple[float, float]
    targets: Targets
    compared: int
    lost: int
    seconds: float
    failure: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inside(self) -> bool:
        return self.recovered and self.predicted[1] <= self.targets.within


@dataclass
class Drill:
    world: World
    seed: int
    table: Durations = field(default_factory=durations.load)

    def run(self, disaster: Disaster, targets: Targets) -> Drilled:
        """Raises DrillError when the disaster can't be done."""
        if disaster.strike is None:
            raise DrillError(f"{disaster.name} has a drill of its own: {disaster.drill}")
        self.world.draw = Random(f"{self.seed} {disaster.name}")
        before = {each.urn for each in self.world.resources()}
        struck = disaster.strike(self.world)
        try:
            return self._recovered(disaster, targets, struck, before)
        finally:
            struck.tidy()

    def _recovered(self, disaster: Disaster, targets: Targets, struck: Struck, before: Collection[str]) -> Drilled:
        begun = time.monotonic()
        failure, alive = "", set(before)
        for command in disaster.commands:
            if self.world.state.exists():  # without it nobody can tell, and nothing is gone for that
                alive &= {each.urn for each in self.world.resources()}
            if failure := self._carry_out(command, struck):
                break
        now = {} if failure else struck.now()
        failure = failure or self._differs(struck)
        lost = sum(now.get(name) != value for name, value in struck.kept.items())
        spent = time.monotonic() - begun
        return Drilled(
            disaster.name, not failure and not lost, self._shown(disaster, struck),
            self._predicted(disaster.commands, alive), targets, len(struck.kept), lost, spent, failure,
            struck.seen())

    def _carry_out(self, command: Command, struck: Struck) -> str:
        """What went wrong, or ""."""
        words = rehearsed_words(self._filled(command, struck), struck.config, command.variable)
        if not words:
            return ""
        ran = self.world.run(words)
        if ran.code:
            return f"`{command.line}` ended with {ran.code}: {ran.stderr.strip()[-_SAID:]}"
        return ""

    def _differs(self, struck: Struck) -> str:
        """Whether anything differs from the program: what is there from the state, and the state from the program."""
        for verb, config in (("refresh", ()), ("preview", struck.config)):
            words = ["candlefish", "rehearse", verb, "--stack", self.world.stack, "--expect-no-changes", "--json",
                     *(word for each in config for word in ("-c", each))]
            ran = self.world.run(words)
            if ran.code:
                said = ran.stderr.strip()[-_SAID:] or _changed(ran.stdout)
                return f"`{verb} --expect-no-changes` ended with {ran.code}: {said}"
        return ""

    def _filled(self, command: Command, struck: Struck) -> list[str]:
        values = {"stack": self.world.stack, **struck.values}
        return [word.format(**values) for word in shlex.split(command.text)]

    def _shown(self, disaster: Disaster, struck: Struck) -> tuple[str, ...]:
        """Without what differs between two runs of one seed."""
        values = {"stack": self.world.stack, **struck.values, **{place: place.upper() for place in RUNS}}
        return tuple(each.line.format(**values) for each in disaster.commands)

    def _predicted(self, commands: Sequence[Command], alive: Collection[str]) -> tuple[float, float]:
        """What had to be made again, and what the commands do beside it, one after the other. Adding up P95s makes a
        little more than the P95 of the whole."""
        states = graph.recorded(self.world.state) if self.world.state.exists() else []
        made = {state.urn for state in states} - set(alive)
        parts = [predict(states, Operation.CREATE, self.table, seed=self.seed, only=made)] if made else []
        parts += predicted(commands, self.table, self.seed)
        return round(sum(part.p50 for part in parts), 1), round(sum(part.p95 for part in parts), 1)


def _changed(report: str) -> str:
    """Which resources differ, and in what."""
    steps = json.loads(report)["steps"] if report else []
    return "; ".join(f"{each['operation']} {each['urn'].rpartition('::')[2]} "
                     f"{', '.join(change['path'] for change in each.get('diff') or ())}".rstrip()
                     for each in steps if each["operation"] != "same")[:_SAID]


def predicted(commands: Sequence[Command], table: Durations, seed: int) -> list[Prediction]:
    """What the commands do beside what Pulumi makes."""
    alone = [State(urn=f"urn:pulumi:s::p::{each.takes}::{each.takes}", type=each.takes, custom=True)
             for each in commands if each.takes]
    return [predict([each], Operation.CREATE, table, seed=seed) for each in alone]


def rehearsed_words(words: Sequence[str], config: Sequence[str], variable: str) -> list[str]:
    """The same in a rehearsal: its engine in the place of Pulumi's. Nothing for a setting, which goes with each command
    that reads it: the stack's file stays as it is."""
    match words:
        case ["pulumi", "stack", "import", *rest]:
            found = ["candlefish", "rehearse", "import", *rest]
        case ["pulumi", "config", *_]:
            return []
        case ["pulumi", verb, *rest]:
            found = ["candlefish", "rehearse", verb, *(word for word in rest if word != "--yes"), "--json"]
            if verb == "up":
                found += [word for each in config for word in ("-c", each)]
        case _:
            found = [*words]
    return ["env", variable, *found] if variable else found
