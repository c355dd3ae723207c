"""Kubernetes quantities as numbers."""

from __future__ import annotations

SUFFIXES = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
            "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def quantity(text: str) -> float:
    """`500m` → 0.5, `2Gi` → 2147483648. Raises ValueError for what is no quantity."""
    digits = text.rstrip("mkMGTiK")
    suffix = text[len(digits):]
    if suffix not in SUFFIXES:
        raise ValueError(f"{text!r} is not a quantity")
    return float(digits) * SUFFIXES[suffix]


def bytes_of(text: str) -> int:
    return int(quantity(text))
