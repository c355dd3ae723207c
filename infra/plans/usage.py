"""Quantities of a month: the table of the sizes (usage.yaml), and what a stack's file knows better."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from infra.settings.usage import Quantity, Size, Usage
from infra.settings.yaml import read_yaml

FILE = Path(__file__).with_name("usage.yaml")
SIZES: tuple[Size, ...] = get_args(Size)


@cache
def table(path: Path = FILE) -> Mapping[Quantity, Mapping[Size, float]]:
    """Raises ValueError where the file and `Quantity` differ, or a quantity has no figure for each size."""
    document = read_yaml(path)
    if set(document) != {quantity.value for quantity in Quantity}:
        differ = ", ".join(sorted(set(document) ^ {quantity.value for quantity in Quantity}))
        raise ValueError(f"{path.name} and infra/settings/usage.py differ in {differ}")
    for name, figures in document.items():
        if not isinstance(figures, list) or len(figures) != len(SIZES) or any(figure < 0 for figure in figures):
            raise ValueError(f"{path.name}: {name} is {figures!r}; {len(SIZES)} figures of 0 or more: "
                             f"{', '.join(SIZES)}")
    return {quantity: dict(zip(SIZES, map(float, document[quantity.value]), strict=True)) for quantity in Quantity}


def month(usage: Usage) -> Mapping[Quantity, float]:
    return {quantity: usage.known.get(quantity, figures[usage.size]) for quantity, figures in table().items()}
