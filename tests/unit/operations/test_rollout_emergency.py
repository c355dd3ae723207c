"""The way back of several services at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

from operations.errors import NotAcceptable, OperationError
from operations.rollout.emergency import SERVICES, emergency_rollback
from operations.rollout.model import Phase, Record, Result
from operations.rollout.runner import Runner

NOW = Record(3, "canary", "image:3", "image:2", "blue", "green", began=0.0, phase=Phase.STAGES)
BACK = Record(4, "blue-green", "image:2", "image:3", "green", "blue", began=0.0, phase=Phase.DONE)


@dataclass
class Service:
    """A runner whose `rollback` ends as it is told to. current: what its journal has before."""

    ends: Record | Exception
    current: Record | None = None

    @property
    def journal(self) -> Any:
        return SimpleNamespace(load=lambda: SimpleNamespace(current=self.current))

    def rollback(self, revision: int | None) -> Record:
        assert revision is None
        if isinstance(self.ends, Exception):
            raise self.ends
        return self.ends


def went_back(**services: Service) -> dict[str, tuple[bool, str]]:
    found = emergency_rollback(lambda name: cast(Runner, services[name]), tuple(services))
    return {back.service: (back.done, back.why) for back in found}


def test_a_service_is_back_when_the_older_image_was_promoted_or_the_rollout_at_work_went_back() -> None:
    promoted = replace(BACK, result=Result.PROMOTED)
    aborted = replace(NOW, phase=Phase.DONE, result=Result.ABORTED)
    assert went_back(one=Service(promoted, replace(NOW, phase=Phase.DONE)), two=Service(aborted, NOW)) == {
        "one": (True, ""), "two": (True, "")}


def test_an_older_image_that_is_not_fit_either_is_told() -> None:
    refused = replace(BACK, result=Result.ROLLED_BACK, reason="CrashLoopBackOff")
    assert went_back(one=Service(refused, replace(NOW, phase=Phase.DONE))) == {
        "one": (False, "revision 4 is rolled-back: CrashLoopBackOff")}


def test_one_without_a_way_back_is_told_and_the_others_go_back() -> None:
    promoted = Service(replace(BACK, result=Result.PROMOTED))
    found = went_back(one=Service(OperationError("nothing was rolled out of one yet; there is no way back")),
                      two=promoted, three=Service(NotAcceptable("development has no service 'three'")))
    assert found == {"one": (False, "nothing was rolled out of one yet; there is no way back"), "two": (True, ""),
                     "three": (False, "development has no service 'three'")}


def test_all_go_back_at_the_same_time() -> None:
    together = threading.Barrier(len(SERVICES))

    class Waiting(Service):
        def rollback(self, revision: int | None) -> Record:
            together.wait(timeout=10)
            return super().rollback(revision)

    found = went_back(**{name: Waiting(replace(BACK, result=Result.PROMOTED)) for name in SERVICES})
    assert all(done for done, _ in found.values())
    assert list(found) == ["website", "backend-api", "paintbox"]
