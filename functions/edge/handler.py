"""The entry: `handle`, for viewer requests of CloudFront (Lambda@Edge).

In:  CloudFront's event. Out: the request to go on with, or a redirect.

* `www.` goes to the apex, path and query kept.
* Accept-Encoding becomes one of `br,gzip`, `gzip`, or nothing; so many, not hundreds, ways to write it are cached.
* `x-device-class` (mobile, tablet, desktop) says for which device a page is; `x-image-format` (avif, webp, original)
  which format an image may have. They are in the cache key, so both are told only where the origin's answer depends on
  them: `any` for all other paths. What a browser sends under these names is dropped.

CloudFront's own CloudFront-Is-Mobile-Viewer is not there yet in a viewer request ("Restrictions on Lambda@Edge"); Host
is read-only, Accept-Encoding is not. No environment, no other module, 128 MB, 5 s: hence one file of constants.
"""

from __future__ import annotations

import re
from typing import Any

DEVICE, IMAGE = "x-device-class", "x-image-format"
ANY = "any"
_PERMANENT, _PERMANENT_SAME_METHOD = ("301", "Moved Permanently"), ("308", "Permanent Redirect")
_HOST = re.compile(r"www\.((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})")
_FILE = re.compile(r"\.([A-Za-z0-9]{1,8})$")
_IMAGES = frozenset({"avif", "gif", "jpeg", "jpg", "png", "webp"})
_OPTIMISED = "/_next/image"  # Next.js: the same path for all images, the source in the query
_PAGES = frozenset({"html", "htm"})
_NOT_PAGES = ("/api/", "/memory", "/experiments", "/_next/", "/ws", "/health")
_TABLET = re.compile(r"ipad|tablet|kindle|silk/|playbook|android(?!.*mobile)", re.IGNORECASE)
_MOBILE = re.compile(r"mobi|iphone|ipod|android|windows phone|opera mini", re.IGNORECASE)
_LONGEST = 1024  # of a header that is looked at


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    request: dict[str, Any] = event["Records"][0]["cf"]["request"]
    return _redirect(request) or _normalised(request)


def _redirect(request: dict[str, Any]) -> dict[str, Any] | None:
    host = _HOST.fullmatch(_header(request, "host").lower())
    if host is None:
        return None
    query = f"?{request['querystring']}" if request.get("querystring") else ""
    status, words = _PERMANENT if request["method"] in ("GET", "HEAD") else _PERMANENT_SAME_METHOD
    return {
        "status": status, "statusDescription": words,
        "headers": {
            "location": [{"key": "Location", "value": f"https://{host[1]}{request['uri']}{query}"}],
            "cache-control": [{"key": "Cache-Control", "value": "public, max-age=86400"}],
            "strict-transport-security": [
                {"key": "Strict-Transport-Security", "value": "max-age=63072000; includeSubDomains; preload"}],
        },
    }


def _normalised(request: dict[str, Any]) -> dict[str, Any]:
    headers = request["headers"]
    encoding = _encoding(_header(request, "accept-encoding"))
    device, image = ANY, ANY
    kind = _kind(request["uri"])
    if kind == "page":
        device = _device(_header(request, "user-agent"))
    elif kind == "image":
        image = _image(_header(request, "accept"))
    headers.pop("accept-encoding", None)
    if encoding:
        headers["accept-encoding"] = [{"key": "Accept-Encoding", "value": encoding}]
    headers[DEVICE] = [{"key": "X-Device-Class", "value": device}]
    headers[IMAGE] = [{"key": "X-Image-Format", "value": image}]
    return request


def _kind(uri: str) -> str:
    """page, image, or other: what the origin's answer depends on."""
    if uri == _OPTIMISED:
        return "image"
    extension = _FILE.search(uri)
    if extension is not None:
        name = extension[1].lower()
        return "image" if name in _IMAGES else "page" if name in _PAGES else "other"
    return "other" if uri.startswith(_NOT_PAGES) else "page"


def _encoding(header: str) -> str:
    """RFC 9110, section 12.5.3: a weight of 0 is a refusal, `*` is all that is not named."""
    weights: dict[str, bool] = {}
    for part in header.lower().split(","):
        name, _, parameter = (piece.strip() for piece in part.partition(";"))
        if name:
            weights[name] = not re.fullmatch(r"q\s*=\s*0(\.0{0,3})?", parameter)
    accepted = [name for name in ("br", "gzip") if weights.get(name, weights.get("*", False))]
    return ",".join(accepted)


def _device(agent: str) -> str:
    if _TABLET.search(agent):
        return "tablet"
    return "mobile" if _MOBILE.search(agent) else "desktop"


def _image(accept: str) -> str:
    return next((name for name in ("avif", "webp") if f"image/{name}" in accept.lower()), "original")


def _header(request: dict[str, Any], name: str) -> str:
    """All values of a header, as one."""
    return ",".join(each["value"] for each in request["headers"].get(name, ()))[:_LONGEST]
