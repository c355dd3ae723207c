"""Requests of API Gateway (REST, proxy integration) and answers to them.

Every answer is JSON. What the caller did wrong is a 4xx with `code` for programs and `message` for people; what a
service did not do is a 503 with Retry-After; anything else is a 500 that says nothing of its cause, which is logged.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.logs import log, where
from common.retries import Unavailable, code

MAXIMUM_BODY_BYTES = 256 * 1024
RETRY_AFTER_SECONDS = 2
_MAXIMUM_DEPTH = 20


class Refusal(Exception):
    """What the caller must change. The message never repeats what was sent, which may be personal."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.more = more


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: str | None
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the path
    query: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None

    def json(self) -> Any:
        """Raises Refusal."""
        if not self.body:
            raise Refusal(400, "no_body", "the request must have a JSON body")
        try:
            return _bounded(json.loads(self.body, parse_constant=_constant))
        except RecursionError:
            raise Refusal(400, "too_deep", f"the body may nest {_MAXIMUM_DEPTH} levels") from None
        except ValueError:  # also a number of more digits than Python reads
            raise Refusal(400, "not_json", "the body is not JSON") from None


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def serve(event: Any, route: Callable[[Request], Answer], methods: str) -> dict[str, Any]:
    """One request through `route`. `methods`: what browsers may use, separated by commas."""
    origin: str | None = None
    try:
        request = read(event)
        origin = request.origin
        answer = Answer(204) if request.method == "OPTIONS" else route(request)
    except Refusal as refusal:
        answer = Answer(refusal.status, {"code": refusal.code, "message": str(refusal), **refusal.more})
    except Unavailable as error:
        log("WARNING", "a service is unavailable", reason=str(error), where=where(error))
        answer = Answer(503, {"code": "unavailable", "message": "try again later"},
                        {"retry-after": str(RETRY_AFTER_SECONDS)})
    except Exception as error:
        log("ERROR", "request failed", error=type(error).__name__, code=code(error), where=where(error))
        answer = Answer(500, {"code": "internal", "message": "the request could not be handled"})
    body = "" if answer.body is None else json.dumps(answer.body, allow_nan=False)
    return {"statusCode": answer.status, "body": body,
            "headers": {"content-type": "application/json", "cache-control": "no-store", **answer.headers,
                        **_cross_origin(origin, methods)}}


def read(event: Any) -> Request:
    """Raises Refusal for what API Gateway would not send, or not with so large a body."""
    if not isinstance(event, dict) or not isinstance(event.get("httpMethod"), str):
        raise Refusal(400, "not_a_request", "the event is not a request of a REST API")
    body = event.get("body")
    if body is not None and not isinstance(body, str):
        raise Refusal(400, "not_a_request", "the body must be text")
    if body is not None and event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode()
        except (binascii.Error, ValueError):
            raise Refusal(400, "not_text", "the body must be UTF-8 text") from None
    try:
        size = len((body or "").encode())
    except UnicodeEncodeError:
        raise Refusal(400, "not_text", "the body must be UTF-8 text") from None
    if size > MAXIMUM_BODY_BYTES:
        raise Refusal(413, "too_large", f"the body may have {MAXIMUM_BODY_BYTES // 1024} KiB")
    headers = {str(name).lower(): value for name, value in _mapping(event.get("headers")).items()}
    return Request(method=event["httpMethod"].upper(), path=str(event.get("path") or ""), body=body,
                   parameters=_texts(event.get("pathParameters")), query=_texts(event.get("queryStringParameters")),
                   origin=headers["origin"] if isinstance(headers.get("origin"), str) else None)


def allowed_origins() -> frozenset[str]:
    """ALLOWED_ORIGINS: origins such as `https://candlefish.ai`, separated by commas. None: no browser's page of
    another origin may read the answers."""
    return frozenset(each.strip() for each in os.environ.get("ALLOWED_ORIGINS", "").split(",") if each.strip())


def _cross_origin(origin: str | None, methods: str) -> dict[str, str]:
    allowed = {"vary": "Origin"}
    if origin is not None and origin in allowed_origins():
        allowed |= {"access-control-allow-origin": origin, "access-control-allow-methods": methods,
                    "access-control-allow-headers": "content-type", "access-control-max-age": "600"}
    return allowed


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {str(name): each for name, each in _mapping(value).items() if isinstance(each, str)}


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _bounded(value: Any, depth: int = 0) -> Any:
    """The value as it is. Raises ValueError for a number that is too large for a float, RecursionError for depth."""
    if depth > _MAXIMUM_DEPTH:
        raise RecursionError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("infinite")
    if isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            _bounded(each, depth + 1)
    return value
