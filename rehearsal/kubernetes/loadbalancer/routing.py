"""Which action a request gets: a listener's rules in order, as an Application Load Balancer tries them."""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from rehearsal.kubernetes.loadbalancer.model import Action, Condition, Listener, LoadBalancer, Redirect, Rule


@dataclass(frozen=True)
class Request:
    method: str
    host: str  # without a port
    path: str
    query: str
    headers: Mapping[str, str]  # case-insensitive
    source: str


@lru_cache(maxsize=4096)
def _pattern(text: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(text), re.IGNORECASE if ignore_case else 0)


def matches(condition: Condition, request: Request) -> bool:
    """Hosts and headers without regard to case, paths with; `*` and `?` as wildcards."""
    match condition.field:
        case "host-header":
            return _any(condition.values, request.host, True)
        case "path-pattern":
            return _any(condition.values, request.path, False)
        case "http-request-method":
            return request.method in condition.values
        case "http-header":
            value = request.headers.get(condition.header)
            return value is not None and _any(condition.values, value, True)
        case "query-string":
            given = parse_qsl(request.query, keep_blank_values=True)
            return any(_query(wanted, given) for wanted in condition.values)
        case "source-ip":
            address = ipaddress.ip_address(request.source)
            return any(address in ipaddress.ip_network(cidr) for cidr in condition.values)
    raise ValueError(f"unknown condition {condition.field!r}")


def _any(patterns: Iterable[str], text: str, ignore_case: bool) -> bool:
    return any(_pattern(pattern, ignore_case).match(text) for pattern in patterns)


def _query(wanted: str, given: list[tuple[str, str]]) -> bool:
    key, _, value = wanted.partition("=")
    return any((not key or _pattern(key, True).match(name)) and _pattern(value, True).match(text)
               for name, text in given)


def rule_for(listener: Listener, request: Request) -> Rule:
    """The first that fits, or one of no conditions with the listener's default."""
    return next((rule for rule in listener.rules
                 if all(matches(condition, request) for condition in rule.conditions)), Rule((), listener.default))


def action_for(listener: Listener, request: Request) -> Action:
    return rule_for(listener, request).action


def choose(balancers: Iterable[LoadBalancer], request: Request, hostnames: Mapping[str, str]) -> LoadBalancer | None:
    """All load balancers share one front door: the one whose DNS name is asked for (`hostnames`: DNS name → group),
    else one with a rule for the request, else the first."""
    ordered = sorted(balancers, key=lambda each: each.group)
    asked = hostnames.get(request.host)
    for balancer in ordered:
        if balancer.group == asked:
            return balancer
    for balancer in ordered:
        listener = main_listener(balancer)
        if listener is not None and any(all(matches(condition, request) for condition in rule.conditions)
                                        for rule in listener.rules):
            return balancer
    return ordered[0] if ordered else None


def main_listener(balancer: LoadBalancer, port: int | None = None) -> Listener | None:
    """The listener with that port; without one HTTPS before HTTP."""
    found = [each for each in balancer.listeners if port is None or each.port == port]
    return min(found, key=lambda each: (each.protocol != "HTTPS", each.port), default=None)


def location(redirect: Redirect, listener: Listener, request: Request) -> str:
    values = {"protocol": listener.protocol.lower(), "host": request.host, "port": str(listener.port),
              "path": request.path.removeprefix("/"), "query": request.query}

    def fill(text: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda found: values.get(found[1], ""), text)

    query = fill(redirect.query)
    protocol, port = fill(redirect.protocol).lower(), fill(redirect.port)
    shown = "" if (protocol, port) in (("http", "80"), ("https", "443")) else f":{port}"
    return f"{protocol}://{fill(redirect.host)}{shown}{fill(redirect.path)}" + (f"?{query}" if query else "")
