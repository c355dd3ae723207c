"""The AWS calls of a run made again bare, one after the other: what an `up` cannot be faster than in one thread."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.aws.clients import Clients, Recorded

_SHORTEST_ID = 6


def replay(calls: Sequence[Recorded], clients: Clients) -> tuple[float, int]:
    """Seconds of all calls together, and how many were refused (an id that only the first run could know).

    What the service names itself differs from run to run: each string of a response that does is put in its place in
    the parameters of later calls.
    """
    renamed: dict[str, str] = {}
    seconds, refused = 0.0, 0
    for call in calls:
        client = clients.shared(call.service, call.region, call.account)
        parameters = _renamed(call.parameters, renamed)
        started = time.perf_counter()
        try:
            response = getattr(client, call.method)(**parameters)
        except (ClientError, BotoCoreError):
            refused += 1
            response = None
        seconds += time.perf_counter() - started
        if response is not None:
            renamed.update(pair for pair in _pairs(call.response, response) if len(pair[0]) >= _SHORTEST_ID)
    return seconds, refused


def _renamed(value: Any, renamed: dict[str, str]) -> Any:
    if isinstance(value, str):
        if value in renamed:
            return renamed[value]
        for old, new in renamed.items():
            if old in value:
                value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        return {key: _renamed(item, renamed) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(item, renamed) for item in value]
    return value


def _pairs(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    if isinstance(before, str) and isinstance(after, str):
        if before != after:
            yield before, after
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() & after.keys() - {"ResponseMetadata"}:
            yield from _pairs(before[key], after[key])
    elif isinstance(before, list) and isinstance(after, list):
        for one, other in zip(before, after, strict=False):
            yield from _pairs(one, other)
