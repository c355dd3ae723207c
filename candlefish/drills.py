"""Drills: a rehearsed environment is broken and brought back, by the runbooks' commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import typer

from candlefish import runtime, tools
from candlefish.exits import Exit, WrongUsage
from candlefish.runtime import Rehearsal, Servers
from candlefish.screen import Screen, emit, rows
from infra.plans import recovery as plan
from infra.plans.recovery import How, Kept
from rehearsal.aws.clients import Clients
from rehearsal.aws.servers import DEFAULT_ACCOUNT
from rehearsal.disasters.drill import Drill, Drilled, Targets
from rehearsal.disasters.table import DISASTERS, Disaster, Loss, Within, named, rehearsed
from rehearsal.disasters.world import DrillError, Ran, World
from rehearsal.timing.durations import clock

ALL = "all"
WITHIN: Mapping[Within, timedelta] = {
    Within.APPLICATION: plan.APPLICATION_WITHIN, Within.DATABASE: plan.DATABASE_WITHIN,
    Within.ENVIRONMENT: plan.ENVIRONMENT_WITHIN}
RPO: Mapping[Loss, timedelta] = {
    Loss.NOTHING: timedelta(0),
    Loss.DATABASE: plan.OBJECTIVES[Kept.DATABASE, How.POINT_IN_TIME].rpo,
    Loss.DATABASE_AWAY: plan.OBJECTIVES[Kept.DATABASE, How.REPLICATED].rpo,
    Loss.TABLES: plan.OBJECTIVES[Kept.TABLE, How.POINT_IN_TIME].rpo,
    Loss.ASSETS: plan.OBJECTIVES[Kept.ASSETS, How.REPLICA].rpo}
_COMMAND_SECONDS = 1200.0  # of real time, on a busy machine


def run(disaster: str, stack: str, seed: int, as_json: bool) -> None:
    """Exit code 1 unless all are back inside their targets."""
    wanted = _wanted(disaster)
    screen = Screen(quiet=as_json)
    world = _Rehearsed(stack, seed, screen.say).world()
    drilled: list[Drilled] = []
    for each in wanted:
        screen.say(f"{each.name}: {each.title}")
        drilled.append(_drilled(world, seed, each))
        if drilled[-1].failure:
            print(f"{each.name}: {drilled[-1].failure}", file=sys.stderr)
    if as_json:
        emit([document(each) for each in drilled])
    else:
        _show(drilled)
        print("\nwith a drill of their own: " + ", ".join(
            f"{each.name} (`{each.drill}`)" for each in DISASTERS if each.strike is None))
    if not all(each.inside for each in drilled):
        raise typer.Exit(Exit.FAILED)


def _drilled(world: World, seed: int, disaster: Disaster) -> Drilled:
    """One that could not be done is not recovered, and does not stop the others."""
    try:
        return Drill(world, seed).run(disaster, targets(disaster))
    except DrillError as error:
        return Drilled(disaster.name, False, (), (0.0, 0.0), targets(disaster), 0, 0, 0.0, str(error))


def targets(disaster: Disaster) -> Targets:
    return Targets(WITHIN[disaster.within].total_seconds(), RPO[disaster.loss].total_seconds())


def document(drilled: Drilled) -> dict[str, Any]:
    return {
        "disaster": drilled.disaster, "recovered": drilled.recovered, "commands": list(drilled.commands),
        "predicted_seconds": dict(zip(("p50", "p95"), drilled.predicted, strict=True)),
        "target_seconds": round(drilled.targets.within), "data_lost": drilled.lost, "data_compared": drilled.compared,
        "rpo_seconds": round(drilled.targets.rpo), "real_seconds": round(drilled.seconds, 1),
        **({"seen": dict(drilled.seen)} if drilled.seen else {})}


def _wanted(name: str) -> Sequence[Disaster]:
    if name == ALL:
        return rehearsed()
    found = named(name)
    if found is None:
        raise WrongUsage(f"--disaster is {name!r}; allowed: {ALL}, {', '.join(each.name for each in DISASTERS)}")
    if found.strike is None:
        raise WrongUsage(f"--disaster {name} takes more than one stack and a home of its own; its drill is: "
                         f"{found.drill}")
    return [found]


@dataclass(frozen=True)
class _Rehearsed:
    """A stack on this machine: built unless it is there, with the program's own settings."""

    stack: str
    seed: int
    say: Callable[[str], None]

    def world(self) -> World:
        rehearsal = Rehearsal(self.stack, seed=self.seed)
        _ = rehearsal.settings
        servers = rehearsal.running()
        if servers is None or servers.cluster is None or servers.aws.incarnation != rehearsal.incarnation:
            self.say(f"building {self.stack}")
            built = self._run({}, ["candlefish", "rehearse", "up", "--stack", self.stack, "--seed", f"{self.seed}",
                                   "--json"])
            if built.code:
                raise DrillError(f"{self.stack} can't be built: {built.stderr.strip()[-1000:]}")
            servers = rehearsal.running()
            assert servers is not None
        clients = Clients(servers.aws.url).shared
        variables = _variables(rehearsal, servers)
        return World(
            self.stack, rehearsal.state.path,
            lambda service: clients(service, rehearsal.settings.region, DEFAULT_ACCOUNT),
            lambda words: self._run(variables, words), lambda words: self._start(variables, words),
            lambda: _lose_cluster(rehearsal), lambda words: _ran(variables, words),
            lambda zones: _lose_zones(rehearsal, zones), variables.get("CANDLEFISH_FRONT_DOOR", ""),
            rehearsal.aws.databases if rehearsal.aws.databases.exists() else None)

    def _run(self, variables: Mapping[str, str], words: Sequence[str]) -> Ran:
        self.say("  " + " ".join(words))
        return _ran(variables, words)

    def _start(self, variables: Mapping[str, str], words: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(_spelled(words), env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _ran(variables: Mapping[str, str], words: Sequence[str]) -> Ran:
    try:
        done = subprocess.run(_spelled(words), env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise DrillError(f"`{' '.join(words)}` has not ended after {_COMMAND_SECONDS:.0f} s") from error
    return Ran(done.returncode, done.stdout, done.stderr)


def _spelled(words: Sequence[str]) -> list[str]:
    """With this very program in the place of the word that people type."""
    if "candlefish" not in words:
        return [*words]
    at = list(words).index("candlefish")
    return [*words[:at], sys.executable, "-m", "candlefish", *words[at + 1:]]


def _variables(rehearsal: Rehearsal, servers: Servers) -> dict[str, str]:
    """Of `candlefish rehearse env`: the commands must find the rehearsal, and no real account."""
    return {**tools.environment(rehearsal, servers), "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PATH": f"{tools.wrappers(rehearsal)}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _lose_cluster(rehearsal: Rehearsal) -> None:
    runtime.stop_cluster(rehearsal.root, rehearsal.stack)
    for part in ("kubernetes", "agent"):
        shutil.rmtree(rehearsal.home / part, ignore_errors=True)


def _lose_zones(rehearsal: Rehearsal, zones: Sequence[str]) -> None:
    agent = rehearsal.agent.running()
    if agent is None:
        raise DrillError(f"{rehearsal.stack}'s nodes do not run; `candlefish rehearse up --stack {rehearsal.stack}`")
    try:
        httpx.put(f"{agent.control_url}/zones", json={"lost": list(zones)}, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        raise DrillError(f"the nodes can't be told which zones are lost: {error}") from error


def _show(drilled: Sequence[Drilled]) -> None:
    rows(("disaster", "recovered", "lost", "P50", "P95", "target", "here"), [
        (each.disaster, "yes" if each.recovered else "no", f"{each.lost} of {each.compared}",
         clock(each.predicted[0]), clock(each.predicted[1]), clock(each.targets.within), f"{each.seconds:.0f} s")
        for each in drilled])
