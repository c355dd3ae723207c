"""Samples to subscribers. One message a connection and batch; who cannot take it in time gets the next one instead."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any

from common.retries import THROTTLED, Retries, Unavailable, code

from .connections import Connections
from .samples import Batch

THREADS = 32
ATTEMPTS = 2

Post = Callable[..., Any]  # boto3's post_to_connection


class Fate(Enum):
    DELIVERED = "delivered"
    GONE = "gone"
    DROPPED = "dropped"  # it did not take the message, or there was no time left
    FAILED = "failed"  # the service did not take it


@dataclass(frozen=True)
class Outcome:
    delivered: int = 0
    gone: int = 0
    dropped: int = 0
    failed: int = 0


def publish(batch: Batch, connections: Connections, post: Post, retries: Retries, environment: str) -> Outcome:
    """Raises Unavailable when nobody could be reached: the batch can come again, as nobody has seen it."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for metric in batch.samples:
        for connection in connections.subscribers(metric):
            wanted[connection].append(metric)
    if not wanted:
        return Outcome()
    messages = {metrics: _message(batch, metrics, environment)
                for metrics in {tuple(metrics) for metrics in wanted.values()}}
    once = Retries(until=retries.until, attempts=ATTEMPTS, clock=retries.clock, sleep=retries.sleep)

    def deliver(connection: str) -> Fate:
        if retries.exhausted():
            return Fate.DROPPED
        return _deliver(post, connection, messages[tuple(wanted[connection])], once)

    with ThreadPoolExecutor(min(THREADS, len(wanted))) as pool:
        fates = dict(zip(wanted, pool.map(deliver, wanted), strict=True))
    connections.remove(connection for connection, fate in fates.items() if fate is Fate.GONE)
    if all(fate is Fate.FAILED for fate in fates.values()):
        raise Unavailable(f"none of {len(fates)} connections could be reached")
    return Outcome(**{fate.value: list(fates.values()).count(fate) for fate in Fate})


def _deliver(post: Post, connection: str, message: bytes, retries: Retries) -> Fate:
    try:
        retries.call(post, ConnectionId=connection, Data=message)
    except Unavailable as error:
        cause = error.__cause__
        return Fate.DROPPED if cause is not None and code(cause) in THROTTLED else Fate.FAILED
    except Exception as error:
        # Forbidden: a connection that is being opened or closed; BadRequest: an id that is none.
        if code(error) in ("GoneException", "410", "BadRequestException"):
            return Fate.GONE
        return Fate.FAILED
    return Fate.DELIVERED


def _message(batch: Batch, metrics: tuple[str, ...], environment: str) -> bytes:
    shown: Mapping[str, Any] = {metric: batch.samples[metric].shown() for metric in metrics}
    return json.dumps({"type": "metrics", "id": batch.id, "environment": environment, "metrics": shown}).encode()
