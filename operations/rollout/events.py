"""What others are told of a rollout: that it began, came to a step or stage, stopped, or ended."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from operations.rollout.model import Record, Target

LAST_WORDS_SECONDS = 10.0  # what is not told by then, at the end of the process, is not told


class Happened(StrEnum):
    STARTED = "started"  # by this process: a rollout that goes on elsewhere starts again
    STEP = "step"  # the record's phase or stage is new
    STOPPED = "stopped"  # not finished: contested, held, or an error; the text says which
    ENDED = "ended"


@dataclass(frozen=True)
class Event:
    """text: one sentence for people."""

    happened: Happened
    target: Target
    record: Record
    text: str


Tell = Callable[[Event], None]


def nobody(event: Event) -> None:
    """For who has nobody to tell."""


class Teller:
    """Tells in a thread of its own, in order: one who listens badly neither fails nor delays a rollout."""

    def __init__(self, tell: Tell, say: Callable[[str], None]) -> None:
        self._tell, self._say = tell, say
        self._waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Teller:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._waiting.put(None)
        self._thread.join(timeout=LAST_WORDS_SECONDS)

    def __call__(self, event: Event) -> None:
        self._waiting.put(event)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            try:
                self._tell(event)
            except Exception as error:
                self._say(f"nobody could be told that {event.text}: {error}")
