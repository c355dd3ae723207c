"""When a rollout may go on: what the judge says, time, people; and what becomes of it when none of them decides."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from operations.errors import Failed
from operations.rollout.assess import Assessor
from operations.rollout.journal import Journal
from operations.rollout.judging import Ruling
from operations.rollout.model import Held, OnHold, Wish
from operations.rollout.pods import Fitness
from operations.rollout.waits import Waits

FIT_SECONDS = 1.0  # between two looks at the pods


@dataclass(frozen=True)
class Exposure:
    """What the first stage may cost, as a sentence, and the most percent that cost no more than they may."""

    text: str
    allowed: float


class Gates(Protocol):
    def judged(self, fitness: Fitness) -> None:
        """Until the judge passes the stage. Raises Failed, and Held when it can't tell for too long."""

    def timed(self, since: float, seconds: float, fitness: Fitness) -> None:
        """For so many seconds since then (epoch), unless it fails before. Raises Failed, and Held while both colours
        fail."""

    def exposure(self) -> Exposure:
        """Of the stage at work."""


class Open:
    """Of a dry run: everything passes."""

    def judged(self, fitness: Fitness) -> None:
        pass

    def timed(self, since: float, seconds: float, fitness: Fitness) -> None:
        pass

    def exposure(self) -> Exposure:
        return Exposure("what the first stage may cost is told when it begins", 100.0)


class Kept:
    """Of a rollout at work. limit_seconds: how long a stage may lack what decides it."""

    def __init__(self, journal: Journal, waits: Waits, assessor: Assessor | None, say: Callable[[str], None],
                 limit_seconds: float, now: Callable[[], float] = time.time) -> None:
        self._journal, self._waits, self._assessor, self._say = journal, waits, assessor, say
        self._limit, self._now = limit_seconds, now
        self._looked = 0.0

    def judged(self, fitness: Fitness) -> None:
        self._wait(self._limit, lambda ruling: ruling is Ruling.PASS, fitness)

    def timed(self, since: float, seconds: float, fitness: Fitness) -> None:
        def over(ruling: Ruling | None) -> bool:
            return self._now() >= since + seconds and ruling is not Ruling.PAUSE

        self._wait(max(0.0, since + seconds - self._now()) + self._limit, over, fitness)

    def exposure(self) -> Exposure:
        if self._assessor is None:
            return Exposure("nothing is read", 100.0)
        allowed, text = self._assessor.exposure(self._journal.record.percent)
        return Exposure(text, allowed)

    def _wait(self, limit: float, met: Callable[[Ruling | None], bool], fitness: Fitness) -> None:
        passed = False

        def over() -> bool:
            nonlocal passed
            passed = self._journal.record.wish is Wish.PROMOTE or met(self._look(fitness))
            return passed

        while True:
            self._waits.hold(limit, over)
            if passed:
                return
            if self._decided(limit):
                return

    def _look(self, fitness: Fitness) -> Ruling | None:
        """Raises Failed when the release is not fit."""
        if self._now() >= self._looked + FIT_SECONDS:
            self._looked = self._now()
            fitness.stay()
        verdict = self._assessor.look() if self._assessor else None
        if verdict is None:
            return None
        if verdict.ruling.final:
            raise Failed(verdict.reason)
        return verdict.ruling

    def _decided(self, limit: float) -> bool:
        """Whether a stage that lacks data goes on all the same. Raises Held and Failed."""
        verdict = self._assessor.verdict if self._assessor else None
        why = (self._assessor.trouble if self._assessor else "") or (verdict.reason if verdict else "nothing was read")
        lacking = f"not decided after {limit:.0f} s: {why}"
        paused = verdict is not None and verdict.ruling is Ruling.PAUSE
        match self._journal.record.on_hold:
            case OnHold.WAIT:
                self._say(f"{lacking}; waits on")
                return False
            case OnHold.ABORT:
                raise Failed(lacking)
            case OnHold.PROMOTE if not paused:
                self._say(f"{lacking}; goes on as --on-hold promote says")
                self._journal.note(self._journal.record.noted(f"stages: {lacking}; promoted by --on-hold"))
                return True
        raise Held(f"{lacking}. Stays at its weight: `promote`, `abort`, or `resume` to wait on")
