"""Lambda@Edge's events and answers (developer guide, "Lambda@Edge event structure", "Restrictions on edge functions").

What an answer may not do is an error, as it is there: status 502.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from typing import Any

from multidict import CIMultiDict

from rehearsal.aws.cdn.messages import EdgeError, Request, Response, Stream
from rehearsal.aws.cdn.model import Distribution, Event, Origin

# Headers that a function may not add or change, and those that it can't even see a difference in.
_READ_ONLY: Mapping[Event, frozenset[str]] = {
    Event.VIEWER_REQUEST: frozenset({"content-length", "host", "transfer-encoding", "via"}),
    Event.ORIGIN_REQUEST: frozenset({"accept-encoding", "content-length", "if-modified-since", "if-none-match",
                                     "if-range", "if-unmodified-since", "transfer-encoding", "via"}),
    Event.ORIGIN_RESPONSE: frozenset({"transfer-encoding", "via"}),
    Event.VIEWER_RESPONSE: frozenset({"content-encoding", "content-length", "transfer-encoding", "warning", "via"}),
}
_DISALLOWED = frozenset({"connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
                         "proxy-connection", "trailer", "upgrade", "x-accel-buffering", "x-accel-charset",
                         "x-accel-limit-rate", "x-accel-redirect", "x-cache", "x-forwarded-proto", "x-real-ip"})
_DISALLOWED_STARTS = ("x-amz-cf-", "x-edge-")


def event(distribution: Distribution, kind: Event, request: Request, *, include_body: bool = False,
          response: Response | None = None, origin: Origin | None = None) -> dict[str, Any]:
    asked: dict[str, Any] = {"clientIp": request.client, "headers": _told(request.headers), "method": request.method,
                             "querystring": request.query, "uri": request.path}
    if include_body:
        asked["body"] = {"inputTruncated": False, "action": "read-only", "encoding": "base64",
                         "data": base64.b64encode(request.body).decode()}
    if origin is not None:
        asked["origin"] = _origin(origin)
    found: dict[str, Any] = {
        "config": {"distributionDomainName": distribution.domain, "distributionId": distribution.id,
                   "eventType": kind.value, "requestId": request.id}, "request": asked}
    if response is not None:
        found["response"] = {"status": str(response.status), "statusDescription": response.reason or "",
                             "headers": _told(response.headers)}
    return {"Records": [{"cf": found}]}


def request_from(answer: Any, kind: Event, before: Request) -> Request | Response:
    """The request to go on with, or an answer that the function gave. Raises EdgeError."""
    if not isinstance(answer, dict):
        raise _invalid("it is no object")
    if "status" in answer:
        return _generated(answer, kind)
    if not isinstance(answer.get("uri"), str) or not answer["uri"].startswith("/"):
        raise _invalid("its request has no uri that begins with a slash")
    headers = _heard(answer.get("headers"), kind, before.headers)
    body = before.body
    if isinstance(given := answer.get("body"), dict) and given.get("action") == "replace":
        body = _body(given.get("data", ""), given.get("encoding", "text"))
    return dataclasses.replace(before, path=answer["uri"], query=str(answer.get("querystring", "")), headers=headers,
                               body=body)


def origin_from(answer: Mapping[str, Any], before: Origin) -> Origin:
    """The origin as an origin-request function left it."""
    given = answer.get("origin")
    if not isinstance(given, dict) or len(given) != 1:
        return before
    kind, found = next(iter(given.items()))
    custom = tuple((each[0].get("key", name), each[0]["value"]) for name, each in (
        found.get("customHeaders") or {}).items() if each)
    return dataclasses.replace(before, bucket=kind == "s3", domain=found["domainName"], path=found.get("path", ""),
                               headers=custom)


def response_from(answer: Any, kind: Event, before: Response) -> Response:
    """Raises EdgeError."""
    if not isinstance(answer, dict) or not str(answer.get("status", "")).isdigit():
        raise _invalid("a response needs a status")
    headers = _heard(answer.get("headers"), kind, before.headers)
    body: bytes | Stream = before.body
    if "body" in answer:
        body = _body(answer["body"], answer.get("bodyEncoding", "text"))
        headers.popall("Content-Length", None)
        headers.popall("Content-Encoding", None)
    return dataclasses.replace(before, status=int(answer["status"]), reason=answer.get("statusDescription") or None,
                               headers=headers, body=body)


def _generated(answer: Mapping[str, Any], kind: Event) -> Response:
    if not str(answer["status"]).isdigit() or not 200 <= int(answer["status"]) <= 599:
        raise _invalid(f"a status of {answer['status']!r}")
    return Response(int(answer["status"]), _heard(answer.get("headers"), kind, CIMultiDict()),
                    _body(answer.get("body", ""), answer.get("bodyEncoding", "text")),
                    answer.get("statusDescription") or None, "LambdaGeneratedResponse from cloudfront")


def _told(headers: CIMultiDict[str]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for name, value in headers.items():
        found.setdefault(name.lower(), []).append({"key": name, "value": value})
    return found


def _heard(given: Any, kind: Event, before: CIMultiDict[str]) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    try:
        for name, values in (given or {}).items():
            for each in values:
                headers.add(each.get("key") or name, str(each["value"]))
    except (AttributeError, KeyError, TypeError):
        raise _invalid("its headers are not lists of key and value") from None
    for name in {each.lower() for each in (*headers, *before)}:
        if headers.getall(name, []) == before.getall(name, []):
            continue
        if name in _READ_ONLY[kind] or ((name in _DISALLOWED or name.startswith(_DISALLOWED_STARTS))
                                        and name in headers):
            raise _invalid(f"the header {name} is read-only or not for functions in a {kind.value} event")
    return headers


def _body(data: Any, encoding: str) -> bytes:
    if encoding != "base64":
        return str(data).encode()
    try:
        return base64.b64decode(str(data), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("its body is not base64") from None


def _origin(origin: Origin) -> dict[str, Any]:
    custom = {name.lower(): [{"key": name, "value": value}] for name, value in origin.headers}
    if origin.bucket:
        return {"s3": {"authMethod": "none", "customHeaders": custom, "domainName": origin.domain, "path": origin.path,
                       "region": origin.domain.split(".s3.")[-1].split(".")[0]}}
    return {"custom": {"customHeaders": custom, "domainName": origin.domain, "keepaliveTimeout": 5,
                       "path": origin.path, "port": 443 if origin.protocol == "https-only" else 80,
                       "protocol": "https" if origin.protocol == "https-only" else "http",
                       "readTimeout": int(origin.read_seconds), "sslProtocols": ["TLSv1.2"]}}


def _invalid(why: str) -> EdgeError:
    return EdgeError(502, f"The Lambda function returned an invalid answer: {why}.")
