"""What the judge says of a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Number = float | int | str | bool | None


class Ruling(StrEnum):
    """From the best to the worst. PAUSE: both colours fail alike, which no rollback mends."""

    PASS = "pass"
    CONTINUE = "continue"
    PAUSE = "pause"
    FAIL = "fail"
    AT_ONCE = "at-once"

    @property
    def severity(self) -> int:
        return list(Ruling).index(self)

    @property
    def final(self) -> bool:
        """Nothing that comes later takes it back."""
        return self in (Ruling.FAIL, Ruling.AT_ONCE)


@dataclass(frozen=True)
class Verdict:
    """reason: a sentence for people. numbers: flat, as they go into the journal and out as JSON."""

    ruling: Ruling
    reason: str
    numbers: Mapping[str, Number] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"ruling": self.ruling.value, "reason": self.reason, "numbers": dict(self.numbers)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Verdict:
        return cls(Ruling(saved["ruling"]), saved["reason"], dict(saved["numbers"]))
