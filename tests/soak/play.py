"""The crash sweep on a cluster that is played, in a time that is played: points by the thousand, with the lease's own
15 s, and load balancer nodes that lag up to a minute."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kube.client import ApiError, Client, Throttled
from operations.errors import OperationError
from operations.rollout import lease
from operations.rollout.choice import Choice
from operations.rollout.cluster import Cluster
from operations.rollout.journal import Journal
from operations.rollout.model import Record, Result, Target, Wish
from operations.rollout.runner import Runner
from tests.cluster.rollout_world import objects, target
from tests.soak.clock import Clock, playing
from tests.soak.ends import STAGES, WAYS, Fine, wrong
from tests.soak.fates import Died, Fate
from tests.soak.played import Played
from tests.soak.played_api import Api
from tests.soak.points import Point

ENDPOINTS = (2, 3, 10, 100)
LAGS = (0.0, 0.5, 2.0, 5.0, 20.0, 60.0)  # seconds
SETTLE_SECONDS = 1.0
WORK_SECONDS = 15.0
RUNS = 6


@dataclass
class Told:
    """Of all points. seconds: of work after the kill, by the played clock: without the wait for the dead holder's
    lease, and without the drain."""

    points: int = 0
    unreached: int = 0
    requests: int = 0
    lost: int = 0
    looks: int = 0
    rollouts: int = 0
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.lost and not self.wrong


class Caller(Client):
    """A client of a played cluster, whose calls have a fate."""

    def __init__(self, api: Api, fate: Fate | None = None) -> None:
        self.transport: Any = _Doomed(api, fate)
        self._types, self._lock = {}, threading.Lock()


class _Doomed:
    def __init__(self, api: Api, fate: Fate | None) -> None:
        self._api, self._fate = api, fate

    def request(self, method: str, path: str, **more: Any) -> Any:
        if self._fate is None or not more.get("counted", True):
            return self._api.request(method, path, **more)
        attempt: Callable[..., Any] = self._fate.request(method, path)
        try:
            return attempt(lambda: self._api.request(method, path, **more))
        except Throttled:  # as the real one does, ten times
            return attempt(lambda: self._api.request(method, path, **more))


@lru_cache
def aimed(minimum: int, drain_seconds: int) -> Target:
    return target("played", minimum=minimum, maximum=minimum, drain_seconds=drain_seconds, **STAGES)


@contextmanager
def played(clock: Clock, dice: random.Random, lag_seconds: float | None = None,
           drain_seconds: int | None = None) -> Iterator[Played]:
    """Its size and its lag by the dice; the drain is a little longer than the lag, for nothing else covers that."""
    lag, minimum = dice.choice(LAGS), dice.choices(ENDPOINTS, (12, 12, 3, 1))[0]
    lag = lag if lag_seconds is None else lag_seconds
    aim = aimed(minimum, int(lag) + 1 if drain_seconds is None else drain_seconds)
    found = Played(clock, aim, objects(aim), lag, minimum, dice)
    try:
        yield found
    finally:
        clock.ticks.remove(found.tick)
        clock.renewals.clear()


def run(world: Played, way: str, image: str, fate: Fate, holder: str, heard: Callable[[str], None]) -> Record | str:
    """The record at its end, or why it has not come to it."""
    client, asker = Caller(world.api, fate), Journal(Caller(world.api), world.aim)

    def said(line: str) -> None:
        heard(line)
        if way == "back" and line.startswith("both colours stay") and not fate.dead:
            asker.wish(Wish.ABORT)

    kept, lease.identity = lease.identity, lambda: holder
    source = Fine() if way == "canary" else None
    try:
        return Runner(client, world.aim, world, said, 600.0 if way == "back" else 0.0, settle_seconds=SETTLE_SECONDS,
                      sources=None if source is None else lambda readings, url: source).start(image, Choice(WAYS[way]))
    except Died:
        return "killed"
    except (OperationError, ApiError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        lease.identity = kept


def writes() -> dict[str, int]:
    """How many each way makes when nothing happens."""
    found, clock = {}, Clock()
    with playing(clock):
        for way in WAYS:
            with played(clock, random.Random(way)) as world:
                fate = Fate(now=clock.now, renewing=lambda: clock.renewing)
                end = run(world, way, "example/website:2.0", fate, "counting", lambda line: None)
                assert isinstance(end, Record), end
                found[way] = len(fate.writes)
    return found


def sweep(chosen: list[Point], seed: int, say: Callable[[str], None]) -> Told:
    told, clock = Told(), Clock()
    with playing(clock):
        for point in chosen:
            dice = random.Random(f"{seed}:{point.number}")
            with played(clock, dice) as world:
                found = _point(point, world, clock, dice, told)
            told.points += 1
            told.requests += world.requests
            told.lost += world.lost
            told.looks += world.looks
            what = f"{point}, lag {world.lags[-1]:g} s, {world.required} pods"
            told.wrong += [f"{what}: {each}" for each in (*found, *world.low[:3])]
            if world.lost:
                told.wrong.append(f"{what}: {world.lost} of {world.requests} requests lost")
            if found or world.low or world.lost:
                say(told.wrong[-1])
    return told


def _point(point: Point, world: Played, clock: Clock, dice: random.Random, told: Told) -> list[str]:
    image = f"example/website:{point.number}.0"

    def fate(**more: Any) -> Fate:
        return Fate(fault=point.fault, now=clock.now, renewing=lambda: clock.renewing, **more)

    first = run(world, point.way, image, fate(kill_at=point.kill_at, side=point.side, fault_at=point.fault_at),
                "somebody@there (1, aaaaaa)", lambda line: None)
    clock.renewals.clear()
    if point.elsewhere:
        clock.sleep(dice.uniform(0, 10))  # until somebody runs it again
    began, lines, runs, end = clock.now(), list[float](), 0, first
    while not isinstance(end, Record) and runs < RUNS:
        runs += 1
        end = run(world, point.way, image, fate(fault_at=point.again_at if runs == 1 else 0),
                  f"somebody@elsewhere-{runs} (1, bbbbbb)", lambda line: lines.append(clock.now()))
        clock.renewals.clear()
    if not runs:
        told.unreached += 1
    if not isinstance(end, Record):
        return [f"not at its end after {RUNS} runs: {end}"]
    told.rollouts += 1
    if runs:
        told.seconds.append(clock.now() - (lines[0] if lines else began) - world.aim.service.drain_seconds)
    found = wrong(Cluster(Caller(world.api), world.aim), end, image,
                  Result.ABORTED if point.way == "back" else Result.PROMOTED, world.required)
    if runs and told.seconds[-1] > WORK_SECONDS:
        found.append(f"{told.seconds[-1]:.1f} s of work")
    clock.sleep(world.lags[-1] + 1)  # the last node has heard of it too
    return found
