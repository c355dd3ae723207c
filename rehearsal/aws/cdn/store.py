"""Kept answers. The clock is given; the oldest go when the bytes are too many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from multidict import CIMultiDict

from rehearsal.aws.cdn.patterns import invalidates

LIMIT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """stored, until: seconds of the store's clock. paths: as the viewer asked, and as a function made of it."""

    status: int
    headers: CIMultiDict[str]
    body: bytes
    stored: float
    until: float
    distribution: str
    paths: tuple[str, ...]
    query: str

    def fresh(self, now: float) -> bool:
        return now < self.until

    def age(self, now: float) -> int:
        """With what it had when it came (RFC 9111, 4.2.3)."""
        before = self.headers.get("Age", "")
        return int(now - self.stored) + (int(before) if before.isdigit() else 0)


class Store:
    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._bytes = 0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Entry | None:
        """Also one whose time is over: it can be asked for again with its ETag."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: Hashable, entry: Entry) -> None:
        self.drop(key)
        if len(entry.body) > self._limit:
            return
        self._entries[key] = entry
        self._bytes += len(entry.body)
        while self._bytes > self._limit:
            self.drop(next(iter(self._entries)))

    def renew(self, key: Hashable, entry: Entry, now: float, seconds: float) -> Entry:
        """The origin said that it has not changed."""
        renewed = replace(entry, stored=now, until=now + seconds)
        self.put(key, renewed)
        return renewed

    def drop(self, key: Hashable) -> None:
        gone = self._entries.pop(key, None)
        self._bytes -= len(gone.body) if gone is not None else 0

    def invalidate(self, distribution: str, patterns: Iterable[str]) -> int:
        """How many went."""
        wanted = list(patterns)
        gone = [key for key, entry in self._entries.items() if entry.distribution == distribution and any(
            invalidates(pattern, path, entry.query) for pattern in wanted for path in entry.paths)]
        for key in gone:
            self.drop(key)
        return len(gone)

    def keep_only(self, distributions: Iterable[str]) -> None:
        """What a deleted distribution left goes with it."""
        known = set(distributions)
        for key in [key for key, entry in self._entries.items() if entry.distribution not in known]:
            self.drop(key)
