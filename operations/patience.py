"""Calls of an API server that may be away for a while: restarted, overloaded, or behind a line that loses answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from kube.client import ServerError, Throttled, Unavailable
from operations.errors import OperationError

T = TypeVar("T")
PATIENCE_SECONDS = 60.0  # how long the API server may be away before a step gives up; the journal stays as it is
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
PASSING = (Unavailable, ServerError, Throttled)  # what another attempt may get past


def patiently(call: Callable[[], T], pause: Callable[[float], None] = time.sleep,
              now: Callable[[], float] = time.monotonic, seconds: float = PATIENCE_SECONDS) -> T:
    """The call's answer; it is repeated, so it must be one that may happen twice: a read, or a write that says which
    version it is for. Raises OperationError when the API server is away for longer than `seconds`."""
    until, wait = now() + seconds, FIRST_PAUSE
    while True:
        try:
            return call()
        except PASSING as error:
            if now() > until:
                raise OperationError(f"the cluster does not answer ({error}); nothing is lost: run the command again "
                                     "when it does") from error
            pause(wait)
            wait = min(2 * wait, LONGEST_PAUSE)
