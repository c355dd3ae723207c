"""Waiting for what the cluster does in its own time, while the rollout is still ours."""

from __future__ import annotations

import time
from collections.abc import Callable

from operations.errors import Failed

POLL_SECONDS = 0.25


class Waits:
    """`check` is called at each look: it raises when the rollout is contested, the lease is lost, or an abort asked."""

    def __init__(self, check: Callable[[], None], say: Callable[[str], None] = lambda line: None,
                 now: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep) -> None:
        self._check, self._say, self._now, self._pause = check, say, now, pause

    def until(self, what: str, met: Callable[[], bool], seconds: float, why: Callable[[], str] = lambda: "") -> None:
        """Raises Failed with `why` after so many seconds."""
        self.unhindered(what, lambda: None if met() else why(), seconds)

    def unhindered(self, what: str, hindrance: Callable[[], str | None], seconds: float) -> None:
        """Until nothing is in the way (None); an empty text is something without a name. Raises Failed."""
        end, told = self._now() + seconds, ""
        while (reason := hindrance()) is not None:
            self._check()
            if self._now() > end:
                raise Failed(f"not within {seconds:.0f} s: {what}" + (f" ({reason})" if reason else ""))
            if reason and reason != told:
                self._say(f"{what}: {reason}")
                told = reason
            self._pause(POLL_SECONDS)

    def hold(self, seconds: float, over: Callable[[], bool]) -> None:
        """For so many seconds, or until `over`."""
        end = self._now() + seconds
        while self._now() < end and not over():
            self._check()
            self._pause(min(POLL_SECONDS, max(0.0, end - self._now())))
