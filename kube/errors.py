"""What the Kubernetes API answers when it refuses, as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Cause:
    """One reason inside a Status: `field` such as "spec.replicas" or empty, `reason` such as FieldValueInvalid."""

    field: str
    reason: str
    message: str


class ApiError(Exception):
    """A refusal by the API server. `code` is the HTTP status, `reason` the Status reason ("AlreadyExists", …)."""

    def __init__(self, message: str, *, code: int = 0, reason: str = "", causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.causes = causes


class NotFound(ApiError):
    """The object, or the whole resource type, does not exist."""


class Conflict(ApiError):
    """Somebody else changed it first, owns the fields (server-side apply), or it exists already (AlreadyExists)."""


class Invalid(ApiError):
    """The object is refused for good: schema, validation, an unknown field, an admission rule on its content."""


class Forbidden(ApiError):
    """Authenticated but not allowed (RBAC, Pod Security, quota), or 401 not authenticated at all."""


class Expired(ApiError):
    """410: the resourceVersion is too old; list again."""


class Throttled(ApiError):
    """429 for longer than the client's patience. `retry_after` in seconds."""

    retry_after: float = 1.0


class ServerError(ApiError):
    """5xx: the API server or something behind it failed; another attempt may pass."""


class Unavailable(ApiError):
    """No answer: nothing listens, TLS failed, or the connection broke. The call may have taken effect."""


class UnknownKind(NotFound):
    """The cluster serves no such apiVersion and kind (a CustomResourceDefinition may be missing)."""


# Server-side apply reports a field outside the schema as 500 with this text, though no retry can help.
_PERMANENT_500 = ("field not declared in schema", "failed to create typed patch object", ".spec: expected",
                  "unable to convert", "cannot unmarshal", "unable to decode")
_BY_CODE: Mapping[int, type[ApiError]] = {400: Invalid, 401: Forbidden, 403: Forbidden, 404: NotFound, 405: Invalid,
                                          409: Conflict, 410: Expired, 415: Invalid, 422: Invalid, 429: Throttled}


def from_response(response: httpx.Response, call: str) -> ApiError:
    """The exception for an answer of 400 or more. `call` ("PATCH /api/v1/…") goes in front of the message."""
    status = _status(response)
    message = str(status.get("message") or response.text[:2000] or response.reason_phrase)
    details: Mapping[str, Any] = status.get("details") or {}
    causes = tuple(Cause(str(each.get("field", "")), str(each.get("reason", "")), str(each.get("message", "")))
                   for each in details.get("causes") or ())
    return from_status(response.status_code, str(status.get("reason", "")), message, causes, call,
                       _seconds(response.headers.get("Retry-After") or details.get("retryAfterSeconds")))


def from_status(code: int, reason: str, message: str, causes: tuple[Cause, ...], call: str,
                retry_after: float = 1.0) -> ApiError:
    if code >= 500:
        kind: type[ApiError] = Invalid if any(text in message for text in _PERMANENT_500) else ServerError
    else:
        kind = _BY_CODE.get(code, ApiError)
    error = kind(f"{call}: {message}", code=code, reason=reason, causes=causes)
    if isinstance(error, Throttled):
        error.retry_after = retry_after
    return error


def _status(response: httpx.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) and document.get("kind") == "Status" else {}


def _seconds(value: Any) -> float:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return 1.0
