"""The crash sweep: rollouts that end before or after any of their writes, with a fault on the way; the same command
is run again on another machine, and has to come to an end that is right."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from kube.client import ApiError
from kube.kubeconfig import Access, access
from operations.errors import OperationError
from operations.rollout import lease
from operations.rollout.choice import Choice
from operations.rollout.cluster import Cluster
from operations.rollout.journal import Journal
from operations.rollout.model import Record, Result, Target, Wish
from tests.soak.ends import STAGES, WAYS, Fine
from tests.soak.ends import wrong as wrong_end
from tests.soak.fates import Died, Fate, Fault, Side, install, mortal
from tests.soak.points import Away, Point, Swept
from tests.soak.watching import watching
from tests.soak.world import ROOT, Soak

WORK_SECONDS = 15.0  # issue 6: of work until it has converged
LEASE_SECONDS = 1  # in place of 15: how long a dead holder from another machine is waited for; not counted as work
TOLD_SECONDS = 60.0
RUNS = 6  # of the same command until it is done
ENDPOINTS = 2



_identity = threading.local()


def _holder() -> str:
    """In place of `lease.identity`: of the machine and process that this thread plays."""
    name: str = _identity.name
    return name


def _dead_pid() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


@dataclass
class Lane:
    soak: Soak
    name: str
    queue: SimpleQueue[Point]
    swept: Swept
    entry: Access
    away: Away
    dead: int
    say: Callable[[str], None]
    alone: bool = False  # the machine has nothing else to do: time counts

    def run(self) -> None:
        try:
            with (self.soak.client() as watcher, self.soak.service(self.name, minimum=ENDPOINTS, **STAGES) as aim,
                  watching(watcher, aim, ENDPOINTS) as watched):
                with self.soak.loaded(aim, kept=1, fresh=1, sockets=0, pause_seconds=0.03) as look:
                    for point in self._mine():
                        self._point(point, aim)
                counts, seen = look(), watched.seen()
                with self.swept.lock:
                    self.swept.requests += counts["requests"]
                    self.swept.failed += counts["failed"]
                    self.swept.looks += seen.looks
                    self.swept.least = min(self.swept.least, seen.least)
                    self.swept.wrong += [f"{self.name}: {each}" for each in (*counts["failures"], *seen.low)]
        except Exception as error:  # told and counted: the other lanes go on
            with self.swept.lock:
                self.swept.wrong.append(f"{self.name}: {error!r}")

    def _mine(self) -> Iterator[Point]:
        while True:
            try:
                yield self.queue.get_nowait()
            except Empty:
                return

    def _point(self, point: Point, aim: Target) -> None:
        image = f"example/website:{point.number}.0"
        fate = Fate(point.kill_at, point.side, point.fault, point.fault_at)
        first = self._signalled(point, aim, image) if point.by_signal else self._run(
            point, aim, image, fate, f"somebody@{'elsewhere' if point.elsewhere else socket.gethostname()} "
                                     f"({self.dead}, aaaaaa)")
        began, runs, end = time.monotonic(), 0, first
        while not isinstance(end, Record) and runs < RUNS:
            runs += 1
            end = self._run(point, aim, image, Fate(fault=point.fault, fault_at=point.again_at if runs == 1 else 0),
                            f"somebody@machine-{runs} ({self.dead}, bbbbb{runs})")
        seconds = time.monotonic() - began
        seconds -= self.away.within(began, began + seconds) + (LEASE_SECONDS if point.elsewhere and runs else 0)
        wrong = ([f"not at its end after {RUNS} runs: {end}"] if not isinstance(end, Record)
                 else wrong_end(
                     Cluster(self.soak.world.client, aim), end, image,
                     Result.ABORTED if point.way == "back" else Result.PROMOTED, ENDPOINTS))
        slow = seconds > WORK_SECONDS
        if slow and self.alone:
            wrong.append(f"{seconds:.1f} s of work")
        with self.swept.lock:
            if slow and not self.alone:
                self.swept.slow.append((point, seconds))
            self.swept.points += 1
            self.swept.signals += point.by_signal
            self.swept.unreached += runs == 0
            self.swept.ends[f"first: {_told(first)}"] += 1
            self.swept.ends[f"then: {_told(end)}"] += 1
            if runs:
                self.swept.seconds.append(seconds)
            self.swept.wrong += [f"{point}: {each}" for each in wrong]
        if wrong:
            self.say(f"{point}: {wrong}")

    def _run(self, point: Point, aim: Target, image: str, fate: Fate, holder: str) -> Record | str:
        """The record at its end, or why it has not come to it."""
        _identity.name = holder
        with mortal(self.entry, fate) as client:
            asker, patiently = Journal(self.soak.world.client, aim), Cluster(self.soak.world.client, aim).patiently

            def said(line: str) -> None:
                if point.way == "back" and line.startswith("both colours stay") and not fate.dead:
                    patiently(lambda: asker.wish(Wish.ABORT))

            try:
                return self.soak.runner(client, aim, said, 600.0 if point.way == "back" else 0.0, 0.0,
                                        Fine() if point.way == "canary" else None).start(image, Choice(WAYS[point.way]))
            except Died:
                return "killed"
            except (OperationError, ApiError) as error:  # as the command: exit code 1, "run it again"
                return f"{type(error).__name__}: {error}"

    def _signalled(self, point: Point, aim: Target, image: str) -> Record | str:
        order = {"kubeconfig": str(self.soak.cluster.kubeconfig), "namespace": aim.namespace, "minimum": ENDPOINTS,
                 "control": self.soak.world.agent.control_url, "image": image, "kill_at": point.kill_at,
                 "side": point.side, "fault": point.fault, "fault_at": point.fault_at}
        ended = subprocess.run([sys.executable, "-m", "tests.soak.child", json.dumps(order)], cwd=ROOT, text=True,
                               capture_output=True, timeout=120)
        if ended.returncode == 0:
            current = Journal(self.soak.world.client, aim).load().current
            assert current is not None
            return current
        return "killed by signal" if ended.returncode == -9 else ended.stderr.strip().rpartition("\n")[2]


def _told(end: Record | str) -> str:
    if isinstance(end, Record):
        return end.result
    return end if end.startswith("killed") else "stopped: " + end[:100]


@contextmanager
def _playing() -> Iterator[None]:
    """The lease takes a thread for the machine that it plays."""
    kept = lease.identity, lease.SECONDS
    lease.identity, lease.SECONDS = _holder, LEASE_SECONDS
    try:
        yield
    finally:
        lease.identity, lease.SECONDS = kept


def writes(soak: Soak) -> dict[str, int]:
    """How many writes each way makes when nothing happens."""
    install()
    entry, found = access(soak.cluster.kubeconfig), {}
    with _playing(), soak.service("count", minimum=ENDPOINTS, **STAGES) as aim:
        lane = Lane(soak, "count", SimpleQueue(), Swept(), entry, Away(), 0, print)
        for number, way in enumerate(WAYS):
            fate = Fate()
            lane._run(Point(number, way, 0, Side.BEFORE, Fault.LOST, 0, 0, False), aim, f"example/website:{number}.0",
                      fate, "counting")
            found[way] = len(fate.writes)
    return found


def sweep(soak: Soak, chosen: list[Point], lanes: int, restart_every: int, say: Callable[[str], None],
          seconds: float = float("inf")) -> Swept:
    """restart_every: points between two real restarts of the API server; 0: none. seconds: after which no point is
    begun."""
    install()
    swept, queue, away = Swept(), SimpleQueue[Point](), Away()
    for point in chosen:
        queue.put(point)
    entry = access(soak.cluster.kubeconfig)
    with _playing():
        threads = [threading.Thread(target=Lane(soak, f"crash-{number}", queue, swept, entry, away, _dead_pid(),
                                                say).run) for number in range(lanes)]
        for thread in threads:
            thread.start()
        following, told = restart_every, time.monotonic()
        end = time.monotonic() + seconds
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.5)
            while time.monotonic() > end and not queue.empty():
                with suppress(Empty):
                    queue.get_nowait()
            if time.monotonic() > told + TOLD_SECONDS:
                told = time.monotonic()
                say(f"{swept.points} points, {len(swept.wrong)} wrong")
            if soak.plane is not None and restart_every and swept.points >= following:
                following += restart_every
                away.begin()
                soak.plane.processes.stop(["kube-apiserver"], grace_seconds=1.0)  # SIGKILL after it
                soak.plane.ensure()
                away.end()
                swept.restarts += 1
                say(f"the API server was restarted; {swept.points} points")
        again = SimpleQueue[Point]()
        for point, seconds in swept.slow:
            say(f"{point}: {seconds:.1f} s of work beside others; again, alone")
            again.put(point)
        if swept.slow:
            Lane(soak, "alone", again, swept, entry, away, _dead_pid(), say, True).run()
    return swept
