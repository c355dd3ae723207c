"""One run of the engine in a process of its own, with faults; what it met is written as it goes, so that it outlives
a kill."""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from rehearsal import faults
from rehearsal.aws import clients
from rehearsal.aws.provider import AwsProvider
from rehearsal.aws.servers import AwsEndpoint
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import EngineError
from rehearsal.engine.execution import Limits
from rehearsal.engine.store import StateFile
from rehearsal.faults import Fault, Plan, Site
from rehearsal.kubernetes.provider import KubernetesProvider
from rehearsal.kubernetes.provider_objects import CREATE_ATTEMPTS
from rehearsal.random.provider import RandomProvider

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).with_name("programs")
RUN_SECONDS = 120.0

Key = tuple[str, int, str]  # URN, ordinal, operation


class Kind(StrEnum):
    """How a position is hit. The last two: with retries used up, as the caller of the SDK sees it."""

    ERROR = "error"
    THROTTLE = "throttle"
    TIMEOUT = "timeout"
    KILL_BEFORE = "kill-before"
    KILL_AFTER = "kill-after"
    THROTTLED_OUT = "throttled-out"
    TIMED_OUT = "timed-out"

    @property
    def fault(self) -> Fault:
        return {Kind.THROTTLED_OUT: Fault.THROTTLE, Kind.TIMED_OUT: Fault.TIMEOUT}.get(self) or Fault(self.value)

    @property
    def kills(self) -> bool:
        return self in (Kind.KILL_BEFORE, Kind.KILL_AFTER)

    @property
    def attempts(self) -> int:
        return 1 if self in (Kind.THROTTLED_OUT, Kind.TIMED_OUT) else clients.MAXIMUM_ATTEMPTS


@dataclass
class Every(Plan):
    """Hits each position once that is not in `passed`, as far as `share` of them by seed. Writes what it meets."""

    kind: Kind | None = None
    share: float = 1.0
    passed: frozenset[Key] = frozenset()
    record: Path | None = None
    _mine: set[Key] = field(default_factory=set)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def choose(self, site: Site) -> Fault | None:
        key = (site.urn, site.ordinal, site.operation)
        with self._writing:
            drawn = random.Random(f"{self.seed}:{self.kind}:{key}").random() < self.share
            hit = self.kind is not None and drawn and key not in self.passed and key not in self._mine
            self._mine.add(key)
            assert self.record is not None
            with self.record.open("a") as file:
                file.write(json.dumps([*key, site.service, site.mutating, hit]) + "\n")
        return self.kind.fault if hit and self.kind is not None else None


@dataclass(frozen=True)
class Job:
    """`operation`: up, destroy or refresh."""

    program: str
    operation: str
    phase: str
    seed: int
    home: Path
    endpoint: AwsEndpoint
    kubeconfig: str
    kind: Kind | None = None
    share: float = 1.0
    passed: frozenset[Key] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """`changed` counts steps that were not `same`; None when the run failed or was killed."""

    changed: int | None
    killed: bool
    error: str
    met: Mapping[Key, tuple[str, bool]]  # position → service, whether it changes something
    hit: frozenset[Key]
    seconds: float

    @property
    def done(self) -> bool:
        return self.changed is not None


def run(job: Job) -> Outcome:
    """In a fork: the imports are paid for once. The caller must have no other threads."""
    record, answer = job.home / "calls.jsonl", job.home / "answer.json"
    record.write_text("")
    answer.unlink(missing_ok=True)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            answer.with_suffix(".new").write_text(json.dumps(_work(job, record)))
            answer.with_suffix(".new").rename(answer)
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(code)
    status = _await(child)
    seconds = time.monotonic() - started
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    met = {(line[0], line[1], line[2]): (line[3], line[4]) for line in lines}
    hit = frozenset((line[0], line[1], line[2]) for line in lines if line[5])
    code = os.waitstatus_to_exitcode(status)
    if answer.exists():
        found = json.loads(answer.read_text())
        return Outcome(found["changed"], False, found["error"], met, hit, seconds)
    killed = code == -9 and any(line[5] for line in lines) and job.kind is not None and job.kind.kills
    return Outcome(None, killed, "" if killed else f"the run's process ended with {code}", met, hit, seconds)


def _await(child: int) -> int:
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(0.005)  # a child has no handle that can be waited for with a limit before Python 3.12's pidfd
    os.kill(child, 9)
    return os.waitpid(child, 0)[1]


def _work(job: Job, record: Path) -> dict[str, Any]:
    for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI"))]:
        del os.environ[name]
    os.environ.update({"AWS_ENDPOINT_URL": job.endpoint.url, "AWS_REGION": "us-east-1",
                       "AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "test"})
    if job.kind is not None:
        clients.MAXIMUM_ATTEMPTS = job.kind.attempts
    faults.activate(Every(seed=job.seed, kind=job.kind, share=job.share, passed=job.passed, record=record))
    kubernetes = KubernetesProvider(addon_attempts=CREATE_ATTEMPTS)  # no agent follows EKS here
    aws = AwsProvider(job.endpoint, remember_references=False)
    engine = Engine(
        Project.load(job.home), "test",
        StackConfig({"faults:phase": job.phase, "faults:kubeconfig": job.kubeconfig, "aws:region": "us-east-1"}),
        [aws, kubernetes, RandomProvider()], StateFile(job.home / "state.json", "faults"),
        # One run then hits the next position of every resource, not only that of the first to fail.
        seed=job.seed, continue_on_error=True, limits=Limits(blocked_seconds=60, environment={"PYTHONPATH": str(ROOT)}))
    try:
        result = getattr(engine, job.operation)()
    except EngineError as error:
        return {"changed": None, "error": str(error)}
    finally:
        kubernetes.close()
    changed = sum(count for operation, count in result.changes.items() if operation != "same")
    return {"changed": changed, "error": ""}


def prepare(home: Path, program: str) -> None:
    """An empty project of the program, without a state."""
    home.mkdir(parents=True, exist_ok=True)
    for file in home.iterdir():
        if file.is_file():
            file.unlink()
    (home / "Pulumi.yaml").write_text(
        f"name: faults\nruntime: python\nmain: {PROGRAMS / program}.py\n")
