"""DynamoDB streams reach functions as in Lambda, in place of MiniStack's poller of them: that one retries for ever and
knows neither halving nor partial answers. What is decided is in `stream_batches`; here it is carried out.

MiniStack's own loop calls `poll` whenever something was written or fell due. Records are read there; functions are
invoked on threads of their own, so that a slow one holds up nobody else. A stream is one shard, as MiniStack has it; a
parallelization factor deals its records to so many lanes, by item.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import zlib
from collections.abc import Mapping
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.core.responses import request_scope
from ministack.services import dynamodb, lambda_svc

from rehearsal.aws.emulators.stream_batches import (
    Answer,
    Batch,
    Discard,
    Invoke,
    Lane,
    Record,
    Rules,
    Verdict,
    judge,
)
from rehearsal.aws.emulators.stream_failures import Undeliverable, deliver

_READ = 1000  # records that GetRecords gives at most
_OK = "OK"
_FAILED = "PROBLEM: Function call failed"  # LastProcessingResult's wording
_BROKEN = "PROBLEM: internal Lambda error"
_log = logging.getLogger(__name__)


def install() -> None:
    readers: dict[str, Reader] = {}
    lambda_svc._poll_dynamodb_streams = lambda: poll(readers)


def poll(readers: dict[str, Reader]) -> bool:
    """One pass over all mappings of streams; True when records were read. `readers`: by mapping's UUID."""
    read, seen = False, set()
    for account, region, mapping in lambda_svc._iter_all_esms():
        if ":dynamodb:" not in mapping.get("EventSourceArn", ""):
            continue
        seen.add(mapping["UUID"])
        with request_scope(account, region):
            reader = readers.setdefault(mapping["UUID"], Reader(mapping))
            read |= reader.advance()
    for gone in set(readers) - seen:
        del readers[gone]
    return read


def rules(mapping: Mapping[str, Any]) -> Rules:
    """The mapping's settings, with Lambda's defaults for a stream."""
    def given(name: str, default: Any) -> Any:
        return default if mapping.get(name) is None else mapping[name]

    return Rules(
        batch_size=given("BatchSize", 100), window_seconds=given("MaximumBatchingWindowInSeconds", 0),
        retries=given("MaximumRetryAttempts", -1), age_seconds=given("MaximumRecordAgeInSeconds", -1),
        bisect=bool(mapping.get("BisectBatchOnFunctionError")),
        reports="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ()))


class Reader:
    """What one mapping has read of its stream and not settled. Kept while it is disabled, gone with the mapping."""

    def __init__(self, mapping: dict[str, Any]) -> None:
        self.mapping = mapping
        self._lanes: list[Lane] = []
        self._busy: set[Lane] = set()
        self._lock = threading.Lock()  # for the lanes: `poll` fills them while their threads empty them
        self._wakes = 0.0

    def advance(self) -> bool:
        """Reads what there is room for and sets idle lanes to work. True when something was read."""
        if not self._function():
            return False
        read, now = self._read(), time.time()
        with self._lock:
            due = {lane: when for lane in self._lanes if lane not in self._busy and (when := lane.due()) is not None}
            ready = [lane for lane, when in due.items() if when <= now]
            self._busy.update(ready)
        for lane in ready:
            try:
                lambda_svc._dispatch_esm_batch(self.mapping["UUID"], self._work, lane)
            except RuntimeError:  # no more threads just now
                with self._lock:
                    self._busy.discard(lane)
                raise
        self._wake_at(min((when for when in due.values() if when > now), default=0.0), now)
        return read

    def _function(self) -> dict[str, Any] | None:
        """What is invoked; None while the mapping is disabled or deleted, or its function is gone."""
        if not self.mapping.get("Enabled", True) or self.mapping.get("State") == "Deleting":
            return None
        found: dict[str, Any] | None = lambda_svc._get_func_record_for_qualifier(
            self.mapping["FunctionName"], self.mapping.get("Qualifier"))[0]
        return found

    def _read(self) -> bool:
        settings, now = rules(self.mapping), time.time()
        with self._lock:
            waiting = sum(lane.waiting for lane in self._lanes)
            factor = self.mapping.get("ParallelizationFactor") or 1
            if len(self._lanes) != factor:
                if waiting:
                    return False  # what was dealt for another factor comes first, or an item's records part ways
                self._lanes = [Lane(settings) for _ in range(factor)]
        room = settings.batch_size * factor - waiting
        records = self._records(min(room, _READ)) if room > 0 else []
        wanted = lambda_svc._apply_filter_criteria(records, self.mapping)
        with self._lock:
            for body in wanted:
                record = _record(body)
                self._lanes[zlib.crc32(json.dumps(body["dynamodb"]["Keys"], sort_keys=True).encode()) % factor].add(
                    record, now)
        return bool(records)

    def _records(self, limit: int) -> list[dict[str, Any]]:
        """The next ones of the table's stream; none when the mapping's stream is not the table's any more."""
        table = self.mapping["EventSourceArn"].split(":table/", 1)[1].split("/", 1)[0]
        if (dynamodb._tables.get(table) or {}).get("LatestStreamArn") != self.mapping["EventSourceArn"]:
            return []
        first, end = dynamodb.stream_start_position(table), dynamodb.stream_end_position(table)
        with lambda_svc._dynamodb_stream_positions_lock:
            positions = lambda_svc._dynamodb_stream_positions
            start = first if self.mapping.get("StartingPosition") == "TRIM_HORIZON" else end
            # Records that the stream forgot before they were read are lost, as in AWS.
            position = max(positions.get(self.mapping["UUID"], start), first)
            records: list[dict[str, Any]] = dynamodb.stream_records_since(table, position, limit)
            positions[self.mapping["UUID"]] = position + len(records)
        return records

    def _work(self, lane: Lane) -> None:
        """Until the lane waits for time or records; what comes meanwhile is taken along."""
        try:
            while function := self._function():
                now = time.time()
                with self._lock:
                    lane.rules = rules(self.mapping)
                    step = lane.next(now)
                if isinstance(step, Invoke):
                    self._invoke(lane, step.batch, function)
                elif isinstance(step, Discard):
                    self._give_up(step, now)
                else:
                    return  # and MiniStack's loop looks again when this thread is done
        finally:
            with self._lock:
                self._busy.discard(lane)

    def _invoke(self, lane: Lane, batch: Batch, function: dict[str, Any]) -> None:
        try:
            result = lambda_svc._execute_function(function, {"Records": [record.body for record in batch.records]})
        except Exception:  # the emulator's own: said, and tried again after a pause, as what was never invoked
            _log.exception("%s: its function could not be invoked", self.mapping["UUID"])
            verdict, said = Verdict(0, tried=False), _BROKEN
        else:
            failed = result.get("function_error") or "Unhandled" if result.get("error") else None
            verdict = judge(lane.rules, batch, Answer(result.get("body"), failed, bool(result.get("throttle"))))
            said = _OK if verdict.done == len(batch.records) else _FAILED
        self.mapping["LastProcessingResult"] = said
        with self._lock:
            lane.settle(verdict, time.time())

    def _give_up(self, discard: Discard, now: float) -> None:
        try:
            deliver(self.mapping, discard, now)
        except Undeliverable as error:
            # Lambda counts it (DestinationDeliveryFailures) and reads on; the records are lost there too.
            _log.error("%s gave up %d records, untold: %s", self.mapping["UUID"], len(discard.batch.records), error)

    def _wake_at(self, until: float, now: float) -> None:
        """MiniStack's loop looks once a second on its own; this is for what falls due before."""
        if until > now and until != self._wakes:
            self._wakes = until
            timer = threading.Timer(until - now, esm_wake.set)
            timer.daemon = True
            timer.start()


def _record(body: Mapping[str, Any]) -> Record:
    change = body["dynamodb"]
    return Record(change["SequenceNumber"], float(change["ApproximateCreationDateTime"]), len(json.dumps(body)), body)
