"""The points of a crash sweep, and what came of them."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.soak.fates import Fault, Side


@dataclass(frozen=True)
class Point:
    """way: forward to the end, or back from the hold. by_signal: a process that SIGKILL ends. elsewhere: the second run
    is on another machine, and has to wait for the lease. again_at: the write of the second run that has the fault."""

    number: int
    way: str
    kill_at: int
    side: Side
    fault: Fault
    fault_at: int
    again_at: int
    elsewhere: bool
    by_signal: bool = False


def points(seed: int, count: int, signals: int, writes: Mapping[str, int]) -> list[Point]:
    """Every write × side × fault × way in turns, or as many of them as there are to be; shuffled. writes: of each
    way."""
    dice = random.Random(seed)
    every = [(way, at, side, fault) for way, most in writes.items() for at in range(1, most + 1)
             for side in Side for fault in Fault]
    chosen = [every[at % len(every)] for at in range(max(count, 0))] if count >= len(every) else \
        dice.sample(every, count)
    found = [Point(number, way, at, side, fault, dice.randint(1, at), dice.randint(1, writes[way]),
                   dice.random() < 0.5) for number, (way, at, side, fault) in enumerate(chosen)]
    for number in dice.sample([each.number for each in found if each.way == "forward"], signals):
        found[number] = replace(found[number], by_signal=True)
    dice.shuffle(found)
    return found


@dataclass
class Swept:
    points: int = 0  # those that were tried again included
    unreached: int = 0  # the rollout had ended before that write
    signals: int = 0
    restarts: int = 0
    ends: Counter[str] = field(default_factory=Counter)  # of the runs that were killed, and of the second runs
    seconds: list[float] = field(default_factory=list)  # of work after the kill, by point
    requests: int = 0
    failed: int = 0
    looks: int = 0
    least: int = 1_000_000
    slow: list[tuple[Point, float]] = field(default_factory=list)  # beside other lanes; each is tried again alone
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def holds(self) -> bool:
        return not self.failed and not self.wrong


class Away:
    """When the API server was really away: no rollout can work then."""

    def __init__(self) -> None:
        self._times: list[tuple[float, float]] = []
        self._since = 0.0

    def begin(self) -> None:
        self._since = time.monotonic()

    def end(self) -> None:
        self._times.append((self._since, time.monotonic()))
        self._since = 0.0

    def within(self, begin: float, end: float) -> float:
        times = [*self._times, *([(self._since, end)] if self._since else ())]
        return sum((max(0.0, min(end, until) - max(begin, since)) for since, until in times), 0.0)
