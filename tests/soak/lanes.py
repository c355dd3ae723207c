"""Services that are rolled out again and again under load, each in its own way, side by side."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from operations.rollout.choice import Choice
from operations.rollout.model import Record, Result, Strategy, Target, Wish
from operations.rollout.runner import Runner
from tests.cluster.rollout_world import Counted
from tests.soak.naive import patch_then_delete
from tests.soak.watching import Seen, watching
from tests.soak.world import Soak

# Median 8 ms, p99 80 ms: there are always requests under way when the traffic moves.
TOLD_SECONDS = 60.0
SLOW = "--latency-ms-8--latency-sigma-1.0"


@dataclass(frozen=True)
class Kind:
    """A lane. endpoints: pods of a colour. lag_seconds: of the slowest of three load balancer nodes; the drain is a
    second longer, because nothing else covers it once the old pods are told to go. kept, fresh, sockets: clients. by:
    strategies of the way there, in turns. most: of its releases; 0: no limit. back: each is taken back in the hold."""

    name: str
    endpoints: int
    lag_seconds: float
    kept: int = 8
    fresh: int = 2
    sockets: int = 1
    pause_seconds: float = 0.06
    by: tuple[Strategy, ...] = (Strategy.BLUE_GREEN,)
    most: int = 0
    back: bool = False

    @property
    def drain_seconds(self) -> int:
        return int(self.lag_seconds) + 1


KINDS = (
    Kind("quick", 3, 0), Kind("second", 3, 1), Kind("few", 5, 2), Kind("slow", 4, 20), Kind("slowest", 3, 60),
    Kind("canary", 3, 1, kept=16, fresh=4, pause_seconds=0.03, by=(Strategy.CANARY,)),
    Kind("batches", 6, 2, by=(Strategy.ROLLING,)))
LARGE = (Kind("some", 10, 5, most=3), Kind("many", 100, 1, most=2))  # one after the other, after those
# The way back on a machine that has time for it: two cores are not busy with these.
BACK = (Kind("back", 3, 0, kept=4, fresh=1, back=True), Kind("lagging", 3, 1, kept=4, fresh=1, back=True))
SHORT = (Kind("quick", 3, 0), Kind("second", 3, 1, by=(Strategy.ROLLING,)),
         Kind("canary", 3, 1, kept=16, fresh=2, pause_seconds=0.01, by=(Strategy.CANARY,)))


@dataclass(frozen=True)
class Back:
    """A way back, in seconds: decision to the front door's weights and to the selector written; and how long after
    the decision the last request was sent that the new colour answered, less the lag."""

    weights: float
    selector: float
    last: float


@dataclass
class Tally:
    """What all lanes did."""

    requests: int = 0
    fresh: int = 0
    failed: int = 0
    messages: int = 0
    handshakes: int = 0
    closes: Counter[str] = field(default_factory=Counter)
    switches: Counter[str] = field(default_factory=Counter)  # forward, backward
    rollouts: Counter[str] = field(default_factory=Counter)  # by strategy and result
    flying: int = 0  # requests under way, over all writes that moved traffic
    moves: int = 0  # such writes
    backs: list[Back] = field(default_factory=list)
    looks: int = 0  # at the capacity
    wrong: list[str] = field(default_factory=list)  # what must not be, in words
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def switched(self) -> int:
        return self.switches.total()

    @property
    def holds(self) -> bool:
        return not self.failed and not self.wrong

    def take(self, lane: str, counts: dict[str, Any], seen: Seen) -> None:
        with self.lock:
            self.requests += counts["requests"]
            self.fresh += counts["fresh"]
            self.failed += counts["failed"]
            self.messages += counts["messages"]
            self.handshakes += counts["handshakes"]
            self.closes.update(counts["closes"])
            self.looks += seen.looks
            self.wrong += [f"{lane}: {each}" for each in (*counts["failures"], *seen.low)]


@dataclass
class Lane:
    soak: Soak
    kind: Kind
    tally: Tally
    dice: random.Random
    say: Callable[[str], None]
    over: Callable[[], bool]

    def run(self) -> None:
        kind = self.kind
        try:
            with (self.soak.client() as client, self.soak.client() as watcher,
                  self.soak.service(kind.name, minimum=kind.endpoints, drain_seconds=kind.drain_seconds,
                                    lag_seconds=kind.lag_seconds) as aim,
                  watching(watcher, aim, kind.endpoints) as watched):
                with self.soak.loaded(aim, kept=kind.kept, fresh=kind.fresh, sockets=kind.sockets,
                                      pause_seconds=kind.pause_seconds) as look:
                    revision = 0
                    while not revision or (not self.over() and revision < (kind.most or revision + 1)):
                        revision += 1
                        self._one(revision, aim, client, look)
                self.tally.take(kind.name, look(), watched.seen())
        except Exception as error:  # told and counted: the other lanes go on
            with self.tally.lock:
                self.tally.wrong.append(f"{kind.name}: {error!r}")

    def _one(self, revision: int, aim: Target, client: Any, look: Callable[[], dict[str, Any]]) -> None:
        """A release; then, by the dice, the way back: by `rollback` afterwards, or by `abort` in the hold."""
        image, by = f"example/website:{revision}.0{SLOW}", self.kind.by[revision % len(self.kind.by)]
        if self.kind.back or (by is Strategy.BLUE_GREEN and revision > 1 and self.dice.random() < 0.3):
            self._aborted(aim, client, image, look)
            return
        source = Counted(self.soak.world, aim) if by is Strategy.CANARY else None
        there = self._runner(aim, client, look, source=source).start(image, Choice(by))
        self._note(there, "forward")
        back = self._runner(aim, client, look).rollback(None)
        self._note(back, "backward")

    def _runner(self, aim: Target, client: Any, look: Callable[[], dict[str, Any]], hold: float = 0.0,
                heard: Callable[[str], None] = lambda line: None, source: Counted | None = None) -> Runner:
        def said(line: str) -> None:
            heard(line)
            if line.startswith(("front door: ", "inside the cluster: ")):
                with self.tally.lock:
                    self.tally.moves += 1
                flying = look()["flying"]
                with self.tally.lock:
                    self.tally.flying += flying

        return self.soak.runner(client, aim, said, hold, source=source)

    def _aborted(self, aim: Target, client: Any, image: str, look: Callable[[], dict[str, Any]]) -> None:
        asker = self._runner(aim, client, look)
        at: dict[str, float] = {}

        def heard(line: str) -> None:
            if line.startswith("both colours stay"):
                asker.journal.wish(Wish.ABORT)
            elif line == "asked to go back":
                at["decided"] = time.monotonic()
            elif "decided" in at and line.startswith(("front door", "inside")):
                at[line[:5]] = time.monotonic()

        record = self._runner(aim, client, look, 600.0, heard).start(image, Choice(Strategy.BLUE_GREEN))
        self._note(record, "forward", Result.ABORTED)
        with self.tally.lock:
            self.tally.switches["backward"] += 1
            if len(at) == 3:
                last = look()["last"].get(record.idle, 0.0)
                self.tally.backs.append(Back(at["front"] - at["decided"], at["insid"] - at["decided"],
                                             last - at["decided"] - self.kind.lag_seconds))
            else:
                self.tally.wrong.append(f"{self.kind.name}: the way back was not heard of: {at}")

    def _note(self, record: Record, way: str, wanted: Result = Result.PROMOTED) -> None:
        with self.tally.lock:
            self.tally.rollouts[f"{record.strategy} {record.result}"] += 1
            self.tally.switches[way] += 1
            if record.result is not wanted:
                self.tally.wrong.append(f"{self.kind.name} revision {record.revision}: {record.result}, "
                                        f"not {wanted}: {record.reason}")
        self.say(f"{self.kind.name}: revision {record.revision} {record.result} in "
                 f"{record.ended - record.began:.1f} s by {record.strategy}")


def run(soak: Soak, kinds: tuple[Kind, ...], seed: int, over: Callable[[Tally], bool], say: Callable[[str], None],
        tally: Tally | None = None) -> Tally:
    """All lanes until `over` says so; each finishes what it is at. tally: of what was done before."""
    tally = tally or Tally()
    threads = [threading.Thread(target=Lane(soak, kind, tally, random.Random(f"{seed}:{kind.name}"), say,
                                            lambda: over(tally)).run) for kind in kinds]
    for thread in threads:
        thread.start()
    told = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.1)
        if time.monotonic() > told + TOLD_SECONDS:
            told = time.monotonic()
            say(f"{soak.requests()} requests, {tally.switched} switches, {len(tally.wrong)} wrong")
    return tally


def control(soak: Soak) -> dict[str, Any]:
    """The counts of the naive way, with a lag that any load balancer may have."""
    with (soak.client() as client, soak.service("naive", minimum=3, lag_seconds=2.0) as aim,
          soak.loaded(aim, kept=4, fresh=1, sockets=1) as look):
        patch_then_delete(client, aim, f"example/website:2.0{SLOW}")
        return look()
