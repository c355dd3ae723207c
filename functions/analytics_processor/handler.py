"""The function's entry: `handle`.

In:  POST of a REST API (proxy integration), body `{"events": [...]}`; or that object itself, invoked directly.
Out: `{"accepted": n, "duplicates": n, "rejected": [{"index": i, "code": …, "message": …}]}` with status 200, 207 (some
     events were refused) or 400 (all were, or the batch cannot be read). Invoked directly: the object, and an error for
     a batch that cannot be read.

Environment: TABLE_NAME, ENVIRONMENT, RETENTION_DAYS, HASH_SECRET_ARN; ALLOWED_ORIGINS for browsers; EXPERIMENTS, if
             given, limits `experiment` and `variant` to those that there are.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from common.clients import client
from common.hashing import Keys, keys
from common.http import Answer, Refusal, Request, serve
from common.retries import Retries
from common.table import Table
from common.values import Invalid

from .events import MAXIMUM_EVENTS, Catalogue, Event, parse
from .metrics import lines
from .store import DynamoStore, Store


@dataclass(frozen=True)
class Rejection:
    index: int
    code: str
    message: str


@dataclass
class Outcome:
    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def handle(event: Any, context: Any) -> dict[str, Any]:
    if isinstance(event, dict) and "events" in event and "httpMethod" not in event:
        return asdict(_process(event, context))
    return serve(event, lambda request: _post(request, context), "POST,OPTIONS")


def process(batch: list[Any], store: Store, keys: Keys, environment: str, now: datetime,
            catalogue: Catalogue | None = None, emit: Callable[[str], object] | None = None) -> Outcome:
    """Keeps what is valid; says by index what is not. Metrics count an event once, however often it is sent."""
    outcome = Outcome()
    valid: dict[str, Event] = {}
    for index, raw in enumerate(batch):
        try:
            event = parse(raw, now, keys, catalogue)
        except Invalid as error:
            outcome.rejected.append(Rejection(index, error.code, str(error)))
            continue
        outcome.duplicates += event.id in valid
        valid.setdefault(event.id, event)
    there = store.put(list(valid.values()))
    new = [event for id, event in valid.items() if id not in there]
    outcome.accepted = len(new)
    outcome.duplicates += len(there)
    for line in lines(new, environment, now, rejected=len(outcome.rejected)):
        (emit or sys.stdout.write)(line + "\n")
    return outcome


def _post(request: Request, context: Any) -> Answer:
    if request.method != "POST":
        raise Refusal(405, "method_not_allowed", "use POST")
    document = request.json()
    outcome = _process(document, context)
    if not outcome.rejected:
        status = 200
    else:
        status = 400 if len(outcome.rejected) == len(document["events"]) else 207
    return Answer(status, asdict(outcome))


def _process(document: Any, context: Any) -> Outcome:
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list) or not events:
        raise Refusal(400, "no_events", "the batch must be an object with a non-empty list `events`")
    if len(events) > MAXIMUM_EVENTS:
        raise Refusal(400, "too_many_events", f"a batch may have {MAXIMUM_EVENTS} events")
    retries = Retries.within(context)
    return process(events, _store(retries), keys(retries), os.environ["ENVIRONMENT"], datetime.now(UTC), _catalogue())



def _store(retries: Retries) -> Store:
    return DynamoStore(Table(client("dynamodb"), os.environ["TABLE_NAME"], retries),
                       timedelta(days=int(os.environ["RETENTION_DAYS"])))


@cache
def _catalogue() -> Catalogue | None:
    if not os.environ.get("EXPERIMENTS"):
        return None
    return {name: frozenset(variant["name"] for variant in experiment["variants"])
            for name, experiment in json.loads(os.environ["EXPERIMENTS"]).items()}
