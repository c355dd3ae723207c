"""Both versions of every stack, recorded by as many processes as there are processors."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import candlefish
from candlefish.policies import MANDATORY, UNDECIDED, WAIVED, Judged, Judgement
from operations.preview.model import Finding, Graph, Level, Resource
from operations.preview.values import read

LEVELS = {MANDATORY: Level.VIOLATED, WAIVED: Level.WAIVED, UNDECIDED: Level.UNDECIDED}


@dataclass(frozen=True)
class Job:
    """A stack of one version of the project. state: a deployment to preview against; zones: hosted zones' ids by
    name, as the state has them; account: the same."""

    stack: str
    directory: Path
    state: Path | None = None
    zones: Mapping[str, str] | None = field(default=None, compare=False)
    account: str = ""


@dataclass(frozen=True)
class Recorded:
    """What became of a job. steps: of the engine's preview against a state. failure: why there is no graph."""

    graph: Graph = field(default_factory=lambda: Graph(()))
    judgement: Judgement = field(default_factory=lambda: Judgement((), 0, 0, ()))
    steps: tuple[dict[str, Any], ...] = ()
    failure: str = ""

    @property
    def policies(self) -> tuple[Finding, ...]:
        """As a preview shows them."""
        return tuple(Finding(each.ids[0], LEVELS[each.level], each.resource, each.message)
                     for each in self.judgement.found)


def record(jobs: Sequence[Job], done: Callable[[Job], None] = lambda job: None) -> dict[Job, Recorded]:
    """Each job once. `done` is called as they end, from other threads. Nothing runs any more when this returns or
    raises."""
    count = min(len(jobs), os.cpu_count() or 1)
    key = secrets.token_hex(32)  # secrets of the two versions can be compared, and of two runs can't
    workers: list[_Worker] = []
    idle: SimpleQueue[_Worker] = SimpleQueue()

    def run(job: Job) -> Recorded:
        worker = idle.get()
        try:
            return _recorded(worker.ask({"directory": str(job.directory), "stack": job.stack, "key": key,
                                         "state": str(job.state) if job.state else None, "zones": job.zones,
                                         "account": job.account}))
        finally:
            idle.put(worker)
            done(job)

    with ThreadPoolExecutor(max(count, 1)) as pool:
        try:
            for _ in range(count):
                workers.append(_Worker())
                idle.put(workers[-1])
            futures = {job: pool.submit(run, job) for job in jobs}
            return {job: future.result() for job, future in futures.items()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.stop()  # a thread that waits for its answer gets none, and ends


class _Worker:
    """A process of `candlefish.preview_worker`. When it ends, the program that it runs ends with it."""

    def __init__(self) -> None:
        # In the folder of this package, so that it is this version of it that runs.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "candlefish.preview_worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=Path(candlefish.__file__).parents[1], start_new_session=True)
        self._complaints: list[str] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._complaints = [*self._complaints[-30:], line]

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            self._reader.join(timeout=5)
            raise RuntimeError(f"the process that records {request['stack']} ended: {''.join(self._complaints)}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def _recorded(answer: Mapping[str, Any]) -> Recorded:
    if "failure" in answer:
        return Recorded(failure=answer["failure"])
    resources = tuple(Resource(**{**each, "inputs": read(each["inputs"])}) for each in answer["resources"])
    judged = answer["judgement"]
    found = tuple(Judged(**{**each, "ids": tuple(each["ids"])}) for each in judged["found"])
    judgement = Judgement(found, judged["controls"], judged["held"], tuple(judged["unused"]))
    return Recorded(Graph(resources), judgement, tuple(answer["steps"]))
