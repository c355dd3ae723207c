"""Pulumi's scheduling on a counted clock."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.timing.graph import Graph, Wait, Why


@dataclass(frozen=True)
class Pace:
    """parallel: how many operations may be under way at once, None for any number. limits: for each node the limit that
    it is under, or None; seconds: how far apart starts under a limit are, by limit."""

    parallel: int | None
    limits: Sequence[int | None] = ()
    seconds: Sequence[float] = ()


UNLIMITED = Pace(None)


@dataclass(frozen=True)
class Schedule:
    """Seconds from the start, by node. held: what the node began after; None for what began at once."""

    begins: Sequence[float]
    ends: Sequence[float]
    held: Sequence[Wait | None]

    @property
    def total(self) -> float:
        return max(self.ends, default=0.0)

    def critical(self) -> list[tuple[int, float, Wait | None]]:
        """The chain of nodes that ends last, from its beginning: node, its share of the whole in seconds, and what it
        began after. Shares add up to the whole."""
        if not self.ends:
            return []
        node: int = max(range(len(self.ends)), key=lambda index: (self.ends[index], -index))
        until, chain = self.ends[node], []
        while True:
            held = self.held[node]
            chain.append((node, until - self.begins[node], held))
            if held is None:
                return chain[::-1]
            node, until = held.before, self.begins[node]


def run(graph: Graph, seconds: Sequence[float], pace: Pace) -> Schedule:
    """Nodes begin in the order in which they become ready, as many at a time as `pace` allows. A start that a limit
    puts off holds its slot meanwhile: the provider retries within its call."""
    size = len(graph.nodes)
    begins, ends = [0.0] * size, [0.0] * size
    held: list[Wait | None] = [None] * size
    open_waits = [len(waits) for waits in graph.waits]
    dependents: list[list[tuple[int, Wait]]] = [[] for _ in range(size)]
    for index, waits in enumerate(graph.waits):
        for wait in waits:
            dependents[wait.before].append((index, wait))
    free = size if pace.parallel is None else pace.parallel
    next_start = [0.0] * len(pace.seconds)
    last_started = [0] * len(pace.seconds)
    ready: list[tuple[float, int]] = []  # since when; only what needs a slot
    running: list[tuple[float, int]] = []

    def begin(index: int, now: float) -> None:
        limit = pace.limits[index] if pace.limits else None
        if limit is not None:
            if next_start[limit] > now:
                now, held[index] = next_start[limit], Wait(last_started[limit], Why.LIMIT)
            next_start[limit], last_started[limit] = now + pace.seconds[limit], index
        begins[index], ends[index] = now, now + seconds[index]
        heapq.heappush(running, (ends[index], index))

    def arrive(index: int, now: float) -> None:
        if graph.nodes[index].work:
            heapq.heappush(ready, (now, index))
        else:
            begin(index, now)

    def fill(now: float, freed_by: int) -> None:
        nonlocal free
        while ready and free:
            since, index = heapq.heappop(ready)
            if since < now:
                held[index] = Wait(freed_by, Why.SLOT)
            free -= 1
            begin(index, now)

    for index in range(size):
        if open_waits[index] == 0:
            arrive(index, 0.0)
    fill(0.0, 0)
    while running:
        now, done = heapq.heappop(running)
        free += graph.nodes[done].work
        for index, wait in dependents[done]:
            open_waits[index] -= 1
            if open_waits[index] == 0:
                held[index] = wait
                arrive(index, now)
        fill(now, done)
    return Schedule(begins, ends, held)
