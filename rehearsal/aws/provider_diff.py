"""What differs between two sets of inputs, in Pulumi's paths, with whether it forces a replacement."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from rehearsal.engine.provider import Change, PropertyDiff
from rehearsal.engine.values import UNKNOWN, Archive, Asset, Properties
from rehearsal.sdk.replacements import Replacements, without_indices

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*")
Spelling = Callable[[Any], Any]


def differences(type: str, old: Properties, new: Properties, spellings: Mapping[str, Spelling],
                replacements: Replacements) -> list[PropertyDiff]:
    """Nested differences of all properties; those of `spellings` are compared in their one spelling, as a whole. The
    order within a list that the provider holds as a set is no difference."""
    found, sets = [], replacements.sets(type)
    for name in sorted({*old, *new}):
        if name.startswith("__"):
            continue
        before, after = old.get(name), new.get(name)
        if name in spellings and before is not UNKNOWN and after is not UNKNOWN:
            before, after = spellings[name](before), spellings[name](after)
            pairs = iter([(name, _change(before, after))] if before != after else [])
        else:
            pairs = _walk(name, before, after, sets)
        for path, change in pairs:
            verdict = replacements.forces(type, path, change is not Change.UPDATE, old, new)
            found.append(PropertyDiff(path, change, verdict.replaces, verdict.assumed))
    return found


def document(value: Any) -> Any:
    """A JSON document as data, so that white space and the order of keys don't count. Text that is no JSON stays."""
    if not isinstance(value, str):
        return value
    try:
        return _canonical(json.loads(value))
    except ValueError:
        return value


def _canonical(value: Any) -> Any:
    """As IAM takes policies: one string and a list of one are the same, and lists of strings have no order."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if all(isinstance(item, str) for item in value):
        return value[0] if len(value) == 1 else sorted(value)
    return [_canonical(item) for item in value]


def same(before: Any, after: Any, path: str = "", sets: Collection[str] = ()) -> bool:
    """`path`: where the values are, for `sets`: the paths of lists without an order."""
    return not any(_walk(path, before, after, sets))


def _walk(path: str, before: Any, after: Any, sets: Collection[str]) -> Iterator[tuple[str, Change]]:
    if before is None and after is None:
        return
    if before is None or after is None or before is UNKNOWN or after is UNKNOWN:
        yield path, _change(before, after)
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if not key.startswith("__"):
                yield from _walk(path + _key(key), before.get(key), after.get(key), sets)
    elif isinstance(before, list) and isinstance(after, list):
        old, new = dict(enumerate(before)), dict(enumerate(after))
        if without_indices(path) in sets:
            _drop_common(path, old, new, sets)
        for index in sorted({*old, *new}):
            yield from _walk(f"{path}[{index}]", old.get(index), new.get(index), sets)
    elif isinstance(before, Asset | Archive) and isinstance(after, Asset | Archive):
        if (before.hash or before) != (after.hash or after):
            yield path, Change.UPDATE
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield path, Change.UPDATE


def _drop_common(path: str, old: dict[int, Any], new: dict[int, Any], sets: Collection[str]) -> None:
    """Takes the items that both sets have out of both, each as often as it is in the other."""
    for here, item in list(new.items()):
        there = next((index for index, other in old.items() if same(other, item, path, sets)), None)
        if there is not None:
            del old[there], new[here]


def _change(before: Any, after: Any) -> Change:
    if before is None:
        return Change.ADD
    return Change.DELETE if after is None else Change.UPDATE


def _key(key: str) -> str:
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f'["{key}"]'
