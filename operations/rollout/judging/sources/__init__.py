"""Where samples come from. One protocol; what a source cannot know it leaves None, and never guesses."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from operations.rollout.judging.sample import Sample


class SourceError(Exception):
    """The interval cannot be read (yet): no verdict may be made of it."""


class Source(Protocol):
    """interval_seconds: the shortest that is worth reading. delay_seconds: how late counts are complete."""

    interval_seconds: float
    delay_seconds: float

    def readable(self, now: datetime) -> datetime:
        """Until when there is data at `now`; intervals end there at the latest."""

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        """The colour's requests in [since, until), two results of `readable`. Raises SourceError."""


class Joined:
    """Counts of requests by one source, what only the other measures (frame rate, memory, critical errors) by that."""

    def __init__(self, requests: Source, gauges: Source) -> None:
        self._requests, self._gauges = requests, gauges
        self.interval_seconds = max(requests.interval_seconds, gauges.interval_seconds)
        self.delay_seconds = max(requests.delay_seconds, gauges.delay_seconds)

    def readable(self, now: datetime) -> datetime:
        return self._requests.readable(min(now, self._gauges.readable(now)))

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        counted, measured = (source.read(colour, since, until) for source in (self._requests, self._gauges))
        return replace(counted, fps=measured.fps if counted.fps is None else counted.fps,
                       memory_bytes=measured.memory_bytes if counted.memory_bytes is None else counted.memory_bytes,
                       critical_log_errors=counted.critical_log_errors + measured.critical_log_errors,
                       critical_animation_failures=counted.critical_animation_failures
                       + measured.critical_animation_failures)
