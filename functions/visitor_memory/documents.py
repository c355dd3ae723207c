"""What can be remembered. Nothing that a person could be told by: numbers, switches and single words, no text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from common.values import Invalid, number

MAXIMUM_ENTRIES = 64
MAXIMUM_LIST = 32
HIGHEST_VERSION = 2**53 - 1  # what a browser counts to exactly
_KEY = re.compile(r"[a-z][A-Za-z0-9_]{0,39}")
_WORD = re.compile(r"[a-z][a-z_-]{0,39}")  # no digits: no telephone number, no date of birth, no address

Value = int | float | bool | str | list[str]


@dataclass(frozen=True)
class Document:
    """version: 0 is a document that was never kept. trust: points, 0 to 100."""

    version: int
    trust: float
    memory: dict[str, Value] = field(default_factory=dict)


def parse(raw: Any) -> Document:
    """`version` is the one that the writer has seen. Raises Invalid."""
    if not isinstance(raw, dict):
        raise Invalid("not_an_object", "the body must be an object with `version`, `trustLevel` and `memory`")
    if raw.keys() - {"version", "trustLevel", "memory", "updatedAt"}:
        raise Invalid("unknown_field", "the body may have `version`, `trustLevel` and `memory` alone")
    memory = raw.get("memory", {})
    if not isinstance(memory, dict) or len(memory) > MAXIMUM_ENTRIES:
        raise Invalid("invalid_memory", f"`memory` must be an object with at most {MAXIMUM_ENTRIES} entries")
    return Document(int(number("version", raw.get("version"), 0, HIGHEST_VERSION, whole=True)),
                    number("trustLevel", raw.get("trustLevel"), 0, 100),
                    {_key(key): _value(value) for key, value in memory.items()})


def _key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Invalid("invalid_memory", f"each key of `memory` must match {_KEY.pattern}")
    return key


def _value(value: Any) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number("memory", value, -1e9, 1e9, whole=isinstance(value, int))
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, list) and len(value) <= MAXIMUM_LIST:
        return [_word(each) for each in value]
    raise Invalid("invalid_memory", f"each value of `memory` must be a number, true, false, a word that matches "
                                    f"{_WORD.pattern}, or a list of at most {MAXIMUM_LIST} such words")


def _word(value: Any) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise Invalid("invalid_memory", f"each word of `memory` must match {_WORD.pattern}")
    return value
