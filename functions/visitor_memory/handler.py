"""The function's entry: `handle`.

In:  GET, PUT, DELETE `/memory/{visitor}` and GET `/memory/{visitor}/export?cursor=…` of a REST API (proxy integration);
     `{"action": "resume-erasures"}` from a schedule.
Out: GET 200 `{"version", "trustLevel", "memory", "updatedAt"}` or 404; PUT (the same, with the version that was read;
     0 at first) 200 with the new one, or 409 with what is kept; DELETE 200 with counts, or 202 when the rest is erased
     later; export 200 `{"memory", "experiments", "events", "next"}`.

Environment: MEMORY_TABLE, EVENTS_TABLE, EXPERIMENTS_TABLE, ENVIRONMENT, RETENTION_DAYS, HASH_SECRET_ARN;
             ALLOWED_ORIGINS for browsers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from common.clients import client
from common.hashing import keys
from common.http import Answer, Refusal, Request, serve
from common.logs import log
from common.retries import Retries, Unavailable
from common.table import Item, Table
from common.values import Invalid, identifier

from . import documents, export
from .erasure import Erasure
from .memory import Conflict, Memories

METHODS = "GET,PUT,DELETE,OPTIONS"
OTHERS = 5  # erasures that one request resumes beside its own


@dataclass(frozen=True)
class Tables:
    """What one invocation works with."""

    memories: Memories
    erasure: Erasure


def handle(event: Any, context: Any) -> dict[str, Any]:
    retries = Retries.within(context)
    if isinstance(event, dict) and event.get("action") == "resume-erasures":
        passes = tables(retries, datetime.now(UTC)).erasure.resume()
        log("INFO", "erasures resumed", count=passes)
        return {"passes": passes}
    return serve(event, lambda request: _route(request, retries), METHODS)


def tables(retries: Retries, now: datetime) -> Tables:
    memory, events, experiments = (Table(client("dynamodb"), os.environ[name], retries)
                                   for name in ("MEMORY_TABLE", "EVENTS_TABLE", "EXPERIMENTS_TABLE"))
    return Tables(Memories(memory, timedelta(days=int(os.environ["RETENTION_DAYS"])), now),
                  Erasure(memory, events, experiments, retries, now))


def _route(request: Request, retries: Retries) -> Answer:
    route = _EXPORT if request.path.rstrip("/").endswith("/export") else _MEMORY
    if request.method not in route:
        raise Refusal(405, "method_not_allowed", f"use {', '.join(route)}")
    try:
        visitor = identifier("visitor", request.parameters.get("visitor"))
        hashes = keys(retries).all_hashes("visitor", visitor)
        return route[request.method](request, tables(retries, datetime.now(UTC)), hashes)
    except Invalid as error:
        raise Refusal(400, error.code, str(error)) from None


def _get(_request: Request, tables: Tables, hashes: Sequence[str]) -> Answer:
    found = tables.memories.find(hashes)
    if found is None:
        raise Refusal(404, "not_found", "nothing is remembered of this visitor")
    return Answer(200, _shown(found))


def _put(request: Request, tables: Tables, hashes: Sequence[str]) -> Answer:
    document = documents.parse(request.json())
    try:
        return Answer(200, _shown(tables.memories.put(hashes, document)))
    except Conflict as conflict:
        kept = _shown(conflict.found) if conflict.found else {"version": 0}
        raise Refusal(409, "conflict", "another device has written since; merge with `current` and put it again",
                      current=kept) from None


def _delete(_request: Request, tables: Tables, hashes: Sequence[str]) -> Answer:
    former = [hash for found in tables.memories.all(hashes) for hash in sorted(found.get("formerly", ()))]
    erased = tables.erasure.request(tuple(dict.fromkeys([*hashes, *former])))
    if erased.complete:
        _resume_others(tables)
    return Answer(200 if erased.complete else 202, asdict(erased))


def _resume_others(tables: Tables) -> None:
    """This visitor's erasure is done, whatever comes of the others'; the schedule sees to them too."""
    try:
        tables.erasure.resume(OTHERS)
    except Unavailable as error:
        log("WARNING", "erasures wait", reason=str(error))


def _export(request: Request, tables: Tables, hashes: Sequence[str]) -> Answer:
    found = tables.memories.all(hashes)
    every = tuple(dict.fromkeys([*hashes, *(hash for item in found for hash in sorted(item.get("formerly", ())))]))
    return Answer(200, export.page(found, tables.erasure.events, tables.erasure.experiments, every,
                                   request.query.get("cursor")))


def _shown(item: Item) -> dict[str, Any]:
    return {name: item[name] for name in ("version", "trustLevel", "memory", "updatedAt")}


_MEMORY: dict[str, Callable[[Request, Tables, Sequence[str]], Answer]] = {"GET": _get, "PUT": _put, "DELETE": _delete}
_EXPORT: dict[str, Callable[[Request, Tables, Sequence[str]], Answer]] = {"GET": _export}
