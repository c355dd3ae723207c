"""A visitor's own data, to be given to them (GDPR, articles 15 and 20): all of it, page by page."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any

from common.table import Item, Table
from common.values import Invalid

PAGE = 500  # events of an answer: below 300 KB of the 6 MB that an answer may have
# Not the visitor's business: the key under which it is kept, and the bookkeeping of erasure and retention.
_HIDDEN = frozenset({"visitorHash", "sessionHash", "formerly", "expiresAt"})
_CURSOR = re.compile(r"[A-Za-z0-9_=-]{1,400}")
_WRONG = "`cursor` must be the `next` of an earlier answer for this visitor"


def page(memories: Sequence[Item], events: Table, experiments: Table, hashes: Sequence[str],
         cursor: str | None) -> dict[str, Any]:
    """The first page has memory and experiments; all have events. `next` is the cursor of the page that follows.

    Raises Invalid.
    """
    position, start = _read(cursor, len(hashes)) if cursor else (0, None)
    answer: dict[str, Any] = {"events": []}
    if cursor is None:
        answer["memory"] = [_shown(item) for item in memories]
        answer["experiments"] = [_shown(item) for hash in hashes for item in experiments.query(
            "visitorHash = :hash", {":hash": hash}, consistent=True)]
    found = answer["events"]
    for index in range(position, len(hashes)):
        first = {**start, "visitorHash": hashes[index]} if start else None
        start = None
        last: Item | None = None
        for item in events.query("visitorHash = :hash", {":hash": hashes[index]}, index="by-visitor",
                                 limit=PAGE - len(found), start=first):
            found.append(_shown(item))
            last = item
        if len(found) == PAGE and last is not None:
            answer["next"] = _written(index, last)
            break
    return answer


def _shown(item: Item) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, set) else value for name, value in item.items()
            if name not in _HIDDEN}


def _written(index: int, last: Item) -> str:
    """The visitor's hash is not in it: a cursor leads nowhere but to the data of the visitor that asks."""
    return base64.urlsafe_b64encode(json.dumps([index, last["eventId"], last["occurredAt"]]).encode()).decode()


def _read(cursor: str, hashes: int) -> tuple[int, Item]:
    try:
        if not _CURSOR.fullmatch(cursor):
            raise ValueError
        index, event, occurred = json.loads(base64.urlsafe_b64decode(cursor))
        if not (type(index) is int and 0 <= index < hashes and isinstance(event, str) and isinstance(occurred, str)
                and event and occurred):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Invalid("invalid_cursor", _WRONG) from None
    return index, {"eventId": event, "occurredAt": occurred}
