"""Moves the rehearsal's time: calls what becomes due on the way, in the order of the due times.

Between two moves the time stands still. Until it is moved for the first time it is the machine's. What the functions
see is the machine's time always: they are processes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.aws import rotation
from rehearsal.aws.clock import deliveries
from rehearsal.aws.clock.deliveries import Attempt, Clients, Outcome, Status
from rehearsal.aws.clock.occurrences import Seen
from rehearsal.aws.clock.record import Record, State
from rehearsal.aws.clock.sources import Found, Rotation, Source
from rehearsal.errors import RehearsalError


class ClockError(RehearsalError):
    """The embedded AWS does not answer; the text says at what and where the time stands."""


class Backwards(Exception):
    """The time was to be moved to where it is or was."""


class Finds(Protocol):
    def find(self) -> Found: ...


@dataclass(frozen=True)
class Step:
    """What is next: at `at` for the due time `due`; an attempt that was waiting, or a source's time."""

    at: datetime
    due: datetime
    name: str
    kind: str
    expression: str
    target: str
    source: Source | None
    attempt: Attempt | None

    @property
    def number(self) -> int:
        return self.attempt.number if self.attempt is not None else 1


@dataclass(frozen=True)
class Fired:
    """A step that was taken and what came of it. `again`: when the next attempt follows."""

    step: Step
    status: Status
    said: str
    again: datetime | None


class VirtualClock:
    """One rehearsal's time. `wall`: the machine's, in UTC."""

    def __init__(self, record: Record, finder: Finds, clients: Clients, wall: Callable[[], datetime]) -> None:
        self._record, self._finder, self._clients, self._wall = record, finder, clients, wall

    def state(self) -> State:
        return self._record.read() or State(self._wall().replace(microsecond=0))

    def upcoming(self) -> list[Step]:
        """The next time of every source, and the attempts that wait, in order. Changes nothing. Raises ClockError."""
        state, found = self.state(), self._look()
        _meet(state, found)
        times = [_step_of(source, due) for source in found.sources
                 if source.enabled and (due := _due(source, state)) is not None]
        return sorted([*times, *map(_retry, state.waiting)], key=_order)

    def advance(self, to: datetime) -> Iterator[Fired]:
        """Calls everything that is due until `to`, included, and yields each call when it is written down. Whoever
        stops listening leaves the time at the last call. Raises Backwards, ClockBusy, ClockError."""
        with self._record.alone():
            state = self._ahead(to)
            if self._record.read() is None:
                self._record.write(state)
            while (step := self._next(state, to)) is not None:
                outcome = self._take(step)
                self._settle(state, step, outcome)
                self._record.write(state)
                yield Fired(step, outcome.status, outcome.said, outcome.again.at if outcome.again else None)
            self._arrive(state, to)

    def rehearse(self, to: datetime) -> Iterator[Step]:
        """What `advance` would call if every call succeeds. Calls nothing and writes nothing. Raises Backwards,
        ClockError."""
        state, found = self._ahead(to), self._look()
        while (step := _first(state, found, to)) is not None:
            _note(state, step)
            yield step

    def _ahead(self, to: datetime) -> State:
        state = self.state()
        if to <= state.now:
            raise Backwards(f"{deliveries.stamp(to)} is not after the rehearsal's time, "
                            f"{deliveries.stamp(state.now)}; it moves forward only")
        return state

    def _next(self, state: State, to: datetime) -> Step | None:
        """Looks anew each time: what was called may have changed what comes."""
        found = self._look()
        step = _first(state, found, to)
        for source in found.sources:
            seen = state.seen[source.key]
            if source.spent is not None and seen.fired is not None and source.occurrences.due(seen) is None:
                source.spent()
        return step

    def _look(self) -> Found:
        try:
            return self._finder.find()
        except (BotoCoreError, OSError) as error:
            raise ClockError(f"the embedded AWS does not answer ({error}); the time stands where it is") from error

    def _take(self, step: Step) -> Outcome:
        try:
            if step.attempt is not None:
                return deliveries.make(self._clients, step.attempt)
            assert step.source is not None
            action = step.source.act(step.due)
            if isinstance(action, Rotation):
                return self._rotate(action, step)
            return deliveries.make(self._clients, Attempt(step.name, action, step.due, step.at))
        except BotoCoreError as error:
            raise ClockError(f"{step.name}: the embedded AWS does not answer ({error}); the time stands before that "
                             "call, and the next move makes it") from error

    def _rotate(self, action: Rotation, step: Step) -> Outcome:
        """Secrets Manager "retries the entire rotation process multiple times" and does not say when (DescribeSecret):
        here the next rotation is the next attempt. The version is the due time's, so that a rotation that was
        interrupted is gone on with."""
        version = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{action.secret}/{step.due.isoformat()}"))
        try:
            rotation.rotate(self._clients("lambda", action.region), action.secret, action.function, version)
        except (rotation.RotationFailed, ClientError) as error:
            return Outcome(Status.DROPPED, str(error))
        return Outcome(Status.DONE, version)

    def _settle(self, state: State, step: Step, outcome: Outcome) -> None:
        _note(state, step)
        if outcome.again is not None:
            state.waiting.append(outcome.again)

    def _arrive(self, state: State, to: datetime) -> None:
        state.now = to
        state.seen = {key: replace(seen, done=to) for key, seen in state.seen.items()}
        self._record.write(state)


def _meet(state: State, found: Found) -> None:
    """Remembers what is new since now and forgets what is gone."""
    state.seen = {source.key: state.seen.get(source.key, Seen(state.now)) for source in found.sources}


def _due(source: Source, state: State) -> datetime | None:
    """Nothing that is past: what was switched off meanwhile has missed its times."""
    seen = state.seen[source.key]
    due = source.occurrences.due(seen)
    while due is not None and due < state.now:
        due = source.occurrences.due(replace(seen, done=due))
    return due


def _first(state: State, found: Found, to: datetime) -> Step | None:
    _meet(state, found)
    steps = [_step_of(source, due) for source in found.sources
             if source.enabled and (due := _due(source, state)) is not None]
    return min((step for step in [*steps, *map(_retry, state.waiting)] if step.at <= to), key=_order, default=None)


def _note(state: State, step: Step) -> None:
    state.now = step.at
    if step.attempt is not None:
        state.waiting.remove(step.attempt)
    elif step.source is not None:
        seen = state.seen[step.source.key]
        state.seen[step.source.key] = Seen(seen.since, step.due, step.due)


def _step_of(source: Source, due: datetime) -> Step:
    return Step(due, due, source.name, source.kind, source.expression, source.target, source, None)


def _retry(attempt: Attempt) -> Step:
    return Step(attempt.at, attempt.due, attempt.name, f"{attempt.stage}, attempt {attempt.number}", "",
                attempt.delivery.target, None, attempt)


def _order(step: Step) -> tuple[Any, ...]:
    return step.at, step.name, step.kind, step.target
