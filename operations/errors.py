"""How an operation ends that does not succeed. The command says the error's text and leaves with its exit code."""

from __future__ import annotations


class OperationError(Exception):
    """It can't begin or go on: the text says what is wrong, where, and what to do. Exit code 1."""


class NotAcceptable(OperationError):
    """What was asked for is wrong; nothing was looked at or changed yet. Exit code 2."""


class Contested(OperationError):
    """Somebody else changed what this operation owns; it stops, and leaves everything as it is."""


class Failed(OperationError):
    """What was brought is not fit; the way back is taken. `reason` is for the journal."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
