"""A load balancer as the controller wants it: plain values, equal when nothing is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class HealthCheck:
    """Defaults are the controller's."""

    path: str = "/"
    port: str = "traffic-port"
    protocol: str = "HTTP"
    interval_seconds: int = 15
    timeout_seconds: int = 5
    healthy_threshold: int = 2
    unhealthy_threshold: int = 2
    success_codes: str = "200"

    def accepts(self, status: int) -> bool:
        for part in self.success_codes.split(","):
            low, _, high = part.strip().partition("-")
            if int(low) <= status <= int(high or low):
                return True
        return False


@dataclass(frozen=True)
class TargetGroup:
    """`arn` is set for a group that the program made and a TargetGroupBinding or annotation names."""

    id: str  # the controller's resource id, "namespace/ingress-service:port", or the ARN
    name: str
    namespace: str = ""
    service: str = ""
    service_port: str = ""  # number or name, as the Ingress says it
    port: int = 1
    protocol: str = "HTTP"
    health: HealthCheck = HealthCheck()
    attributes: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    arn: str = ""

    def attribute(self, name: str, default: str) -> str:
        return dict(self.attributes).get(name, default)


@dataclass(frozen=True)
class Forward:
    weights: tuple[tuple[str, int], ...]  # target group id, weight
    sticky_seconds: int = 0  # of the target group; 0: not sticky


@dataclass(frozen=True)
class FixedResponse:
    status: int
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True)
class Redirect:
    """`#{protocol}` and so on stand for the request's own."""

    status: int = 301
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


Action: TypeAlias = Forward | FixedResponse | Redirect


@dataclass(frozen=True)
class Condition:
    """`field` as ELBv2 spells it: host-header, path-pattern, http-header, http-request-method, query-string, source-ip.

    `values` are alternatives; those of query-string are "key=value". `header` is for http-header.
    """

    field: str
    values: tuple[str, ...]
    header: str = ""


@dataclass(frozen=True)
class Authenticate:
    """A sign-in with a Cognito user pool. on_request: what an unauthenticated request gets: authenticate, deny, allow.
    """

    pool: str  # ARN
    client: str
    domain: str
    on_request: str = "authenticate"
    scope: str = "openid"
    cookie: str = "AWSELBAuthSessionCookie"
    session_seconds: int = 604800


@dataclass(frozen=True)
class Rule:
    conditions: tuple[Condition, ...]
    action: Action
    authenticate: Authenticate | None = None  # HTTPS listeners only


@dataclass(frozen=True)
class Listener:
    port: int
    protocol: str  # HTTP or HTTPS
    default: Action
    rules: tuple[Rule, ...] = ()  # in the order in which they are tried
    certificates: tuple[str, ...] = ()
    ssl_policy: str = ""


@dataclass(frozen=True)
class LoadBalancer:
    group: str  # "namespace/name" of one Ingress, or the name of an explicit group
    name: str
    scheme: str = "internal"
    listeners: tuple[Listener, ...] = ()
    target_groups: Mapping[str, TargetGroup] = field(default_factory=dict)
    attributes: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    security_groups: tuple[str, ...] = ()  # empty: one of the controller's own
    inbound_cidrs: tuple[str, ...] = ("0.0.0.0/0",)
    subnets: tuple[str, ...] = ()  # empty: found by their tags
    web_acl: str = ""

    def attribute(self, name: str, default: str) -> str:
        return dict(self.attributes).get(name, default)
