"""Compression at the edge ("Serve compressed files"): gzip only, as Python has no Brotli; for `br` alone, nothing."""

from __future__ import annotations

import asyncio
import gzip

from rehearsal.aws.cdn.messages import Response
from rehearsal.aws.cdn.model import Behaviour
from rehearsal.aws.cdn.selection import encodings

SMALLEST_BYTES, LARGEST_BYTES = 1_000, 10_000_000
# The guide's list as far as a site has them.
TYPES = frozenset({
    "application/javascript", "application/json", "application/ld+json", "application/manifest+json", "application/pdf",
    "application/rss+xml", "application/vnd.ms-fontobject", "application/wasm", "application/x-font-ttf",
    "application/x-javascript", "application/x-web-app-manifest+json", "application/xhtml+xml", "application/xml",
    "font/eot", "font/opentype", "font/otf", "font/ttf", "image/svg+xml", "text/cache-manifest", "text/css",
    "text/csv", "text/html", "text/javascript", "text/js", "text/plain", "text/richtext", "text/xml"})


def wanted(behaviour: Behaviour, accepted: str, response: Response) -> bool:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return (behaviour.compress and "gzip" in encodings(behaviour.cache, accepted).split(",") and kind in TYPES
            and response.status in (200, 403, 404) and "Content-Encoding" not in response.headers
            and isinstance(response.body, bytes) and SMALLEST_BYTES <= len(response.body) <= LARGEST_BYTES)


async def compress(behaviour: Behaviour, accepted: str, response: Response) -> None:
    """Changes `response` where CloudFront would; an ETag is weak afterwards."""
    if not wanted(behaviour, accepted, response):
        return
    assert isinstance(response.body, bytes)
    response.body = await asyncio.to_thread(gzip.compress, response.body, 6, mtime=0)
    response.headers.popall("Content-Length", None)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = ", ".join(dict.fromkeys([*response.headers.getall("Vary", []), "Accept-Encoding"]))
    if (tag := response.headers.get("ETag")) and not tag.startswith("W/"):
        response.headers["ETag"] = f"W/{tag}"
