"""Identifiers as keyed hashes: HMAC-SHA256 under a secret that can be changed without losing anybody.

The secret is `{"current": "…", "previous": "…"}`; `previous` may also be a list, newest first, and may be left out.
Writes use `current`; look-ups try all of them. A key must stay in `previous` as long as anything written under it is
kept: the longest retention of the tables.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from dataclasses import dataclass
from typing import Any

from common.clients import client
from common.retries import Retries, Unavailable

SHORTEST_KEY = 32  # characters; a shorter key than the hash has bytes weakens it (RFC 2104, section 3)
FRESH_SECONDS = 300.0  # how long a secret's value is used before it is read again


@dataclass(frozen=True)
class Keys:
    current: str
    previous: tuple[str, ...] = ()

    def hash(self, kind: str, identifier: str) -> str:
        return _hash(self.current, kind, identifier)

    def all_hashes(self, kind: str, identifier: str) -> tuple[str, ...]:
        """Under the current key first, then under each former one."""
        return tuple(dict.fromkeys(_hash(key, kind, identifier) for key in (self.current, *self.previous)))


def parse(document: str) -> Keys:
    """Raises ValueError with what is wrong, and never the value."""
    try:
        found: Any = json.loads(document)
    except ValueError as error:
        raise ValueError("the hash secret is not JSON") from error
    if not isinstance(found, dict):
        raise ValueError("the hash secret must be an object with `current` and `previous`")
    previous = found.get("previous") or []
    keys = [found.get("current"), *([previous] if isinstance(previous, str) else previous)]
    if not all(isinstance(key, str) and len(key) >= SHORTEST_KEY for key in keys):
        raise ValueError(f"each key of the hash secret must have at least {SHORTEST_KEY} characters")
    return Keys(keys[0], tuple(keys[1:]))


_kept: dict[str, tuple[float, Keys]] = {}


def keys(retries: Retries | None = None) -> Keys:
    """The keys, at most FRESH_SECONDS old; older ones are used while Secrets Manager cannot be asked.

    Raises Unavailable, and ValueError for a secret that is none.
    """
    arn = os.environ["HASH_SECRET_ARN"]
    at, found = _kept.get(arn, (float("-inf"), None))
    if found is not None and time.monotonic() - at < FRESH_SECONDS:
        return found
    try:
        answer = (retries or Retries()).call(client("secretsmanager").get_secret_value, SecretId=arn)
        found = parse(answer["SecretString"])
    except Unavailable:
        if found is None:
            raise
    _kept[arn] = (time.monotonic(), found)
    return found


def _hash(key: str, kind: str, identifier: str) -> str:
    """Hashes of different kinds differ though the identifiers are the same."""
    return hmac.new(key.encode(), f"{kind}\0{identifier}".encode(), hashlib.sha256).hexdigest()
