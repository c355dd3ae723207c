"""The document of the signing keys, and what follows it.

    {"current": key, "next": key, "previous": key or "", "retired": [{"key": key, "until": seconds since 1970}, …]}

`current` signs. All of them verify: `next` because who has read the new document already signs with it while others
still have this one; the retired ones until the last token that they signed has expired. So a rotation makes `next`
the `current`, and draws a new `next` that everyone will have read long before it signs. `previous` is the newest
retired key by itself, for readers that know two keys only.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any

from rotation.steps import Document, RotationError

KEY_LENGTH = 64
_ALPHABET = string.ascii_letters + string.digits


def draw() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_LENGTH))


def accepted(document: Mapping[str, Any], now: float) -> list[str]:
    """The keys that verify a token at that time (seconds since 1970), the most likely first."""
    retired = [each["key"] for each in document.get("retired") or () if each["until"] > now]
    keys = [document["current"], document.get("next"), *retired]
    if "retired" not in document:  # the document that the stack begins with
        keys.append(document.get("previous"))
    return [key for key in keys if key]


class KeyRotation:
    """`overlap_seconds`: how long a token is valid at most, and some more for clocks that differ."""

    def __init__(self, overlap_seconds: int, clock: Callable[[], float], new_key: Callable[[], str] = draw) -> None:
        self._overlap = overlap_seconds
        self._clock = clock
        self._new_key = new_key

    def create(self, current: Document) -> Document:
        if not current.get("next"):  # the first time nobody knows a next key yet: announced now, used the next time
            return {"retired": [], "previous": "", **current, "next": self._new_key()}
        now = self._clock()
        still = [each for each in current.get("retired") or () if each["until"] > now]
        # Others sign with it until they have read the new document, for which there is time until it is used next.
        retired = [{"key": current["current"], "until": int(now) + self._overlap}, *still]
        return {**current, "current": current["next"], "next": self._new_key(), "previous": current["current"],
                "retired": retired}

    def set(self, current: Document, pending: Document) -> None:
        """Nothing else holds the keys: the services read the secret."""

    def test(self, current: Document, pending: Document) -> None:
        now = self._clock()
        if any(len(key) < KEY_LENGTH for key in (pending["current"], pending["next"])):
            raise RotationError(f"a key is shorter than {KEY_LENGTH} characters")
        if pending["next"] in accepted(current, now):
            raise RotationError("the next key is no new one")
        if current["current"] not in accepted(pending, now):
            raise RotationError("tokens that were signed until now would be refused")
        if pending["current"] not in accepted(current, now):
            raise RotationError("tokens that are signed from now on would be refused by who has the old document")
