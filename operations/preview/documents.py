"""What differs between two values, without the noise: documents are compared as documents, lists by what they hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from operations.preview.values import Marked, join, text

Difference = tuple[str, Any, Any]  # path, before, after; None where there is none
# What items of a list are known by, the first that all of them have: statements, containers, rules, environment.
_IDENTITIES = ("Sid", "sid", "ruleId", "originId", "pathPattern", "name", "key", "id", "path")
_INDEX = re.compile(r"\[[^\]]*\]")


def differences(before: Any, after: Any, path: str = "", unordered: Collection[str] = ()) -> Iterator[Difference]:
    """Nested, in the order of the names. `unordered`: paths without indices of lists that are sets. Two values that
    nobody knows yet are the same; of two secrets nothing is told but that they differ."""
    if before is None or after is None or isinstance(before, Marked) or isinstance(after, Marked):
        if before != after:
            yield path, before, after
        return
    before, after = _opened(before, after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            if not key.startswith("__"):
                yield from differences(before.get(key), after.get(key), join(path, key), unordered)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, path, unordered)
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield path, before, after


def _opened(before: Any, after: Any) -> tuple[Any, Any]:
    """Two JSON documents as data."""
    if isinstance(before, str) and isinstance(after, str) and before != after:
        first, second = document(before), document(after)
        if first is not None and type(first) is type(second):
            return first, second
    return before, after


def document(value: str) -> Any:
    """A JSON object or list as data; a policy as IAM takes it. None for any other text."""
    if value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return _policy(found) if isinstance(found, dict) and "Statement" in found else found


def _policy(value: Any) -> Any:
    """One string and a list of one are the same to IAM, and lists of strings have no order."""
    if isinstance(value, dict):
        return {key: _policy(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if all(isinstance(item, str) for item in value):
        return value[0] if len(value) == 1 else sorted(value)
    return [_policy(item) for item in value]


def _lists(before: list[Any], after: list[Any], path: str, unordered: Collection[str]) -> Iterator[Difference]:
    if _INDEX.sub("", path) in unordered:
        before, after = _without_common(before, after), _without_common(after, before)
    if before == after:
        return
    identity = next((key for key in _IDENTITIES if _unique(before, key) and _unique(after, key)), None)
    if identity is not None:
        first, second = ({item[identity]: item for item in items} for items in (before, after))
        kept = [name for name in first if name in second]
        for name in [*first, *(name for name in second if name not in first)]:
            yield from differences(first.get(name), second.get(name), f'{path}["{name}"]', unordered)
        if kept != [name for name in second if name in first] and _INDEX.sub("", path) not in unordered:
            yield path, [*first], [*second]
    elif all(isinstance(item, Mapping | list) for item in (*before, *after)):
        yield from _aligned(before, after, path, unordered)
    else:
        yield path, before or None, after or None


def _aligned(before: list[Any], after: list[Any], path: str, unordered: Collection[str]) -> Iterator[Difference]:
    """Item by item, where one that came or went in the middle does not change all that follow."""
    matcher = SequenceMatcher(None, [text(item) for item in before], [text(item) for item in after], autojunk=False)
    for tag, first, first_end, second, second_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        if first_end - first == second_end - second:
            for offset in range(first_end - first):
                yield from differences(before[first + offset], after[second + offset], f"{path}[{second + offset}]",
                                       unordered)
            continue
        for index in range(first, first_end):
            yield f"{path}[{index}]", before[index], None
        for index in range(second, second_end):
            yield f"{path}[{index}]", None, after[index]


def _unique(items: list[Any], key: str) -> bool:
    names = [item.get(key) if isinstance(item, Mapping) else None for item in items]
    return all(isinstance(name, str) for name in names) and len({*names}) == len(names)


def _without_common(items: list[Any], others: list[Any]) -> list[Any]:
    """Each item as often as the other list does not have it."""
    common, kept = Counter(map(text, others)), []
    for item in items:
        if common[text(item)]:
            common[text(item)] -= 1
        else:
            kept.append(item)
    return kept
