"""What Lambda does with a stream's records: batches, retries, splits, partial answers, records given up. These are the
decisions alone: no process, no clock, no network.

    lane = Lane(Rules(batch_size=100, retries=3, bisect=True))
    lane.add(record, now)
    match lane.next(now):
        case Invoke(batch):  lane.settle(judge(lane.rules, batch, answer), now)
        case Discard():      the failure destination gets a description
        case Wait(until):    nothing to do before then

Sources: AWS Lambda's developer guide on DynamoDB ("Polling and batching streams", "Retain discarded records",
"Configuring partial batch response"); API reference, CreateEventSourceMapping. Where they are silent, a comment says
what was chosen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import takewhile
from typing import Any

PAYLOAD_BYTES = 6 * 1024 * 1024  # Lambda quotas: a synchronous invocation's payload
RETENTION_SECONDS = 24 * 3600.0  # DynamoDB Streams keeps a record for so long, so no retry can be later
# Lambda says that it backs off exponentially and not by how much; these keep a rehearsal short and the machine quiet.
PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class Condition(StrEnum):
    """Why records were given up, as the failure destination reads it."""

    RETRIES = "RetryAttemptsExhausted"
    AGE = "RecordAgeExceeded"


@dataclass(frozen=True)
class Rules:
    """A mapping's settings. `retries` and `age_seconds`: -1 is without a limit, up to the stream's retention."""

    batch_size: int = 100
    window_seconds: float = 0
    retries: int = -1
    age_seconds: float = -1
    bisect: bool = False
    reports: bool = False  # FunctionResponseTypes has ReportBatchItemFailures

    @property
    def oldest_seconds(self) -> float:
        return RETENTION_SECONDS if self.age_seconds < 0 else min(self.age_seconds, RETENTION_SECONDS)


@dataclass(frozen=True)
class Record:
    """`created`: seconds since the epoch. `size`: bytes of the payload that it takes."""

    sequence: str
    created: float
    size: int
    body: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Batch:
    """Records that are given to the function together. `failures` count against the retries, `invocations` are all that
    these records were part of, `error` says how the last one ended (None: not invoked yet, or it reported failures)."""

    records: tuple[Record, ...]
    failures: int = 0
    invocations: int = 0
    pauses: int = 0
    not_before: float = 0.0
    error: str | None = None


@dataclass(frozen=True)
class Invoke:
    batch: Batch


@dataclass(frozen=True)
class Discard:
    """The batch's records are given up and no longer the lane's."""

    batch: Batch
    condition: Condition


@dataclass(frozen=True)
class Wait:
    """Until this time (seconds since the epoch), or for the next record (None)."""

    until: float | None


@dataclass(frozen=True)
class Answer:
    """What an invocation gave: the function's answer, or its error's kind (`Unhandled`), or that it was not invoked
    because there was no capacity."""

    payload: Any = None
    error: str | None = None
    throttled: bool = False


@dataclass(frozen=True)
class Verdict:
    """`done`: how many of the batch's first records are acknowledged; the rest failed, or was not tried."""

    done: int
    error: str | None = None
    tried: bool = True


def judge(rules: Rules, batch: Batch, answer: Answer) -> Verdict:
    """How much of a batch an answer acknowledges."""
    if answer.throttled:
        return Verdict(0, tried=False)
    if answer.error is not None:
        return Verdict(0, answer.error)
    if not rules.reports:
        return Verdict(len(batch.records))
    return Verdict(_acknowledged(batch, answer.payload))


def _acknowledged(batch: Batch, payload: Any) -> int:
    """An empty answer or list is complete success; what cannot be understood is complete failure."""
    if payload is None or payload == "":
        return len(batch.records)
    if not isinstance(payload, Mapping):
        return 0
    failures = payload.get("batchItemFailures")
    if failures is None:
        return len(batch.records)
    if not isinstance(failures, list):
        return 0
    places = {record.sequence: place for place, record in enumerate(batch.records)}
    named = [each.get("itemIdentifier") if isinstance(each, Mapping) else None for each in failures]
    known = [places[each] for each in named if isinstance(each, str) and each in places]
    # The lowest sequence number is the checkpoint; one identifier that is none makes the whole list worthless.
    return 0 if len(known) < len(named) else min(known, default=len(batch.records))


class Lane:
    """Records that are handled in turn: a shard, or the part of one that a parallelization factor gives a reader."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._gathered: deque[Record] = deque()
        self._opened = 0.0
        self._batches: deque[Batch] = deque()  # the head is being handled; behind it are halves of the same batch

    @property
    def waiting(self) -> int:
        """Records that are not settled yet."""
        return len(self._gathered) + sum(len(batch.records) for batch in self._batches)

    def add(self, record: Record, now: float) -> None:
        if not self._gathered:
            self._opened = now
        self._gathered.append(record)

    def due(self) -> float | None:
        """When there is something to do (seconds since the epoch, maybe past); None before the next record comes."""
        if self._batches:
            return self._batches[0].not_before
        if not self._gathered:
            return None
        return self._opened if self._full() else self._opened + self.rules.window_seconds

    def next(self, now: float) -> Invoke | Discard | Wait:
        """What to do now. `Discard` has happened when it is returned; `Invoke` is repeated until it is settled."""
        due = self.due()
        if due is None or now < due:
            return Wait(due)
        if not self._batches:
            self._batches.append(self._cut(now))
        batch = self._batches[0]
        aged = tuple(takewhile(lambda record: now - record.created > self.rules.oldest_seconds, batch.records))
        if aged:
            self._replace(replace(batch, records=batch.records[len(aged):]))
            return Discard(replace(batch, records=aged), Condition.AGE)
        if 0 <= self.rules.retries < batch.failures:
            self._batches.popleft()
            return Discard(batch, Condition.RETRIES)
        return Invoke(batch)

    def settle(self, verdict: Verdict, now: float) -> None:
        """What became of the batch that `next` gave."""
        batch = self._batches[0]
        if not verdict.tried:
            self._replace(_later(batch, now))
            return
        left = replace(batch, records=batch.records[verdict.done:], invocations=batch.invocations + 1,
                       error=verdict.error)
        if not left.records:
            self._batches.popleft()
        elif self.rules.bisect and verdict.done:
            # Split where the function said; a split is no retry, and the first half is done.
            self._replace(replace(left, not_before=now))
        elif self.rules.bisect and len(left.records) > 1:
            # Also when the function names the first record: the guide does not say how that is split, and only halving
            # parts it from those behind it.
            half = len(left.records) // 2
            self._batches.popleft()
            for records in (left.records[half:], left.records[:half]):
                self._batches.appendleft(replace(left, records=records, not_before=now))
        else:
            self._replace(_later(replace(left, failures=batch.failures + 1), now))

    def _full(self) -> bool:
        gathered = self._gathered
        return len(gathered) >= self.rules.batch_size or sum(record.size for record in gathered) >= PAYLOAD_BYTES

    def _cut(self, now: float) -> Batch:
        records = [self._gathered.popleft()]
        size = records[0].size
        while (self._gathered and len(records) < self.rules.batch_size
               and size + self._gathered[0].size <= PAYLOAD_BYTES):
            size += self._gathered[0].size
            records.append(self._gathered.popleft())
        self._opened = now
        return Batch(tuple(records))

    def _replace(self, batch: Batch) -> None:
        self._batches.popleft()
        if batch.records:
            self._batches.appendleft(batch)


def _later(batch: Batch, now: float) -> Batch:
    pause = min(PAUSE_SECONDS * 2 ** min(batch.pauses, 10), LONGEST_PAUSE_SECONDS)
    return replace(batch, pauses=batch.pauses + 1, not_before=now + pause)
