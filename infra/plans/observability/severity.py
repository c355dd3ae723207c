"""Severities and how soon somebody answers (M3)."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    @property
    def response(self) -> str:
        return _RESPONSES[self]

    @property
    def word(self) -> str:
        """The word of the runbooks (M2): "critical" is what wakes somebody."""
        return "critical" if self in (Severity.P0, Severity.P1) else "warning"

    @property
    def pages(self) -> bool:
        return self in (Severity.P0, Severity.P1)


_RESPONSES = {Severity.P0: "15 min", Severity.P1: "30 min", Severity.P2: "2 h", Severity.P3: "1 business day"}
