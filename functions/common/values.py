"""Checks of values that come from outside. A refusal names the field and what it must be, never what it was."""

from __future__ import annotations

import math
import re
from typing import Any

# Of visitors and sessions; kept only as a keyed hash.
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{16,64}")
IDENTIFIER_WORDS = "16 to 64 letters, digits, `-` or `_`"
# Names of experiments and variants, as the settings have them.
WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Invalid(ValueError):
    """`code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def identifier(name: str, value: Any) -> str:
    """Raises Invalid. At least 16 characters: whoever knows an identifier can read and erase what is kept under it."""
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        raise Invalid(f"invalid_{name}", f"`{name}` must be {IDENTIFIER_WORDS}")
    return value


def number(name: str, value: Any, minimum: float, maximum: float, *, whole: bool = False) -> int | float:
    """Raises Invalid."""
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or not minimum <= value <= maximum or not math.isfinite(value):
        raise Invalid("invalid_number",
                      f"`{name}` must be a {'whole ' if whole else ''}number from {minimum:g} to {maximum:g}")
    return int(value) if whole else float(value)
