"""The one exception of this package."""

from __future__ import annotations

from rehearsal.errors import RehearsalError


class ToolchainError(RehearsalError):
    """A binary can't be had; the message lists every way that was tried, why it failed, and what to do."""


class Unavailable(Exception):
    """One way to a binary doesn't work here; the next one is tried."""
