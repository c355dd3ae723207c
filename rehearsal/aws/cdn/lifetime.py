"""For how long an answer is kept: "Manage how long content stays in the cache", "How CloudFront processes HTTP 4xx and
5xx status codes" of the developer guide. All times in seconds."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping

from rehearsal.aws.cdn.model import CachePolicy, ErrorPage

# Errors that are kept whatever the origin says, and those for which it must say so (or an error page be configured).
ALWAYS_KEPT = frozenset({404, 414, 500, 501, 502, 503, 504})
KEPT_WHEN_SAID = frozenset({400, 403, 405, 412, 415})
_KEPT = frozenset({200, 203, 206, 300, 301, 302, 303, 307, 308, 410})


def directives(headers: Mapping[str, str]) -> dict[str, str]:
    """Of Cache-Control, names in lower case; those without a value have an empty one."""
    found = next((value for name, value in headers.items() if name.lower() == "cache-control"), "")
    pairs = (part.strip().partition("=") for part in found.split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name}


def lifetime(policy: CachePolicy, status: int, headers: Mapping[str, str], now: float,
             error: ErrorPage | None = None) -> float:
    """0: not kept. now: seconds since the epoch, for Expires. error: what the distribution says of this status."""
    if status >= 400 and status != 410:
        return _of_error(status, headers, now, error)
    if status not in _KEPT or status == 206:
        return 0.0
    said = directives(headers)
    if said.keys() & {"no-store", "no-cache", "private"}:
        return float(policy.minimum)
    asked = _asked(said, headers, now)
    if asked is None:
        return float(min(max(policy.default, policy.minimum), policy.maximum))
    return min(max(asked, float(policy.minimum)), float(policy.maximum))


def _of_error(status: int, headers: Mapping[str, str], now: float, error: ErrorPage | None) -> float:
    """At least the error's minimum, longer when the origin says so."""
    asked = _asked(directives(headers), headers, now)
    if status not in ALWAYS_KEPT and not (status in KEPT_WHEN_SAID and (asked is not None or error is not None)):
        return 0.0
    return max(float((error or ErrorPage()).minimum), asked or 0.0)


def _asked(said: Mapping[str, str], headers: Mapping[str, str], now: float) -> float | None:
    """s-maxage before max-age before Expires; an Expires that is no date has passed already (RFC 9111, 5.3)."""
    for name in ("s-maxage", "max-age"):
        if re.fullmatch(r"\d{1,10}", said.get(name, "")):
            return float(said[name])
    expires = next((value for name, value in headers.items() if name.lower() == "expires"), None)
    if expires is None:
        return None
    try:
        return max(0.0, email.utils.parsedate_to_datetime(expires).timestamp() - now)
    except ValueError:
        return 0.0
