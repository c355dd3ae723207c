"""One change as the lines of a coloured diff: `-` before, `+` after, `!` what a reader must not miss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from operations.preview.documents import document
from operations.preview.model import Change, Operation, PropertyChange
from operations.preview.values import Marked, shown

_CONTEXT = 2  # lines around a change in a text
_WIDEST = 400  # characters of a line; what is beyond says nothing in a comment


def of_change(change: Change) -> list[str]:
    return [line for each in change.properties for line in _property(each, change.operation)]


def _property(change: PropertyChange, operation: Operation) -> Iterator[str]:
    if change.replaces and operation is Operation.REPLACE:
        yield f"! {change.path} forces the replacement"
    if change.why:
        yield f"! {change.path} {change.why}"
        if change.before == change.after:
            return
    before, after = _text(change.before), _text(change.after)
    if before is not None and after is not None and ("\n" in before or "\n" in after):
        yield f"  {change.path}:"
        yield from _differing(before, after)
        return
    if isinstance(change.before, Marked) and isinstance(change.after, Marked) and before == after:
        after = f"{after}, another one"  # secrets and archives whose content differs
    for mark, text in (("-", before), ("+", after)):
        if text is not None:
            first, *rest = text.split("\n")
            yield _cut(f"{mark} {change.path}: {first}")
            yield from (_cut(f"{mark}   {line}") for line in rest)


def _differing(before: str, after: str) -> Iterator[str]:
    """Two texts of several lines, without what is the same in both."""
    lines = list(unified_diff(before.split("\n"), after.split("\n"), n=_CONTEXT, lineterm=""))[2:]
    for line in lines:
        yield "  …" if line.startswith("@@") else _cut(f"{line[0]}   {line[1:]}")


def _text(value: Any) -> str | None:
    """None for what is not there. JSON inside a text is laid out, so that it can be compared line by line."""
    if value is None:
        return None
    plain = shown(value)
    if isinstance(plain, str):
        inner = document(plain)
        return plain if inner is None else json.dumps(inner, indent=2, sort_keys=True, ensure_ascii=False)
    compact = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return compact if len(compact) <= 100 else json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False)


def _cut(line: str) -> str:
    return line if len(line) <= _WIDEST else line[:_WIDEST - 1] + "…"
