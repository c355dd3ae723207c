"""Waiting for what can only be asked for, not watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(what: str, question: Callable[[], T | None], seconds: float = 30.0) -> T:
    """The first true answer; the test fails when there is none within the time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; last answer: {answer!r}"
        time.sleep(0.05)
