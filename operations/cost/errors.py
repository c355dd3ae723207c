"""Why a question about costs has no answer."""

from __future__ import annotations


class CostError(Exception):
    """AWS did not answer, or with something else than its documentation says; the message says what to do."""


class NotAcceptable(CostError):
    """What was asked for is wrong; nothing was looked at yet."""
