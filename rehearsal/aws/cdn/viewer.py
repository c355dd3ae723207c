"""Between a viewer's HTTP and the edge: its request read, the answer written with what CloudFront adds to all."""

from __future__ import annotations

import re

from aiohttp import web
from multidict import CIMultiDict

from rehearsal.aws.cdn.messages import POP, Request, Response, Stream
from rehearsal.aws.cdn.model import Distribution
from rehearsal.aws.cdn.selection import HOP_BY_HOP

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def request(viewer: web.BaseRequest, host: str) -> Request:
    """host: the public name that the request counts as sent to."""
    headers = CIMultiDict((name, value) for name, value in viewer.headers.items() if name.lower() not in HOP_BY_HOP)
    headers["Host"] = host
    url = viewer.rel_url
    body = await viewer.content.read() if viewer.body_exists else b""
    return Request(viewer.method, url.raw_path, url.raw_query_string, headers, body, viewer.remote or "127.0.0.1")


def finish(distribution: Distribution, asked: Request, response: Response) -> None:
    """Ranges and conditions of what came from the cache, and CloudFront's own headers."""
    if response.status == 200 and asked.method in ("GET", "HEAD") and isinstance(response.body, bytes):
        if _unchanged(asked, response):
            response.status, response.body, response.reason = 304, b"", None
            for name in ("Content-Length", "Content-Encoding", "Content-Type"):
                response.headers.popall(name, None)
        elif asked.method == "GET":
            _cut(asked.headers.get("Range", ""), response)
    if response.cache.startswith("Miss") and response.status >= 400:
        response.cache = "Error from cloudfront"
    response.headers.setdefault("Server", "CloudFront")
    response.headers["X-Cache"] = response.cache
    before = response.headers.get("Via")
    response.headers["Via"] = f"{before + ', ' if before else ''}1.1 {distribution.domain} (CloudFront)"
    response.headers["X-Amz-Cf-Pop"] = POP
    response.headers["X-Amz-Cf-Id"] = asked.id


async def write(viewer: web.BaseRequest, response: Response) -> web.StreamResponse:
    headers = CIMultiDict((name, value) for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP)
    if not isinstance(response.body, Stream) and viewer.method != "HEAD":
        headers.popall("Content-Length", None)
        return web.Response(status=response.status, reason=response.reason, headers=headers, body=response.body)
    out = web.StreamResponse(status=response.status, reason=response.reason, headers=headers)
    await out.prepare(viewer)
    if isinstance(response.body, Stream):
        async for piece in response.body.pieces:
            await out.write(piece)
    await out.write_eof()
    return out


def _unchanged(asked: Request, response: Response) -> bool:
    """RFC 9110, 13.1: If-None-Match with weak comparison, and If-Modified-Since where there is none."""
    if given := asked.headers.get("If-None-Match"):
        own = response.headers.get("ETag", "").removeprefix("W/")
        return bool(own) and own in {each.strip().removeprefix("W/") for each in given.split(",")}
    since = asked.headers.get("If-Modified-Since")
    return since is not None and since == response.headers.get("Last-Modified")


def _cut(asked: str, response: Response) -> None:
    """One range; several, or none that can be read, get the whole (RFC 9110, 14.2)."""
    found = _RANGE.fullmatch(asked)
    assert isinstance(response.body, bytes)
    size = len(response.body)
    if found is None or found[0] == "bytes=-":
        return
    first, last = (int(each) if each else None for each in found.groups())
    start, end = (max(0, size - (last or 0)), size - 1) if first is None else (
        first, min(size - 1, size - 1 if last is None else last))
    if start >= size or start > end:
        response.status, response.body, response.reason = 416, b"", None
        response.headers["Content-Range"] = f"bytes */{size}"
        return
    response.status, response.reason = 206, None
    response.body = response.body[start:end + 1]
    response.headers["Content-Range"] = f"bytes {start}-{end}/{size}"
