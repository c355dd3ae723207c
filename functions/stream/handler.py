"""The entries: `handle` for the WebSocket API, `publish` for the stream of the events' table.

handle:  routes $connect, $disconnect, ping, subscribe, unsubscribe and $default (all else). Messages are JSON with an
         `action`, and `metrics` (names) for subscribe and unsubscribe. Answers are the returned body: the routes need
         a route response.
publish: records of the stream; returns `{"batchItemFailures": [{"itemIdentifier": sequence number}]}`, empty when all
         is done. A record that cannot be read is answered as failed, and so are those behind it: they come again, and
         after the last attempt it goes to the failure destination.

Environment: CONNECTIONS_TABLE, ENVIRONMENT; publish: WEBSOCKET_ENDPOINT (https URL of the API's stage); handle:
             ALLOWED_ORIGINS, if given, limits which pages may connect.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from common.clients import CONNECT_SECONDS, READ_SECONDS, client
from common.http import allowed_origins
from common.logs import log, where
from common.retries import Retries, Unavailable, code
from common.table import Table

from .connections import METRICS, Connections, Gone
from .gauge import Gauge
from .publishing import THREADS
from .publishing import publish as publish_batch
from .samples import read

MAXIMUM_MESSAGE_BYTES = 4096
STALE_SECONDS = 60.0  # samples that waited longer, after an outage, are not live any more
# Left for a message that is under way: a batch whose time runs out comes again, also to those who have had it.
ROOM_SECONDS = CONNECT_SECONDS + READ_SECONDS + 1
_CONNECTION = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")
_gauge = Gauge()


class BadMessage(Exception):
    """What the browser sent cannot be understood; it is answered, and the connection stays."""


def handle(event: Any, context: Any) -> dict[str, Any]:
    try:
        about = event["requestContext"]
        route, connection = str(about["routeKey"]), about["connectionId"]
        if not isinstance(connection, str) or not _CONNECTION.fullmatch(connection):
            raise TypeError
    except (KeyError, TypeError):
        return _answer(400, {"type": "error", "code": "not_a_message", "message": "not an event of a WebSocket API"})
    connections = _connections(Retries.within(context))
    # A message chooses its route, so it can name one of the connection's own life, too.
    respond = _other if about.get("eventType") == "MESSAGE" and route.startswith("$") else _ROUTES.get(route, _other)
    try:
        return respond(connections, connection, event)
    except BadMessage as error:
        return _answer(400, {"type": "error", "code": "bad_message", "message": str(error)})
    except Gone:
        return _answer(410, {"type": "error", "code": "gone", "message": "connect again"})
    except Unavailable as error:
        log("WARNING", "a service is unavailable", route=route, reason=str(error), where=where(error))
        return _answer(503, {"type": "error", "code": "unavailable", "message": "try again later"})
    except Exception as error:
        log("ERROR", "message failed", route=route if route in _ROUTES else "$default", error=type(error).__name__,
            code=code(error), where=where(error))
        return _answer(500, {"type": "error", "code": "internal", "message": "the message could not be handled"})


def publish(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    retries = Retries.within(context, ROOM_SECONDS)
    records = event["Records"]
    batch = read(records, time.time() - STALE_SECONDS)
    try:
        connections = _connections(retries)
        outcome = publish_batch(batch, connections, _post(), retries, os.environ["ENVIRONMENT"])
        _gauge.tell(connections, os.environ["ENVIRONMENT"], datetime.now(UTC))
    except Unavailable as error:
        log("WARNING", "batch comes again", count=len(records), reason=str(error), where=where(error))
        return {"batchItemFailures": [{"itemIdentifier": str(records[0]["dynamodb"]["SequenceNumber"])}]}
    if outcome.gone or outcome.dropped or outcome.failed:
        log("INFO", "some were not reached", count=outcome.delivered, gone=outcome.gone, dropped=outcome.dropped,
            failed=outcome.failed)
    if batch.poisoned is not None:
        log("ERROR", "record cannot be read")
        return {"batchItemFailures": [{"itemIdentifier": batch.poisoned}]}
    return {"batchItemFailures": []}


def _connect(connections: Connections, connection: str, event: Mapping[str, Any]) -> dict[str, Any]:
    headers = event.get("headers")
    origin = next((str(value) for name, value in headers.items() if str(name).lower() == "origin"), None) \
        if isinstance(headers, dict) else None
    # A browser always says the page's origin; other programs may leave it out and gain nothing by it.
    if allowed_origins() and origin is not None and origin not in allowed_origins():
        return _answer(403, {"type": "error", "code": "forbidden", "message": "this page may not connect"})
    connections.add(connection)
    _gauge.tell(connections, os.environ["ENVIRONMENT"], connections.now)
    return _answer(200)


def _disconnect(connections: Connections, connection: str, _event: Mapping[str, Any]) -> dict[str, Any]:
    connections.remove([connection])
    _gauge.tell(connections, os.environ["ENVIRONMENT"], connections.now)
    return _answer(200)


def _ping(connections: Connections, _connection: str, _event: Mapping[str, Any]) -> dict[str, Any]:
    return _answer(200, {"type": "pong", "at": connections.now.isoformat(timespec="milliseconds")})


def _subscribe(connections: Connections, connection: str, event: Mapping[str, Any]) -> dict[str, Any]:
    metrics = _metrics(event)
    connections.subscribe(connection, metrics)
    return _answer(200, {"type": "subscribed", "metrics": metrics})


def _unsubscribe(connections: Connections, connection: str, event: Mapping[str, Any]) -> dict[str, Any]:
    metrics = _metrics(event)
    connections.unsubscribe(connection, metrics)
    return _answer(200, {"type": "unsubscribed", "metrics": metrics})


def _other(_connections: Connections, _connection: str, _event: Mapping[str, Any]) -> dict[str, Any]:
    raise BadMessage("`action` must be ping, subscribe or unsubscribe")


def _metrics(event: Mapping[str, Any]) -> list[str]:
    """In the schema's order, each once."""
    body = event.get("body")
    try:
        if not isinstance(body, str) or len(body) > MAXIMUM_MESSAGE_BYTES:
            raise ValueError
        found = json.loads(body)["metrics"]
        if not isinstance(found, list) or not found:
            raise ValueError
        wanted = {name if isinstance(name, str) else "" for name in found}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadMessage("the message must be JSON with a non-empty list `metrics`") from None
    if not wanted <= set(METRICS):
        raise BadMessage(f"`metrics` must be some of {', '.join(METRICS)}")
    return sorted(wanted)


def _connections(retries: Retries) -> Connections:
    return Connections(Table(client("dynamodb"), os.environ["CONNECTIONS_TABLE"], retries), datetime.now(UTC))


def _post() -> Callable[..., Any]:
    post: Callable[..., Any] = client("apigatewaymanagementapi", os.environ["WEBSOCKET_ENDPOINT"],
                                      THREADS).post_to_connection
    return post


def _answer(status: int, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"statusCode": status, **({"body": json.dumps(body)} if body else {})}


_ROUTES: dict[str, Callable[[Connections, str, Mapping[str, Any]], dict[str, Any]]] = {
    "$connect": _connect, "$disconnect": _disconnect, "ping": _ping, "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}
