"""Kubernetes quantities: their canonical spelling, and what any spelling means.

The API server stores `1024Mi` as `1Gi` and `1000m` as `1`, and pulumi-kubernetes compares the program's spelling with
the stored one: any other than the canonical one is a change at every `up` (pulumi-kubernetes issue 644).
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

_DECIMAL = ("m", "", "k", "M", "G")
_BINARY = ("Mi", "Gi", "Ti", "Pi", "Ei")
_UNITS = {"n": Fraction(1, 10 ** 9), "u": Fraction(1, 10 ** 6), "m": Fraction(1, 1000), "": Fraction(1),
          **{unit: Fraction(1000 ** (power + 1)) for power, unit in enumerate("kMGTPE")},
          **{f"{unit}i": Fraction(1024 ** (power + 1)) for power, unit in enumerate("KMGTPE")}}
_QUANTITY = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|)")


def cpu(millis: int) -> str:
    """Thousandths of a CPU: 250 → `250m`, 2000 → `2`."""
    return _spelled(millis, 1000, _DECIMAL)


def count(number: int) -> str:
    """Things: 250 → `250`, 2000 → `2k`."""
    return _spelled(number, 1000, _DECIMAL[1:])


def memory(mib: int) -> str:
    """Mebibytes: 768 → `768Mi`, 2048 → `2Gi`, 1536 → `1536Mi`."""
    return _spelled(mib, 1024, _BINARY)


def storage(gib: int) -> str:
    """Gibibytes: 20 → `20Gi`, 1024 → `1Ti`."""
    return memory(gib * 1024)


def in_millis(text: str) -> int:
    """Thousandths of a CPU, rounded up: `250m` → 250, `2` → 2000. Raises ValueError."""
    return math.ceil(_read(text) * 1000)


def in_mib(text: str) -> int:
    """Mebibytes, rounded up: `768Mi` → 768, `16393844Ki` → 16010. Raises ValueError."""
    return math.ceil(_read(text) / 1024 ** 2)


def _read(text: str) -> Fraction:
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity of Kubernetes")
    return Fraction(found[1]) * _UNITS[found[2]]


def _spelled(amount: int, step: int, units: tuple[str, ...]) -> str:
    """Without a fraction and with the largest unit that allows it; nothing has no unit."""
    if amount < 0:
        raise ValueError(f"{amount}{units[0]} is negative; a quantity is 0 or more")
    if amount == 0:
        return "0"
    unit = 0
    while amount % step == 0 and unit < len(units) - 1:
        amount, unit = amount // step, unit + 1
    return f"{amount}{units[unit]}"
