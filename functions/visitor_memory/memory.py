"""The table of memories: one item a visitor, with a version that every write counts up.

Attributes: visitorHash, version, trustLevel, memory, updatedAt (s since 1970), expiresAt (TTL, s), formerly (hashes of
the visitor under former keys, so that an erasure finds what other tables keep under them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.table import ConditionFailed, Item, Table

from .documents import Document

# TTL deletes within days, not at once: what has expired is not there any more.
_ABSENT = "attribute_not_exists(visitorHash) OR expiresAt <= :now"


class Conflict(Exception):
    """Another device has written since. `found`: what is kept now; None: nothing is."""

    def __init__(self, found: Item | None) -> None:
        super().__init__("the version is not the one that is kept")
        self.found = found


@dataclass(frozen=True)
class Memories:
    table: Table
    retention: timedelta
    now: datetime

    def find(self, hashes: Sequence[str]) -> Item | None:
        """`hashes`: the visitor's, current key first. What is found under a former key is moved to the current one."""
        current, *former = hashes
        if found := self._live(current):
            return found
        for hash in former:
            if found := self._live(hash):
                return self._move(found, hash, current)
        return None

    def put(self, hashes: Sequence[str], document: Document) -> Item:
        """Keeps the document if nobody has written since the version it names. Raises Conflict."""
        found = self.find(hashes)
        item: Item = {"visitorHash": hashes[0], "version": document.version + 1, "trustLevel": document.trust,
                      "memory": document.memory, "updatedAt": self._seconds(),
                      "expiresAt": int((self.now + self.retention).timestamp())}
        if found and "formerly" in found:
            item["formerly"] = found["formerly"]
        try:
            if document.version == 0:
                self.table.put(item, _ABSENT, {":now": self._seconds()})
            else:
                self.table.put(item, "version = :seen AND expiresAt > :now",
                               {":seen": document.version, ":now": self._seconds()})
        except ConditionFailed:
            kept = self._live(hashes[0])
            if kept and _same(kept, item):  # the answer to this very write was lost, and it was sent again
                return kept
            raise Conflict(kept) from None
        return item

    def all(self, hashes: Sequence[str]) -> list[Item]:
        """What is there under any key, expired or not."""
        return [found for hash in hashes if (found := self.table.get({"visitorHash": hash}))]

    def _live(self, hash: str) -> Item | None:
        found = self.table.get({"visitorHash": hash})
        return found if found and found["expiresAt"] > self._seconds() else None

    def _move(self, found: Item, hash: str, current: str) -> Item | None:
        moved = {**found, "visitorHash": current, "formerly": {hash, *found.get("formerly", ())}}
        try:
            self.table.transact([
                self.table.put_action(moved, _ABSENT, {":now": self._seconds()}),
                self.table.delete_action({"visitorHash": hash}, "version = :seen", {":seen": found["version"]})])
        except ConditionFailed:  # another request has moved it, or has written in between
            return self._live(current) or self._live(hash)
        return moved

    def _seconds(self) -> int:
        return int(self.now.timestamp())


def _same(kept: Item, item: Item) -> bool:
    return all(kept.get(name) == item[name] for name in ("version", "trustLevel", "memory"))
