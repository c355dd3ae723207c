"""What the rehearsal raises on purpose: each is a sentence for the user. Anything else is a bug."""

from __future__ import annotations


class RehearsalError(Exception):
    """It can't begin or go on: the text says what is wrong, where, and what to do. Exit code 1."""


class Unusable(RehearsalError):
    """What was given can't be used: the text says what, and what is allowed. Exit code 2."""
