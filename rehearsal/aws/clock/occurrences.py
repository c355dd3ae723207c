"""When something is due: cron, rate and one-time expressions in a time zone, and a secret's days of rotation. Pure.

Everything is aware and in UTC. `Seen` says what the clock knows of a schedule; `due` gives the first time that has not
been dealt with yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from rehearsal.aws.clock import cron
from rehearsal.aws.clock.cron import Cron, ExpressionError

_RATE = re.compile(r"rate\(\s*([1-9]\d*)\s+(minute|hour|day)s?\s*\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
# A day is 24 hours, also when the clocks change ("Daylight savings time on EventBridge Scheduler", its user guide).
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True)
class Seen:
    """`since`: when the clock first saw the schedule, and so when it came to be, as the time stands still in between.
    `done`: everything due until then has been dealt with; None: nothing was yet. `fired`: its last due time."""

    since: datetime
    done: datetime | None = None
    fired: datetime | None = None


class Occurrences(Protocol):
    def due(self, seen: Seen) -> datetime | None:
        """The first time later than `seen.done`; None: never again."""


@dataclass(frozen=True)
class Crons:
    """A time that the zone skips in spring is not made up for, and one that it has twice in autumn counts once ("How
    can I adjust my Amazon EventBridge schedule for daylight saving?", AWS re:Post; the Scheduler's user guide says the
    same): here the first."""

    cron: Cron
    zone: ZoneInfo

    def due(self, seen: Seen) -> datetime | None:
        after = seen.done or seen.since
        local: datetime | None = after.astimezone(self.zone).replace(tzinfo=None)
        while local is not None and (local := self.cron.after(local)) is not None:
            moment = instant(local, self.zone)
            if moment is not None and moment > after:
                return moment
        return None


@dataclass(frozen=True)
class Rates:
    """`start`: where the intervals are counted from; None: from when the schedule came to be. `at_once`: that moment is
    one of the times ("If you do not provide a StartDate for a rate-based schedule, your schedule starts invoking the
    target immediately", Scheduler user guide); else the first is an interval later, as for rules of EventBridge."""

    every: timedelta
    start: datetime | None = None
    at_once: bool = True

    def due(self, seen: Seen) -> datetime | None:
        first = (self.start or seen.since) + (timedelta() if self.at_once else self.every)
        if seen.done is None:
            missed = -(-max(seen.since - first, timedelta()) // self.every)  # rounded up
        else:
            missed = max(-1, (seen.done - first) // self.every) + 1
        return first + missed * self.every


@dataclass(frozen=True)
class Once:
    """`moment` None: a local time that the zone skips."""

    moment: datetime | None

    def due(self, seen: Seen) -> datetime | None:
        return self.moment if self.moment is not None and self.moment > (seen.done or seen.since) else None


@dataclass(frozen=True)
class Between:
    """Start and end of a recurring schedule; both count ("on, or after" and "on, or before" in CreateSchedule)."""

    inner: Occurrences
    start: datetime | None = None
    end: datetime | None = None

    def due(self, seen: Seen) -> datetime | None:
        found = self.inner.due(seen)
        while found is not None and self.start is not None and found < self.start:
            found = self.inner.due(Seen(seen.since, max(found, self.start - timedelta(seconds=1)), seen.fired))
        return None if found is not None and self.end is not None and found > self.end else found


@dataclass(frozen=True)
class Rotations:
    """A secret's rotation each so many days, in UTC: the window opens at midnight ("Rotation schedules", Secrets
    Manager user guide), and the days are counted from the rotation before (AutomaticallyAfterDays of
    RotationRulesType). `at_once`: the first when the schedule comes to be (RotateImmediately)."""

    days: int
    at_once: bool

    def due(self, seen: Seen) -> datetime | None:
        if self.at_once and seen.done is None:
            return seen.since
        day = (seen.fired or seen.since).replace(hour=0, minute=0, second=0, microsecond=0)
        found = day + timedelta(days=self.days)
        while found <= (seen.done or seen.since):
            found += timedelta(days=self.days)
        return found


def of_schedule(expression: str, zone: str, start: datetime | None = None, end: datetime | None = None) -> Occurrences:
    """EventBridge Scheduler's; `start` and `end` do not count for a one-time schedule (CreateSchedule, API reference).
    Raises ExpressionError."""
    if expression.startswith("at("):
        return Once(instant(_at(expression), zone_of(zone)))
    if expression.startswith("rate("):
        return Between(Rates(_every(expression), start), start, end)
    return Between(Crons(cron.parse(expression), zone_of(zone)), start, end)


def of_rule(expression: str) -> Occurrences:
    """EventBridge's, always in UTC; a rate begins an interval after its rule. Raises ExpressionError."""
    if expression.startswith("rate("):
        return Rates(_every(expression), at_once=False)
    return Crons(cron.parse(expression), ZoneInfo("UTC"))


def of_rotation(expression: str, at_once: bool) -> Occurrences:
    """Secrets Manager's, always in UTC: `rate(10 days)`, `rate(4 hours)`, `cron(…)`. Raises ExpressionError."""
    if not expression.startswith("rate("):
        return _AtOnce(Crons(cron.parse(expression), ZoneInfo("UTC"))) if at_once else Crons(
            cron.parse(expression), ZoneInfo("UTC"))
    every = _every(expression)
    if every % _UNITS["day"] == timedelta():
        return Rotations(every.days, at_once)
    hourly = Rates(every, datetime(1970, 1, 1, tzinfo=UTC))  # windows open on the hour
    return _AtOnce(hourly) if at_once else hourly


@dataclass(frozen=True)
class _AtOnce:
    inner: Occurrences

    def due(self, seen: Seen) -> datetime | None:
        return seen.since if seen.done is None else self.inner.due(seen)


def check(expression: str) -> None:
    """Raises ExpressionError for what Scheduler would refuse."""
    if expression.startswith("at("):
        _at(expression)
    elif expression.startswith("rate("):
        _every(expression)
    else:
        cron.parse(expression)


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ExpressionError(f"the time zone {name!r} is unknown") from error


def instant(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The UTC time of a local one: the first of two, None for one that the zone skips."""
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None


def _every(expression: str) -> timedelta:
    found = _RATE.fullmatch(expression)
    if found is None:
        raise ExpressionError(f"{expression!r}; rate(5 minutes), rate(1 hour) and rate(2 days) are of the right form")
    return int(found[1]) * _UNITS[found[2]]


def _at(expression: str) -> datetime:
    found = _AT.fullmatch(expression)
    try:
        return datetime.fromisoformat(found[1] if found else "")
    except ValueError as error:
        raise ExpressionError(f"{expression!r} is not at(yyyy-mm-ddThh:mm:ss)") from error
