"""Property paths: `tags.Name`, `ingress[0].cidrBlocks`, `tags["a.b"]`, `[\"root\"]`, `list[*].name`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from rehearsal.engine.values import Properties, Secret


class _Any:
    """The wildcard `*`: every key or index at this level."""

    def __repr__(self) -> str:
        return "*"


ANY: Final = _Any()
_ABSENT: Final = object()
Key: TypeAlias = str | int | _Any
Path: TypeAlias = tuple[Key, ...]

_TOKEN = re.compile(r"""
      \[ \s* (?P<index>\d+) \s* \]
    | \[ \s* (?P<any>\*) \s* \]
    | \[ \s* "(?P<quoted>(?:[^"\\]|\\.)*)" \s* \]
    | \.? (?P<name>[^.\[\]"]+)
""", re.VERBOSE)
_PLAIN = re.compile(r"[A-Za-z_$][\w$-]*\Z")


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """Raises ValueError for a path that isn't one."""
    keys: list[Key] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"`{text}` is not a property path: cannot read `{text[position:]}`")
        if match["index"] is not None:
            keys.append(int(match["index"]))
        elif match["any"] is not None or match["name"] == "*":
            keys.append(ANY)
        elif match["quoted"] is not None:
            keys.append(re.sub(r"\\(.)", r"\1", match["quoted"]))
        else:
            keys.append(match["name"])
        position = match.end()
    return tuple(keys)


def render(keys: Sequence[Key]) -> str:
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        elif isinstance(key, _Any):
            text += "[*]"
        elif _PLAIN.match(key):
            text += f".{key}" if text else key
        else:
            text += '["' + key.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    return text


def covers(pattern: str, path: str) -> bool:
    """Whether a change at `path` is a change of what `pattern` names: at it, below it, or above it."""
    wanted, actual = parse(pattern), parse(path)
    return all(_same(w, a) for w, a in zip(wanted, actual, strict=False))


def _same(wanted: Key, actual: Key) -> bool:
    return wanted is ANY or actual is ANY or wanted == actual


def get(value: Any, path: Path) -> Any:
    """The value at a path without wildcards; KeyError when there is none."""
    for key in path:
        value = value.value if isinstance(value, Secret) else value
        found: Any = _ABSENT
        if isinstance(key, int) and isinstance(value, list):
            found = value[key] if key < len(value) else _ABSENT
        elif isinstance(key, str) and isinstance(value, dict):
            found = value.get(key, _ABSENT)
        if found is _ABSENT:
            raise KeyError(render(path))
        value = found
    return value


def _expand(path: Path, *values: Any) -> Iterator[Path]:
    """The wildcard-free paths that a path stands for in any of the values."""
    if not any(key is ANY for key in path):
        yield path
        return
    at = next(i for i, key in enumerate(path) if key is ANY)
    found: dict[Key, None] = {}
    for value in values:
        try:
            here = get(value, path[:at])
        except KeyError:
            continue
        here = here.value if isinstance(here, Secret) else here
        if isinstance(here, dict):
            found.update(dict.fromkeys(here))
        elif isinstance(here, list):
            found.update(dict.fromkeys(range(len(here))))
    for key in found:
        yield from _expand((*path[:at], key, *path[at + 1:]), *values)


def ignore_changes(old: Properties, new: Properties, ignored: Sequence[str]) -> Properties:
    """`new` with the value of `old` at every ignored path; a path that `old` lacks is removed from `new`.

    A path whose container exists in neither or only on one side is left as it is there, as Pulumi's engine does for
    removed containers; a list index beyond the old list is left alone.
    """
    result: Properties = new
    for text in ignored:
        for path in list(_expand(parse(text), old, result)):
            result = _reset(result, path, old)
    return result


def _reset(value: Any, path: Path, old: Any) -> Any:
    try:
        before = get(old, path)
        present = True
    except KeyError:
        before, present = None, False
    return _put(value, path, before) if present else _drop(value, path)


def _put(value: Any, path: Path, item: Any) -> Any:
    if not path:
        return item
    if isinstance(value, Secret):
        return Secret(_put(value.value, path, item))
    key, rest = path[0], path[1:]
    if isinstance(key, int) and isinstance(value, list) and key < len(value):
        return [*value[:key], _put(value[key], rest, item), *value[key + 1:]]
    if isinstance(key, str) and isinstance(value, dict) and (key in value or not rest):
        return {**value, key: _put(value.get(key), rest, item)}
    if isinstance(key, str) and isinstance(value, dict):
        return {**value, key: _build(rest, item)}
    return value


def _build(path: Path, item: Any) -> Any:
    """Containers for a path of names only; a list can't be invented."""
    for key in reversed(path):
        if not isinstance(key, str):
            return None
        item = {key: item}
    return item


def _drop(value: Any, path: Path) -> Any:
    if isinstance(value, Secret):
        return Secret(_drop(value.value, path))
    key, rest = path[0], path[1:]
    if isinstance(key, str) and isinstance(value, dict) and key in value:
        if not rest:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _drop(value[key], rest)}
    if isinstance(key, int) and isinstance(value, list) and key < len(value) and rest:
        return [*value[:key], _drop(value[key], rest), *value[key + 1:]]
    return value
