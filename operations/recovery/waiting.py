"""Waiting for what AWS does in its own time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from operations.errors import OperationError
from operations.recovery.model import spelled


def until(what: str, met: Callable[[], bool], seconds: float, every: float, pause: Callable[[float], None],
          now: Callable[[], float]) -> None:
    """Raises OperationError after so many seconds; what was begun goes on at AWS."""
    end = now() + seconds
    while not met():
        if now() > end:
            raise OperationError(f"not within {spelled(timedelta(seconds=seconds))}: {what}; run the command again to "
                                 "wait on")
        pause(every)
