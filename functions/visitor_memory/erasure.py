"""Erasure of a visitor in every table (GDPR, article 17), finished even when the function dies in between.

What is to be erased is written down first, in a journal: items `#erasures` of the table of experiments, as that one
has a sort key. A pass deletes what is there and leaves the item for later passes, which find what was on its way: an
index that lags behind its table, and events of an offline browser, which may be a day old. The item goes with the last
pass. Passes are begun by the next erasure and by a schedule (`{"action": "resume-erasures"}`).

Only what is older than the request is erased: the visitor may come back and begin anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from common.retries import Retries
from common.table import ConditionFailed, Item, Table

JOURNAL = "#erasures"
INDEX_LAG = timedelta(minutes=2)  # indexes of a table follow within a second, normally
LATE = timedelta(days=1, minutes=10)  # the age at which the processor refuses an event, and a clock's error
AHEAD = timedelta(minutes=5)  # how far in the future an event may be
PATIENCE = timedelta(days=30)  # passes that always fail end here; alarms on the function's errors come long before
PAGE = 500  # events between two looks at the clock


@dataclass
class Erased:
    memory: int = 0
    events: int = 0
    experiments: int = 0
    complete: bool = True


@dataclass(frozen=True)
class Erasure:
    """`events` is deleted by its index `by-visitor` of visitorHash and occurredAt."""

    memory: Table
    events: Table
    experiments: Table
    retries: Retries
    now: datetime

    def request(self, hashes: Sequence[str]) -> Erased:
        """Writes the request down, then erases as much as the time allows."""
        seconds = int(self.now.timestamp())
        entry: Item = {"visitorHash": JOURNAL, "experiment": _sorted_by(seconds), "hashes": list(hashes),
                       "requestedAt": seconds, "expiresAt": seconds + int(PATIENCE.total_seconds())}
        self.experiments.put(entry)
        return self._pass(entry)

    def resume(self, most: int | None = None) -> int:
        """A pass for each request that is due, for at most `most`; returns for how many."""
        done = 0
        for entry in self.experiments.query(
                "visitorHash = :journal AND experiment < :next", consistent=True, limit=most,
                values={":journal": JOURNAL, ":next": _sorted_by(int(self.now.timestamp()) + 1, "")}):
            if self.retries.exhausted():
                break
            self._pass(entry)
            done += 1
        return done

    def _pass(self, entry: Item) -> Erased:
        erased = Erased()
        requested = datetime.fromtimestamp(entry["requestedAt"], UTC)
        for hash in entry["hashes"]:
            erased.memory += self._memory(hash, entry["requestedAt"])
            erased.experiments += self._experiments(hash, entry["requestedAt"])
            for page in self._events(hash, requested):
                erased.events += self.events.delete_all(page)
                if self.retries.exhausted():
                    erased.complete = False
                    return erased
        self._passed(entry, requested)
        return erased

    def _memory(self, hash: str, requested: int) -> int:
        try:
            return self.memory.delete({"visitorHash": hash}, "attribute_not_exists(visitorHash) OR updatedAt <= :at",
                                      {":at": requested})
        except ConditionFailed:
            return 0

    def _experiments(self, hash: str, requested: int) -> int:
        found = self.experiments.query("visitorHash = :hash", {":hash": hash}, consistent=True)
        return self.experiments.delete_all([{"visitorHash": hash, "experiment": item["experiment"]} for item in found
                                            if item["assignedAt"] <= requested])

    def _events(self, hash: str, requested: datetime) -> Iterator[list[Item]]:
        """Their keys, in pages."""
        page: list[Item] = []
        until = (requested + AHEAD).strftime("%Y-%m-%dT%H:%M:%S")
        for item in self.events.query("visitorHash = :hash AND occurredAt < :until", {":hash": hash, ":until": until},
                                      index="by-visitor", keys="eventId"):
            page.append({"eventId": item["eventId"]})
            if len(page) == PAGE:
                yield page
                page = []
        if page:
            yield page

    def _passed(self, entry: Item, requested: datetime) -> None:
        """The next pass, if there is one, is another item, sorted by when it is due: the same one after any pass."""
        gone = self.experiments.delete_action({"visitorHash": JOURNAL, "experiment": entry["experiment"]})
        due = next((at for at in (requested + INDEX_LAG, requested + LATE) if at > self.now), None)
        name = entry["experiment"].partition("#")[2]
        later = [] if due is None else [
            self.experiments.put_action({**entry, "experiment": _sorted_by(int(due.timestamp()), name)})]
        self.experiments.transact([gone, *later])


def _sorted_by(due: int, name: str | None = None) -> str:
    """The sort key of a pass that is due at a time, in seconds since 1970."""
    return f"{due:011d}#{uuid4().hex if name is None else name}"
