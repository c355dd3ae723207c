"""A recovery point, and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from infra.plans.recovery import OBJECTIVES, How, Kept

UNKNOWN = "?"  # the resource of a point that nobody could be asked about


class State(StrEnum):
    GOOD = "good"
    DUE = "due"  # past its objective, but the next one is being made
    BAD = "bad"


@dataclass(frozen=True)
class Point:
    """The newest of its kind for one resource in one place.

    newest    what could be restored at most; None: there is none
    since     when the resource was made: until its first point is due, none is no fault
    source    what a restore is given: an ARN, or an identifier
    restorable  whether it is complete and its key can be used
    copied    whether the recovery region has a point of the resource, of which a row of its own says what is wrong;
              None: this is the copy, or the stack keeps none
    faults    sentences; what is wrong beside its age
    """

    kept: Kept
    how: How
    resource: str
    region: str
    newest: datetime | None = None
    since: datetime | None = None
    encrypted: bool = False
    restorable: bool = False
    copied: bool | None = None
    faults: tuple[str, ...] = ()
    source: str = ""

    def with_faults(self, *more: str) -> Point:
        return replace(self, faults=(*self.faults, *more))


@dataclass(frozen=True)
class Judged:
    """A point at a moment. age, rpo: None where there is nothing to count from, and where D6 has no objective."""

    point: Point
    state: State
    age: timedelta | None
    rpo: timedelta | None
    faults: tuple[str, ...]


def judge(point: Point, now: datetime) -> Judged:
    """Old, open or broken is bad; a first point that is not due yet is due."""
    objective = OBJECTIVES.get((point.kept, point.how))
    age = None if point.newest is None else max(timedelta(0), now - point.newest)
    faults, state = list(point.faults), State.GOOD
    if point.newest is not None:
        if not point.encrypted:
            faults.append("is not encrypted")
        if not point.restorable and not point.faults:
            faults.append("can't be restored: it is not complete, or its key can't be used")
    if objective is None:
        return Judged(point, State.BAD if faults else state, age, None, tuple(faults))
    counted = age if age is not None else None if point.since is None else now - point.since
    if age is None and point.faults:
        pass  # why there is none has been said
    elif counted is None:
        faults.append("there is none")
    elif counted > objective.rpo + objective.grace:
        faults.append(f"is {spelled(counted)} old; {spelled(objective.rpo)} is allowed" if age is not None
                      else f"there is none, {spelled(counted)} after the resource was made")
    elif age is None or counted > objective.rpo:
        state = State.DUE
    return Judged(point, State.BAD if faults else state, age, objective.rpo, tuple(faults))


def spelled(time: timedelta) -> str:
    """`4 min`, `26 h 10 min`, `3 d 2 h`."""
    seconds = round(time.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    days, minutes = divmod(seconds // 60, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"
