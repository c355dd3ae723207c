"""Hostile requests over HTTP: good ones of every route in which one thing or two were spoiled."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from tests.hostile import NASTY, broken, spoil
from tests.load.events import FUZZ, event, identifier

VISITOR = "visitor-0123456789"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "SEARCH", "get", "FOO")
SEGMENTS = ("%00", "%ff%fe", "..", "%2e%2e", "..%2f..%2f_candlefish%2freset", "%2F", "//", ".", "{visitor}", "a" * 6000,
            "%E2%80%AE", "%F0%9F%92%A1", "%ED%A0%80", "x;y=z", "*", "@connections", "_user_request_", "%25%32%65",
            "null", "<script>", "'--", "%0d%0aSet-Cookie:%20a=b", "restapis", "health", "export", "report")
QUERIES = ("", "visitor=", "visitor=a&visitor=b", "visitor", "=", "&&&", "visitor=%ff", "visitor=%00", "cursor=%7B%7D",
           "cursor=W10", "segments=new,new,,", "goal=%27", "experiment=__proto__", "a=" + "b" * 6000, "visitor[]=x",
           "X-Amz-Credential=0/20260101/us-east-1/s3/aws4_request", "Action=AssumeRole&RoleArn=x", "%", "%zz",
           "&".join(f"p{number}=1" for number in range(300)))
HEADERS: tuple[tuple[str, str], ...] = (
    ("Content-Type", "text/plain"), ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Type", "x"),
    ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", "multipart/form-data"),
    ("Content-Type", "application/octet-stream"), ("Content-Type", ""), ("Content-Encoding", "gzip"),
    ("Content-Encoding", "br"), ("Content-Encoding", "aws-chunked"), ("Accept", "application/xml"), ("Accept", ";;"),
    ("Accept-Encoding", "identity;q=0"), ("X-Amz-Target", "DynamoDB_20120810.ListTables"), ("X-Amz-Target", "x"),
    ("Authorization", "Bearer x"), ("Authorization", "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/"
     "dynamodb/aws4_request, SignedHeaders=host, Signature=0"), ("Authorization", "Basic ="), ("x-api-key", "0" * 200),
    ("x-api-key", "é"), ("Origin", "https://evil.example"), ("Origin", "null"), ("Cookie", "a=b; " * 800),
    ("X-Forwarded-For", "not an address"), ("X-Forwarded-For", ","), ("X-Forwarded-Proto", "gopher"),
    ("X-HTTP-Method-Override", "DELETE"), ("X-Amz-Invocation-Type", "Event"), ("X-Candlefish-Operation", "x/1"),
    ("x-moto-account-id", "999999999999"), ("Range", "bytes=5-1"), ("If-None-Match", "*"), ("Expect", "x"),
    ("Forwarded", "for=\"_\""), ("X-Amzn-Trace-Id", "Root=1"), ("User-Agent", ""), ("User-Agent", "%n%s" * 500),
    ("Upgrade", "websocket"), ("Max-Forwards", "0"), ("TE", "trailers"), ("X-Original-URL", "/_candlefish/reset"),
    ("X-Empty", ""), ("X-Large", "x" * 7000), ("X-Latin", "\xff\xfe"))
SIZES = (256 * 1024 - 30, 256 * 1024 + 1, 1_000_000, 5_000_000, 7_000_000)
OPERATIONS = ("the method", "the path", "the query", "a header", "the body", "its text", "its bytes", "its size")


@dataclass(frozen=True)
class Request:
    """path and query: as they are sent. chunked: the body's length is not told before."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    chunked: bool = False
    spoiled: tuple[str, ...] = field(default=(), compare=False)

    @property
    def target(self) -> str:
        return self.path + (f"?{self.query}" if self.query else "")

    def told(self) -> str:
        body = b"" if self.body is None else self.body
        return (f"{self.method} {self.target[:200]} {dict(self.headers)!r:.300} {body[:300]!r} ({len(body)} B); "
                f"spoiled: {', '.join(self.spoiled)}")


def good(dice: random.Random) -> list[Request]:
    """Of every route."""
    json_type = (("Content-Type", "application/json"),)

    def sent(method: str, path: str, document: object) -> Request:
        return Request(method, path, headers=json_type, body=json.dumps(document).encode())

    return [
        Request("GET", "/health"), Request("OPTIONS", "/api/analytics"),
        sent("POST", "/api/analytics", {"events": [event(dice, FUZZ), event(dice, FUZZ)]}),
        Request("GET", f"/memory/{VISITOR}"),
        sent("PUT", f"/memory/{VISITOR}", {"version": 0, "trustLevel": 1, "memory": {"visits": 1, "seen": ["reef"]}}),
        # An erasure that is accepted is of nobody: hundreds of one visitor's at once are slow in the emulated table.
        Request("DELETE", "/memory/short"), Request("DELETE", f"/memory/{identifier(dice)}"),
        Request("GET", f"/memory/{VISITOR}/export", "cursor=WzAsICJhIiwgImIiXQ=="),
        Request("GET", "/experiments", f"visitor={VISITOR}&segments=new"),
        sent("POST", "/experiments/conversions", {"visitor": VISITOR, "goal": "returned"}),
        Request("GET", "/experiments/report", "experiment=trust-rate&goal=returned"),
    ]


def spoiled(dice: random.Random) -> Request:
    """A good request with one to three things spoiled."""
    request = dice.choice(good(dice))
    for _ in range(dice.choice((1, 1, 2, 3))):
        change = dice.choices(CHANGES, WEIGHTS)[0]
        request = CHANGE[change](request, dice)
        request = replace(request, spoiled=(*request.spoiled, change))
    return request


def _method(request: Request, dice: random.Random) -> Request:
    return replace(request, method=dice.choice(METHODS))


def _path(request: Request, dice: random.Random) -> Request:
    """The first segment stays: it is what leads a request through CloudFront to the API."""
    first, *parts = request.path.split("/")[1:]
    at = dice.randrange(len(parts) + 1)
    return replace(request, path="/" + "/".join([first, *parts[:at], dice.choice(SEGMENTS),
                                                 *parts[at + dice.randrange(2):]]))


def _query(request: Request, dice: random.Random) -> Request:
    if dice.random() < 0.5:
        return replace(request, query=dice.choice(QUERIES))
    nasty = dice.choice(NASTY)
    text = nasty if isinstance(nasty, str) else json.dumps(nasty)
    return replace(request, query=f"visitor={quote(text.encode(errors='replace'))[:4000]}")


def _header(request: Request, dice: random.Random) -> Request:
    name, value = dice.choice(HEADERS)
    kept = tuple(each for each in request.headers if each[0] != name)
    return replace(request, headers=(*kept, (name, value)))


def _body(request: Request, dice: random.Random) -> Request:
    if request.body is None:
        return replace(request, body=json.dumps(dice.choice(NASTY)).encode())
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return request
    return replace(request, body=json.dumps(spoil(found, dice)).encode())


def _text(request: Request, dice: random.Random) -> Request:
    text = (request.body or b"{}").decode(errors="replace")
    return replace(request, body=broken(text or "{}", dice).encode(errors="surrogatepass"))


def _bytes(request: Request, dice: random.Random) -> Request:
    found = bytearray(request.body or b"{}")
    for _ in range(dice.randrange(1, 9)):
        found[dice.randrange(len(found))] = dice.randrange(256)
    return replace(request, body=bytes(found), chunked=dice.random() < 0.3)


def _size(request: Request, dice: random.Random) -> Request:
    return replace(request, body=b'{"events": "' + b"x" * dice.choice(SIZES) + b'"}')


CHANGE: dict[str, Callable[[Request, random.Random], Request]] = dict(zip(OPERATIONS, (
    _method, _path, _query, _header, _body, _text, _bytes, _size), strict=True))
CHANGES = tuple(CHANGE)
WEIGHTS = (10, 15, 12, 20, 25, 10, 8, 0.5)  # megabytes take their time
