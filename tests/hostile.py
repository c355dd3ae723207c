"""Requests that nobody should send: values, and what becomes of a good request when something in it is replaced. The
functions' own fuzz test uses it, and the one over the served API (`tests/load`)."""

from __future__ import annotations

import copy
import random
from typing import Any

NASTY: list[Any] = [
    None, True, False, 0, -1, 2**63, 1e308, -1e308, 0.1, "", " ", "0", "null", "NaN", "a" * 70, "é" * 40, "\ud800",
    "\0", "\r\nx: y", "'; DROP TABLE events; --", "<script>", "${jndi:ldap://x}", "{{7*7}}", "../../etc/passwd",
    "%00", "#count#", "#plan", "#erasures", "__proto__", "9" * 50, [], {}, [[]], {"": ""}, [None] * 200, {"S": "x"},
    [{}] * 101, "2026-11-21T12:00:00Z", "9999-12-31T23:59:59+00:00", "💡" * 10]
NASTY.append({"a": {"b": {"c": [NASTY[10]]}}})
# What a text of JSON is cut open with.
_WEDGES = ["", "\0", '"', "{", "[" * 5000, "1e999", "-", "\ud800"]


def spoil(found: Any, dice: random.Random) -> Any:
    """One value somewhere in it is replaced, removed or doubled."""
    if isinstance(found, dict) and found and dice.random() < 0.8:
        key = dice.choice(list(found))
        match dice.randrange(5):
            case 0:
                return {name: value for name, value in found.items() if name != key}
            case 1:
                return {**found, str(dice.choice(NASTY)): found[key]}
        return {**found, key: spoil(found[key], dice)}
    if isinstance(found, list) and found and dice.random() < 0.8:
        index = dice.randrange(len(found))
        return [*found[:index], spoil(found[index], dice), *found[index + dice.randrange(2):]]
    return copy.deepcopy(dice.choice(NASTY))


def broken(text: str, dice: random.Random) -> str:
    """A text that something was put into, in place of 0 to 2 characters."""
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(_WEDGES) + text[at + dice.randrange(3):]
