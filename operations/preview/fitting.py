"""A text that must not be longer than a limit: what matters least becomes shorter first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """importance: the lowest is dropped first. shorter: what stands instead, the longest first; then nothing. what:
    the plural of it, for the note about what was dropped."""

    importance: int
    text: str
    what: str
    shorter: tuple[str, ...] = ()


def fit(blocks: Sequence[Block], limit: int) -> tuple[str, Counter[str]]:
    """The text in the blocks' order, and how many of which kind are shorter or gone. Of two of one importance the
    longer goes first. Without any block it is empty, so every limit can be kept."""
    forms = [[block.text, *block.shorter, ""] for block in blocks]
    total = sum(len(form[0]) for form in forms)
    cut: Counter[str] = Counter()
    order = sorted(range(len(blocks)), key=lambda index: (blocks[index].importance, -len(blocks[index].text), index))
    for level in sorted({block.importance for block in blocks}):
        here = [index for index in order if blocks[index].importance == level]
        touched: set[int] = set()
        while total > limit and any(len(forms[index]) > 1 for index in here):
            for index in here:  # all of one importance shorten by one form before any goes further
                if total <= limit:
                    break
                if len(forms[index]) > 1:
                    total += len(forms[index][1]) - len(forms[index][0])
                    del forms[index][0]
                    touched.add(index)
        cut.update(blocks[index].what for index in touched)
    return "".join(form[0] for form in forms), cut
