"""What of the rehearsal's time outlives a command: a file in the rehearsal's home, written after every call.

A call is written down when it has been made: one that was under way when the command was killed is made again by the
next, one that is written down is not. EventBridge promises the same, at least once and not exactly once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal.aws.clock.deliveries import Attempt, Delivery, Sender, Stage
from rehearsal.aws.clock.occurrences import Seen
from rehearsal.errors import RehearsalError


class ClockBusy(RehearsalError):
    """Another command moves this rehearsal's time at the moment."""


class RecordUnreadable(RehearsalError):
    """The file is no record of a clock; the text names it."""


@dataclass
class State:
    """`now`: the rehearsal's time. `seen`: by the sources' keys. `waiting`: retries, attempts that are to follow."""

    now: datetime
    seen: dict[str, Seen] = field(default_factory=dict)
    waiting: list[Attempt] = field(default_factory=list)


class Record:
    """`clock.json` of a rehearsal. `incarnation`: of the emulators; what was written for others is not read, as all
    that it speaks of is gone."""

    def __init__(self, path: Path, incarnation: str) -> None:
        self._path, self._incarnation = path, incarnation

    def read(self) -> State | None:
        """None when the time was never moved. Raises RecordUnreadable."""
        if not self._path.exists():
            return None
        try:
            document = json.loads(self._path.read_text())
            if document["incarnation"] != self._incarnation:
                return None
            return State(
                _moment(document["now"]),
                {key: Seen(_moment(seen["since"]), _maybe(seen["done"]), _maybe(seen["fired"]))
                 for key, seen in document["seen"].items()},
                [_attempt(each) for each in document["waiting"]])
        except (ValueError, KeyError, TypeError) as error:
            raise RecordUnreadable(f"{self._path} can't be read ({type(error).__name__}: {error}); without it the time "
                                   "begins anew at the machine's") from error

    def write(self, state: State) -> None:
        """As a whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        document = {"incarnation": self._incarnation, "now": state.now,
                    "seen": {key: asdict(seen) for key, seen in state.seen.items()},
                    "waiting": [asdict(attempt) for attempt in state.waiting]}
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(document, default=_text, indent=1))
        fresh.replace(self._path)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """While the time is moved. Raises ClockBusy."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ClockBusy("another command moves this rehearsal's time; try again when it is done") from error
            yield


def _attempt(document: dict[str, Any]) -> Attempt:
    delivery = document["delivery"]
    return Attempt(**{
        **document, "delivery": Delivery(**{**delivery, "sender": Sender(delivery["sender"])}),
        "stage": Stage(document["stage"]), "due": _moment(document["due"]), "at": _moment(document["at"]),
        "taken": _maybe(document["taken"])})


def _text(value: Any) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
