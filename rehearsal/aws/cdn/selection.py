"""What of a viewer's request is in the cache key, and what the origin gets of it.

Both follow from the cache policy and the origin request policy (developer guide, "Understand cache policies",
"Understand origin request policies"); what no policy names stays at the edge, but for what CloudFront always sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from multidict import CIMultiDict

from rehearsal.aws.cdn.model import Behaviour, CachePolicy, Choice, Selection

USER_AGENT = "Amazon CloudFront"
# Never an end-to-end matter, or CloudFront's own ("Request headers and CloudFront behavior").
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
                        "te", "trailer", "transfer-encoding", "upgrade", "expect"})
_ALWAYS = ("content-type", "content-length", "content-encoding", "range", "if-range")
_WEBSOCKET = re.compile(r"sec-websocket-", re.IGNORECASE)
# What `allViewerAndWhitelistCloudFront` and cache policies can name, and this edge knows. Everybody is on this machine.
_DEVICES = (("CloudFront-Is-Tablet-Viewer", re.compile(r"ipad|tablet|android(?!.*mobile)", re.IGNORECASE)),
            ("CloudFront-Is-Mobile-Viewer", re.compile(r"mobi|iphone|ipod", re.IGNORECASE)))


def cloudfront_headers(agent: str, client: str) -> dict[str, str]:
    """Headers that CloudFront adds where a policy names them. A viewer counts as one that came by HTTPS."""
    found = {"CloudFront-Forwarded-Proto": "https", "CloudFront-Viewer-Http-Version": "1.1",
             "CloudFront-Viewer-Address": client, "CloudFront-Is-SmartTV-Viewer": "false"}
    kind = next((name for name, pattern in _DEVICES if pattern.search(agent)), "CloudFront-Is-Desktop-Viewer")
    names = [*(name for name, _ in _DEVICES), "CloudFront-Is-Desktop-Viewer"]
    return found | {name: str(name == kind).lower() for name in names}


def chosen(choice: Choice, name: str) -> bool:
    """Whether a header (lower case), cookie or query string of this name is meant."""
    match choice.behaviour:
        case "none":
            return False
        case "whitelist":
            return name in choice.names
        case "allExcept":
            return name not in choice.names
        case "all":
            return True
        case "allViewer":
            return not name.startswith("cloudfront-")
        case "allViewerAndWhitelistCloudFront":
            return name in choice.names or not name.startswith("cloudfront-")
    raise ValueError(f"an unknown choice of CloudFront's: {choice.behaviour}")


def query(text: str, *choices: Choice) -> str:
    """The parts of a query that any of the choices means, as they were written and in their order."""
    return "&".join(part for part in text.split("&") if part and any(
        chosen(choice, part.partition("=")[0]) for choice in choices))


def cookies(header: str, *choices: Choice) -> str:
    """The same of a Cookie header."""
    parts = (part.strip() for part in header.split(";"))
    return "; ".join(part for part in parts if part and any(
        chosen(choice, part.partition("=")[0]) for choice in choices))


def encodings(policy: CachePolicy, accepted: str) -> str:
    """Accept-Encoding as CloudFront normalises it for the key and the origin: `br,gzip`, `gzip`, `br` or nothing."""
    refused = re.compile(r"\s*;\s*q\s*=\s*0(\.0*)?\s*$")
    names = {part.partition(";")[0].strip().lower() for part in accepted.split(",") if not refused.search(part)}
    offered = (("br", policy.brotli), ("gzip", policy.gzip))
    return ",".join(name for name, enabled in offered if enabled and (name in names or "*" in names))


def key(distribution: str, behaviour: Behaviour, method: str, path: str, text: str,
        headers: Mapping[str, str]) -> tuple[object, ...]:
    """What must be the same of two requests for one answer. HEAD is answered from what GET left. headers: also those
    that CloudFront adds; names in any case."""
    policy = behaviour.cache
    lower = {name.lower(): value for name, value in headers.items()}
    named = sorted((name, value) for name, value in lower.items()
                   if name != "cookie" and chosen(policy.selection.headers, name))
    return (distribution, "GET" if method == "HEAD" else method, path, query(text, policy.selection.queries),
            tuple(named), cookies(lower.get("cookie", ""), policy.selection.cookies),
            encodings(policy, lower.get("accept-encoding", "")))


def origin_query(behaviour: Behaviour, text: str) -> str:
    return query(text, *(each.queries for each in _selections(behaviour)))


def origin_headers(behaviour: Behaviour, headers: Mapping[str, str], added: Mapping[str, str], *, domain: str,
                   client: str, request_id: str, via: str, custom: Iterable[tuple[str, str]]) -> CIMultiDict[str]:
    """What the origin gets. domain: its name, the Host unless a policy sends the viewer's. added: CloudFront's own."""
    selections = _selections(behaviour)
    sent: CIMultiDict[str] = CIMultiDict({"Host": domain, "User-Agent": USER_AGENT})
    for name, value in {**headers, **added}.items():
        lower = name.lower()
        if lower in HOP_BY_HOP or lower in ("cookie", "accept-encoding", "x-forwarded-for", "via", "x-amz-cf-id"):
            continue
        if lower in _ALWAYS or _WEBSOCKET.match(lower) or any(chosen(each.headers, lower) for each in selections):
            sent[name] = value
    kept = cookies(next((value for name, value in headers.items() if name.lower() == "cookie"), ""),
                   *(each.cookies for each in selections))
    if kept:
        sent["Cookie"] = kept
    accepted = next((value for name, value in headers.items() if name.lower() == "accept-encoding"), "")
    if encoding := _encoding(behaviour, accepted):
        sent["Accept-Encoding"] = encoding
    before = next((value for name, value in headers.items() if name.lower() == "x-forwarded-for"), "")
    sent["X-Forwarded-For"] = f"{before}, {client}" if before else client
    sent["Via"] = via
    sent["X-Amz-Cf-Id"] = request_id
    for name, value in custom:
        sent[name] = value
    return sent


def _encoding(behaviour: Behaviour, accepted: str) -> str:
    """Normalised where the cache policy has encodings in its key; else only a policy can pass it on."""
    if behaviour.cache.gzip or behaviour.cache.brotli:
        return encodings(behaviour.cache, accepted)
    return accepted if any(chosen(each.headers, "accept-encoding") for each in _selections(behaviour)) else ""


def _selections(behaviour: Behaviour) -> list[Selection]:
    return [behaviour.cache.selection, *([behaviour.request] if behaviour.request is not None else [])]
