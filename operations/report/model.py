"""A part of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from operations.cost.explorer import Period
from operations.verify.scene import Scene


class State(StrEnum):
    GOOD = "good"
    ATTENTION = "attention"  # somebody has something to do
    UNAVAILABLE = "unavailable"  # it could not be read


@dataclass(frozen=True)
class Accepted:
    """A finding that is accepted until a day."""

    control: str
    resource: str
    expires: date


@dataclass(frozen=True)
class Matter:
    """What is reported on. accepted: the waivers for the stack's environment."""

    scene: Scene
    month: Period
    accepted: Sequence[Accepted]

    @property
    def first(self) -> datetime:
        return datetime.combine(self.month.first, time(), UTC)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.month.until, time(), UTC)

    def within(self, moment: datetime) -> bool:
        return self.first <= moment < self.until


@dataclass(frozen=True)
class Told:
    """sentences: for people, the most important first. data: for machines, as JSON takes it."""

    state: State
    sentences: tuple[str, ...]
    data: Any = None


@dataclass(frozen=True)
class Part:
    """look: raises an error of an operation, of the account or of the cluster where there is nothing to be read."""

    name: str
    title: str
    look: Callable[[Matter], Told]


@dataclass(frozen=True)
class Section:
    part: Part
    told: Told


def judged(wrong: object) -> State:
    return State.ATTENTION if wrong else State.GOOD
