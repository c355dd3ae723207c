"""What is wrong with a stack's configuration, in words that say what to change."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`setting`: the path below `candlefish:`, such as `network.zoneCount`; `allowed`: what would be accepted."""

    setting: str
    value: object
    allowed: str

    def __str__(self) -> str:
        shown = "missing" if self.value is MISSING else _SHORT.repr(self.value)
        return f"{_named(self.setting)} is {_cut(shown)}; allowed: {self.allowed}"


MISSING = object()
LONGEST = 120  # characters of a value or a name that are shown
_SHORT = reprlib.Repr()  # a value may be huge: what isn't shown is not spelled either
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = LONGEST
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = 12


def _named(setting: str) -> str:
    """`candlefish:network.cidr`, or another's key; the file itself where the problem is with no single setting. A key
    that is no name is spelled, so that the message stays one line."""
    if not setting:
        return "the file"
    shown = _cut(setting if setting.isprintable() else repr(setting)[1:-1])
    return shown if ":" in shown else f"candlefish:{shown}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST - 1]}…"


class SettingsError(ValueError):
    """Every problem of one stack's configuration at once."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = [f"{source} can't be used:", *(f"  {problem}" for problem in problems)]
        super().__init__("\n".join(lines))
