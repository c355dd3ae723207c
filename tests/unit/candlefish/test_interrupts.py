"""Ctrl-C before and while an engine runs."""

from __future__ import annotations

import contextlib
import signal
from typing import Any, cast

import pytest

from candlefish.interrupts import interruptible
from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import Cancelled

pytestmark = pytest.mark.unit


class Cancellable:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


def engine() -> Any:
    return cast(Engine, Cancellable())


def test_a_ctrl_c_that_a_library_swallows_is_remembered_and_no_engine_begins() -> None:
    before = signal.getsignal(signal.SIGINT)
    began: list[bool] = []

    def work() -> None:
        with interruptible(print) as cancelling:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            cancelling(engine())
            began.append(True)

    with pytest.raises(Cancelled):
        work()
    assert not began
    assert signal.getsignal(signal.SIGINT) == before


def test_a_ctrl_c_while_an_engine_runs_cancels_it_and_a_second_one_ends_at_once() -> None:
    running = engine()
    reached: list[bool] = []

    def work() -> None:
        with interruptible(lambda line: None) as cancelling:
            cancelling(running)
            signal.raise_signal(signal.SIGINT)
            reached.append(running.cancelled)
            signal.raise_signal(signal.SIGINT)
            reached.append(False)

    with pytest.raises(Cancelled):
        work()
    assert reached == [True]
