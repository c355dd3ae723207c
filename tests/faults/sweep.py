"""All programs × all kinds on two workers, each with servers of its own."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.lives import Life, abandon, live, plain
from tests.faults.recovery.calls import Trouble
from tests.faults.recovery.lives import sweep as recovery
from tests.faults.recovery.scenes import COMMANDS, scene_of
from tests.faults.runs import Kind
from tests.faults.world import World

WORKERS = 2
KUBERNETES_PROGRAMS = frozenset({"kubernetes"})
# How many of a program's positions fail before it is destroyed at once.
ABANDON_SHARE = 0.15


@dataclass(frozen=True)
class Task:
    """`rounds`: how many lives are abandoned half-made, each with another seed, after the whole one. The commands of
    recovery have a life for each position, and kinds of their own."""

    program: str
    kinds: tuple[Kind | Trouble, ...]
    seed: int
    share: float = 1.0
    seconds: float = float("inf")
    whole: bool = True
    rounds: int = 0


def perform(task: Task, home: str, loud: bool) -> list[Life]:
    """In a worker: starts servers, lives, stops them."""
    def report(line: str) -> None:
        if loud:
            print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)

    until = time.monotonic() + task.seconds
    troubles = tuple(kind for kind in task.kinds if isinstance(kind, Trouble))
    if task.program in COMMANDS:
        with _world(Path(home) / f"{task.program}-{os.getpid()}", False) as world:
            return recovery(scene_of(task.program, world.endpoint.url, world.home), troubles, task.seed, task.share,
                            until, report)
    with _world(Path(home) / f"{task.program}-{os.getpid()}", task.program in KUBERNETES_PROGRAMS) as world:
        first, wanted = plain(world, task.program, task.seed, report)
        lives = [first]
        for kind in (kind for kind in task.kinds if isinstance(kind, Kind)):
            if task.whole and time.monotonic() < until:
                lives.append(live(world, task.program, kind, task.seed, task.share, until, wanted, report))
            for number in range(task.rounds):
                if time.monotonic() < until:
                    lives.append(abandon(world, task.program, kind, task.seed + number, ABANDON_SHARE, wanted[""],
                                         report))
        return lives


@contextmanager
def _world(home: Path, kubernetes: bool) -> Iterator[World]:
    world = World.start(home, kubernetes)
    try:
        yield world
    finally:
        world.stop()


def sweep(tasks: Sequence[Task], *, workers: int = WORKERS, loud: bool = True,
          each: Callable[[Life], None] = lambda life: None) -> list[Life]:
    """Raises what a worker raised. The servers and their files are gone afterwards."""
    home = tempfile.mkdtemp(prefix="candlefish-faults-")
    lives: list[Life] = []
    # Spawned: the engine's runs are forks of the workers, which must be free of threads and of gRPC.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            for done in as_completed([pool.submit(perform, task, home, loud) for task in tasks]):
                lives += done.result()
                for life in done.result():
                    each(life)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return lives


def summary(lives: Sequence[Life], seed: int, seconds: float) -> dict[str, Any]:
    """positions: distinct calls of the lives without faults. hits: position × kind. converged: lives that did."""
    plain_lives = [life for life in lives if life.kind == "none"]
    faulted = [life for life in lives if life.kind != "none"]
    positions = {(life.program, *position): facts for life in plain_lives for position, facts in life.met.items()}
    kinds: dict[str, int] = {}
    for life in faulted:
        kinds[life.kind] = kinds.get(life.kind, 0) + len(life.hit)
    return {
        "seed": seed, "seconds": round(seconds, 1), "programs": sorted({life.program for life in lives}),
        "positions": len(positions), "mutating": sum(mutating for _, mutating in positions.values()),
        "runs": sum(life.runs for life in lives), "hits": sum(kinds.values()), "kinds": kinds,
        "lives": len(faulted), "converged": sum(not life.failed and not life.cut for life in faulted),
        "cut": [f"{life.program} {life.kind}" for life in faulted if life.cut],
        "failed": [{"program": life.program, "kind": life.kind, "seed": life.seed, "reason": life.failed}
                   for life in faulted if life.failed]}
