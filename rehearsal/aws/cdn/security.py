"""The response-headers policy on an answer (developer guide, "Understand response headers policies").

It works on what leaves the cache, before the viewer-response function. Where an item does not override, the origin's
own header wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from multidict import CIMultiDict

_NEVER_REMOVED = frozenset({"connection", "content-encoding", "content-length", "expect", "host", "keep-alive",
                            "proxy-authenticate", "proxy-authorization", "proxy-connection", "trailer",
                            "transfer-encoding", "upgrade", "via", "warning", "x-amz-cf-id", "x-amz-cf-pop",
                            "x-cache"})
_CORS = tuple(f"Access-Control-{name}" for name in (
    "Allow-Origin", "Allow-Credentials", "Allow-Headers", "Allow-Methods", "Expose-Headers", "Max-Age"))
_ALL_METHODS = "GET, DELETE, HEAD, OPTIONS, PATCH, POST, PUT"


def apply(policy: Mapping[str, Any], headers: CIMultiDict[str], *, method: str, asked: Mapping[str, str]) -> None:
    """Changes `headers`. policy: CloudFront's ResponseHeadersPolicyConfig. asked: the viewer's headers, of which CORS
    needs Origin and what a preflight asks for."""
    for item in _items(policy, "RemoveHeadersConfig"):
        if item["Header"].lower() not in _NEVER_REMOVED:
            headers.popall(item["Header"], None)
    if policy.get("CorsConfig"):
        _cors(policy["CorsConfig"], headers, method, {name.lower(): value for name, value in asked.items()})
    for name, value, override in (*_security(policy.get("SecurityHeadersConfig") or {}), *(
            (item["Header"], item["Value"], item["Override"]) for item in _items(policy, "CustomHeadersConfig"))):
        if override or name not in headers:
            headers[name] = value


def _items(policy: Mapping[str, Any], part: str) -> list[Any]:
    return list((policy.get(part) or {}).get("Items") or ())


def _security(config: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    found = []
    if one := config.get("ContentSecurityPolicy"):
        found.append(("Content-Security-Policy", one["ContentSecurityPolicy"], one["Override"]))
    if one := config.get("ContentTypeOptions"):
        found.append(("X-Content-Type-Options", "nosniff", one["Override"]))
    if one := config.get("FrameOptions"):
        found.append(("X-Frame-Options", one["FrameOption"], one["Override"]))
    if one := config.get("ReferrerPolicy"):
        found.append(("Referrer-Policy", one["ReferrerPolicy"], one["Override"]))
    if one := config.get("StrictTransportSecurity"):
        value = f"max-age={one['AccessControlMaxAgeSec']}"
        value += "; includeSubDomains" if one.get("IncludeSubdomains") else ""
        value += "; preload" if one.get("Preload") else ""
        found.append(("Strict-Transport-Security", value, one["Override"]))
    if one := config.get("XSSProtection"):
        value = "1" if one["Protection"] else "0"
        value += "; mode=block" if one.get("ModeBlock") else f"; report={one['ReportUri']}" if one.get(
            "ReportUri") else ""
        found.append(("X-XSS-Protection", value, one["Override"]))
    return found


def _cors(config: Mapping[str, Any], headers: CIMultiDict[str], method: str, asked: Mapping[str, str]) -> None:
    """Only for a request with an Origin that is allowed. Without override an origin that sends any CORS header has said
    all there is."""
    if "origin" not in asked or (not config["OriginOverride"] and any(name in headers for name in _CORS)):
        return
    allowed = config["AccessControlAllowOrigins"]["Items"]
    if not any(_is_origin(pattern, asked["origin"]) for pattern in allowed):
        return
    for name in _CORS:
        headers.popall(name, None)
    everyone = "*" in allowed and not config["AccessControlAllowCredentials"]
    headers["Access-Control-Allow-Origin"] = "*" if everyone else asked["origin"]
    if not everyone:
        headers["Vary"] = ", ".join(dict.fromkeys([*headers.getall("Vary", []), "Origin"]))
    if config["AccessControlAllowCredentials"]:
        headers["Access-Control-Allow-Credentials"] = "true"
    if exposed := (config.get("AccessControlExposeHeaders") or {}).get("Items"):
        headers["Access-Control-Expose-Headers"] = ", ".join(exposed)
    if method != "OPTIONS" or "access-control-request-method" not in asked:
        return
    methods = config["AccessControlAllowMethods"]["Items"]
    headers["Access-Control-Allow-Methods"] = _ALL_METHODS if "ALL" in methods else ", ".join(methods)
    names = config["AccessControlAllowHeaders"]["Items"]
    if "*" in names and "access-control-request-headers" in asked:
        headers["Access-Control-Allow-Headers"] = asked["access-control-request-headers"]
    else:
        headers["Access-Control-Allow-Headers"] = ", ".join(names)
    if config.get("AccessControlMaxAgeSec") is not None:
        headers["Access-Control-Max-Age"] = str(config["AccessControlMaxAgeSec"])


def _is_origin(pattern: str, origin: str) -> bool:
    """`https://*.example.com` means subdomains; a pattern without a scheme means both."""
    if pattern == "*":
        return True
    scheme, _, host = origin.partition("://")
    wanted_scheme, found, wanted = pattern.partition("://")
    if not found:
        wanted, wanted_scheme = pattern, scheme
    same = host == wanted or (wanted.startswith("*.") and host.endswith(wanted[1:]))
    return scheme == wanted_scheme and same
