"""What is wrong with a stack's configuration, in words that say what to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`setting`: the path below `candlefish:`, such as `network.zoneCount`; `allowed`: what would be accepted."""

    setting: str
    value: object
    allowed: str

    def __str__(self) -> str:
        shown = "missing" if self.value is MISSING else repr(self.value)
        if len(shown) > 120:
            shown = shown[:117] + "…"
        return f"candlefish:{self.setting} is {shown}; allowed: {self.allowed}"


MISSING = object()


class SettingsError(ValueError):
    """Every problem of one stack's configuration at once."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = [f"{source} can't be used:", *(f"  {problem}" for problem in problems)]
        super().__init__("\n".join(lines))
