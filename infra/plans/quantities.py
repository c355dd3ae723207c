"""Kubernetes quantities in their canonical spelling.

The API server stores `1024Mi` as `1Gi` and `1000m` as `1`, and pulumi-kubernetes compares the program's spelling with
the stored one: any other than the canonical one is a change at every `up` (pulumi-kubernetes issue 644).
"""

from __future__ import annotations

_DECIMAL = ("m", "", "k", "M", "G")
_BINARY = ("Mi", "Gi", "Ti", "Pi", "Ei")


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
