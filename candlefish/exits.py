"""Exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2  # wrong usage or settings
    POLICY = 3  # a policy was violated
    CHANGED = 4  # changes where none were expected
    ROLLED_BACK = 5  # a rollout went back, or was aborted
    HELD = 6  # a rollout waits for `promote` or `abort`
    INTERRUPTED = 130


class WrongUsage(Exception):
    """Options that can't be meant so: the text says which, its value and what is allowed. Exit.USAGE."""
