"""The function's entry: `handle`.

In:  `{"events": [...]}`, or that as the JSON `body` of an API Gateway request.
Out: `{"accepted": n, "duplicates": n, "errors": [{"index": i, "code": …, "message": …}]}`; for API Gateway as the body
     of an answer with status 200, 207 (some events were refused) or 400 (all were, or the batch cannot be read).

Environment: TABLE_NAME, ENVIRONMENT, RETENTION_DAYS.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from .events import MAXIMUM_EVENTS, Event, InvalidEvent, parse
from .metrics import line
from .store import DynamoStore, Store


@dataclass(frozen=True)
class Refusal:
    index: int
    code: str
    message: str


@dataclass
class Outcome:
    accepted: int = 0
    duplicates: int = 0
    errors: list[Refusal] = field(default_factory=list)


class InvalidBatch(ValueError):
    """The batch as a whole cannot be read."""


def handle(event: Any, context: Any) -> dict[str, Any]:
    if isinstance(event, dict) and "body" in event:
        return _answer(event)
    return asdict(process(_batch(event), _store(), os.environ["ENVIRONMENT"], datetime.now(UTC)))


def process(batch: list[Any], store: Store, environment: str, now: datetime,
            emit: Callable[[str], None] = print) -> Outcome:
    """Keeps what is valid; says by index what is not. Metrics count an event once, however often it is sent."""
    outcome = Outcome()
    new: list[Event] = []
    for index, raw in enumerate(batch):
        try:
            event = parse(raw, now)
        except InvalidEvent as error:
            outcome.errors.append(Refusal(index, error.code, str(error)))
            continue
        if store.put(event):
            new.append(event)
        else:
            outcome.duplicates += 1
    outcome.accepted = len(new)
    emit(line(new, environment, now, rejected=len(outcome.errors)))
    return outcome


def _batch(document: Any) -> list[Any]:
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list) or not events:
        raise InvalidBatch("the batch must be an object with a non-empty list `events`")
    if len(events) > MAXIMUM_EVENTS:
        raise InvalidBatch(f"the batch has {len(events)} events; at most {MAXIMUM_EVENTS} are allowed")
    return events


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        batch = _batch(json.loads(request["body"] or "null"))
    except (json.JSONDecodeError, InvalidBatch) as error:
        message = str(error) if isinstance(error, InvalidBatch) else "the body is not JSON"
        return _response(400, {"message": message})
    outcome = process(batch, _store(), os.environ["ENVIRONMENT"], datetime.now(UTC))
    if not outcome.errors:
        status = 200
    else:
        status = 400 if len(outcome.errors) == len(batch) else 207
    return _response(status, asdict(outcome))


def _response(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


@cache
def _store() -> Store:
    """Made once for each instance of the function, at its first request."""
    import boto3  # the runtime's own; a test that brings its store needs none

    return DynamoStore(boto3.client("dynamodb"), os.environ["TABLE_NAME"],
                       timedelta(days=int(os.environ["RETENTION_DAYS"])))
