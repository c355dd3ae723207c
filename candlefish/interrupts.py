"""Ctrl-C while something is built: running steps finish, none begins, and the state tells the truth."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import Cancelled


@contextmanager
def interruptible(say: Callable[[str], None]) -> Iterator[Callable[[Engine], Engine]]:
    """Yields a function that takes an engine whose operations Ctrl-C cancels. A second Ctrl-C ends at once: the next
    run takes interrupted steps again. Raises Cancelled in either case. For the main thread.

    A Ctrl-C before there is an engine raises KeyboardInterrupt where it comes. Some library's clean-up may swallow
    that; it is then remembered, and no engine begins.
    """
    previous = signal.getsignal(signal.SIGINT)
    early: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        early.append(number)
        raise KeyboardInterrupt

    def cancelling(engine: Engine) -> Engine:
        def interrupt(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            engine.cancel()
            # Not from here: the signal may have come in the middle of a write to the same stream.
            threading.Thread(target=say, daemon=True, args=(
                "interrupted: running steps finish; press Ctrl-C again to end at once",)).start()

        signal.signal(signal.SIGINT, interrupt)
        if early:
            raise KeyboardInterrupt
        return engine

    try:
        signal.signal(signal.SIGINT, remember)
        yield cancelling
    except KeyboardInterrupt:
        raise Cancelled("interrupted; run the command again to go on") from None
    finally:
        signal.signal(signal.SIGINT, previous)
