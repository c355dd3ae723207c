"""The way back of the services that an incident is most likely about (O4), all together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kube.client import ApiError
from operations.errors import OperationError
from operations.rollout.model import Record, Result
from operations.rollout.runner import Runner

SERVICES = ("website", "backend-api", "paintbox")


@dataclass(frozen=True)
class Back:
    """What became of one service. done: it runs what it ran before. why: in words, where it is not done."""

    service: str
    done: bool
    why: str = ""
    record: Record | None = None


def emergency_rollback(runner: Callable[[str], Runner], services: Sequence[str] = SERVICES) -> list[Back]:
    """Each service's `rollback`, at the same time: they share nothing that a rollout writes. One that can't go back
    does not stop the others. runner: makes one by the service's name."""
    def back(service: str) -> Back:
        try:
            return _back(service, runner(service))
        except (OperationError, ApiError) as error:
            return Back(service, False, str(error))

    with ThreadPoolExecutor(max_workers=len(services)) as pool:
        return list(pool.map(back, services))


def _back(service: str, runner: Runner) -> Back:
    at_work = runner.journal.load().current
    record = runner.rollback(None)
    undone = at_work is not None and not at_work.finished and at_work.revision == record.revision
    wanted = (Result.ABORTED, Result.ROLLED_BACK) if undone else (Result.PROMOTED,)
    done = record.finished and record.result in wanted
    why = "" if done else f"revision {record.revision} is {record.result}: {record.reason}"
    return Back(service, done, why, record)
