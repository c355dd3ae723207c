"""The front door's Ingresses as the AWS Load Balancer Controller reads them: rules, actions, settings (N7, E6)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from infra.plans.firewall import BLOCKED_PATHS, OPERATOR_PATHS
from infra.plans.hosts import Hosts
from infra.settings.model import Service

NAME = "candlefish-ingress"
CLASS = "candlefish"
PREFIX = "alb.ingress.kubernetes.io"
WEBSOCKET_PATH = "/ws"
# A reconnecting WebSocket finds the colour that it left. Short, because a client with the cookie follows a switch only
# when it has run out. By target group and not by pod: AWS refuses the latter behind weighted groups without the former.
STICKINESS_SECONDS = 60
HEALTH_CHECK_INTERVAL_SECONDS = 10
BLOCKED_ACTION = "blocked"
DEFAULT_HOST = "apex"
HEALTH_PATH = "/health"  # what Route 53 asks of the load balancer's own name

# The maintenance mode (O6): a Service of this name answers every request that is neither blocked nor a health check.
MAINTENANCE = "maintenance"
MAINTENANCE_PORT = 8080
# Operations write `[]` into the annotation, and the page is on. With the condition below it answers only those who ask
# for it, so that it can be looked at before.
MAINTENANCE_SWITCH = f"{PREFIX}/conditions.{MAINTENANCE}"
MAINTENANCE_HEADER = "x-candlefish-maintenance"
MAINTENANCE_OFF = json.dumps([{"field": "http-header", "httpHeaderConfig": {
    "httpHeaderName": MAINTENANCE_HEADER, "values": ["preview"]}}])
MAINTENANCE_ON = "[]"

# Places in the group's order: rules of a lower one are tried first. What is blocked, and health checks, come before the
# maintenance page, and that before the services.
DOOR_ORDER, MAINTENANCE_ORDER, SERVICES_ORDER, LAST_ORDER = 10, 20, 100, 900


@dataclass(frozen=True)
class Route:
    """Requests for `host` below `path` go to `service`."""

    host: str
    path: str
    service: str


@dataclass(frozen=True)
class Member:
    """One Ingress of the group: its name, its place in the order, its routes, and `actions`: name → JSON."""

    name: str
    order: int
    routes: tuple[Route, ...]
    actions: Mapping[str, Any]
    more: Mapping[str, str] = field(default_factory=dict)  # further annotations, whole names

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The Ingress's rules, a host each, of its paths the longest first."""
        found = []
        for host in sorted({route.host for route in self.routes}):
            paths = sorted((route for route in self.routes if route.host == host),
                           key=lambda route: (-len(route.path), route.path))
            found.append({"host": host, "http": {"paths": [
                {"path": route.path, "pathType": "Prefix",
                 "backend": {"service": {"name": route.service, "port": {"name": "use-annotation"}}}}
                for route in paths]}})
        return found

    @property
    def annotations(self) -> dict[str, str]:
        """Its own; those of the load balancer as a whole are `door_annotations`."""
        return {f"{PREFIX}/group.order": str(self.order), f"{PREFIX}/target-type": "ip",
                f"{PREFIX}/listen-ports": json.dumps([{"HTTPS": 443}]),
                **{action_annotation(name): json.dumps(action) for name, action in self.actions.items()}, **self.more}


def routes(services: Sequence[Service], hosts: Hosts, also: Hosts | None = None) -> tuple[Route, ...]:
    """All routes of services, by host and then from the longest path to the shortest. Two services for one place are
    an error. also: the names of another stack lead to the same places."""
    found: dict[tuple[str, str], str] = {}
    for service in services:
        for role in (service.hosts or (DEFAULT_HOST,)) if service.paths else ():
            for host, path in product([host_name(role, names, service) for names in (hosts, also) if names],
                                      service.paths):
                if not path.startswith("/"):
                    raise ValueError(f"service {service.name}: path {path!r} must start with /")
                other = found.setdefault((host, path), service.name)
                if other != service.name:
                    raise ValueError(f"services {other} and {service.name} both take https://{host}{path}; "
                                     "change `paths` or `hosts` of one of them in the stack file")
    order = sorted(found, key=lambda place: (place[0], -len(place[1]), place[1]))
    return tuple(Route(host, path, found[host, path]) for host, path in order)


def host_name(role: str, hosts: Hosts, service: Service) -> str:
    allowed = {"apex": hosts.apex, "www": hosts.www, "api": hosts.api}
    if role not in allowed:
        raise ValueError(f"service {service.name}: host {role!r} is not one of {', '.join(allowed)}")
    return allowed[role]


def fronted(services: Sequence[Service]) -> tuple[Service, ...]:
    """Services that the front door reaches."""
    return tuple(service for service in services if service.paths)


def members(services: Sequence[Service], hosts: Hosts, also: Hosts | None = None) -> tuple[Member, ...]:
    """The group's Ingresses in the order in which their rules are tried.

    `candlefish-ingress` has what is the same for all: blocked paths and the health checks of services at a host's root.
    The maintenance page has one, and each service one of its own, so that operations own an annotation of it without
    sharing an object with the program's settings.
    """
    table = routes(services, hosts, also)
    named = {service.name: service for service in services}
    everywhere = sorted({route.host for route in table})
    door = [Route(host, path, BLOCKED_ACTION) for host in everywhere for path in BLOCKED_PATHS]
    checks: dict[str, Any] = {}
    for route in table:
        if route.path == "/":
            service = named[route.service]
            checks[f"{service.name}-health"] = _forward({"serviceName": service.name, "weight": 1}, service=service)
            door += [Route(route.host, path, f"{service.name}-health")
                     for path in dict.fromkeys((service.probe.path, *service.health_paths))]
            if route.host == hosts.api:
                door.append(Route(hosts.direct, HEALTH_PATH, f"{service.name}-health"))
    found = [
        Member(NAME, DOOR_ORDER, tuple(door), {BLOCKED_ACTION: blocked_action(), **checks}),
        Member(MAINTENANCE, MAINTENANCE_ORDER, tuple(Route(host, "/", MAINTENANCE) for host in everywhere),
               {MAINTENANCE: {"type": "forward", "forwardConfig": {"targetGroups": [
                   {"serviceName": MAINTENANCE, "servicePort": MAINTENANCE_PORT, "weight": 1}]}}},
               {MAINTENANCE_SWITCH: MAINTENANCE_OFF})]
    for service in fronted(services):
        own = tuple(route for route in table if route.service == service.name)
        root = {f"{PREFIX}/transforms.{service.name}": json.dumps(root_rewrite())} if "/" in service.paths else {}
        found.append(Member(service.name, _place(service), own, {service.name: forward_action(service)}, root))
    ordered = tuple(sorted(found, key=lambda member: (member.order, member.name)))
    _refuse_shadows(ordered[2:])
    return ordered


def for_operators(service: Service) -> bool:
    """Whether the service is behind the sign-in. Raises ValueError for one that is so on some of its paths only."""
    behind = [path in OPERATOR_PATHS for path in service.paths]
    if any(behind) and not all(behind):
        raise ValueError(f"service {service.name}: of its paths {', '.join(service.paths)} only some are for operators "
                         f"({', '.join(OPERATOR_PATHS)}); a service is either behind the sign-in or not")
    return any(behind)


def _place(service: Service) -> int:
    """By the service's shortest path, and by nothing of other services: a new one moves none."""
    return max(SERVICES_ORDER, LAST_ORDER - min(len(path) for path in service.paths))


def _refuse_shadows(ordered: Sequence[Member]) -> None:
    seen: list[Route] = []
    for member in ordered:
        for route in member.routes:
            for earlier in seen:
                if earlier.host == route.host and below(route.path, earlier.path):
                    raise ValueError(
                        f"service {route.service}: https://{route.host}{route.path} is never reached, because "
                        f"{earlier.service} takes {earlier.path} and is asked first; a service's rules come together, "
                        "those with the longer shortest path first. Change `paths` of one of them in the stack file")
        seen += member.routes


def below(path: str, prefix: str) -> bool:
    """Whether a rule for `prefix` takes `path`: `/brand` takes `/brand/x` but not `/brands`."""
    return prefix == "/" or path == prefix or path.startswith(f"{prefix.rstrip('/')}/")


def forward_action(service: Service) -> dict[str, Any]:
    """All traffic on blue, none on green: operations move the weights."""
    action = _forward({"serviceName": f"{service.name}-blue", "weight": 100},
                      {"serviceName": f"{service.name}-green", "weight": 0}, service=service)
    if WEBSOCKET_PATH in service.paths:
        action["forwardConfig"]["targetGroupStickinessConfig"] = {"enabled": True,
                                                                  "durationSeconds": STICKINESS_SECONDS}
    return action


def _forward(*groups: dict[str, Any], service: Service) -> dict[str, Any]:
    port = service.service_port or service.port
    return {"type": "forward", "forwardConfig": {"targetGroups": [{**group, "servicePort": port} for group in groups]}}


def blocked_action() -> dict[str, Any]:
    return {"type": "fixed-response",
            "fixedResponseConfig": {"contentType": "text/plain", "statusCode": "404", "messageBody": "not found"}}


def root_rewrite() -> list[dict[str, Any]]:
    """CloudFront asks for its default root object where the viewer asked for `/`; the site has no such page.

    The pattern is held against path and query ("Transforms for listener rules"); the group is never without a match.
    """
    return [{"type": "url-rewrite",
             "urlRewriteConfig": {"rewrites": [{"regex": "^/index\\.html(\\?.*|)$", "replace": "/$1"}]}}]


def action_annotation(service: str) -> str:
    return f"{PREFIX}/actions.{service}"


# Of every member but `candlefish-ingress`: weights, and the maintenance page's condition (K10, O6). Written when the
# member is made and never again; what must follow the settings is on `candlefish-ingress`, on its class or on Services.
OWNED_BY_OPERATIONS = ["metadata.annotations"]


def priorities(group: Sequence[Member]) -> dict[int, Route]:
    """Priority of the listener's rule → what it is for. The controller makes one rule of each path, from 1, in the
    order of the group and then of the Ingress; of paths of one host and one type the longer ones come first."""
    ordered = [Route(rule["host"], path["path"], path["backend"]["service"]["name"])
               for member in group for rule in member.rules for path in rule["http"]["paths"]]
    return dict(enumerate(ordered, start=1))


def matches(conditions: Sequence[Mapping[str, Any]], route: Route) -> bool:
    """Whether a listener rule's conditions, as `aws:lb/getListenerRule` answers them, are those of the route.

    The controller writes the prefix `/brand` as the patterns `/brand` and `/brand/*`, and `/` as `/*`.
    """
    def values(field: str) -> set[str]:
        return {value for condition in conditions for part in condition.get(field) or () for value in part["values"]}

    patterns = {"/*"} if route.path == "/" else {route.path, f"{route.path}/*"}
    return values("hostHeaders") == {route.host} and values("pathPatterns") == patterns


def health_check_annotations(service: Service) -> dict[str, str]:
    """The load balancer's health check, on the colour's Service: each service has a path of its own."""
    return health_checks(service.probe.path, service.probe.timeout_seconds, service.drain_seconds)


def health_checks(path: str, timeout_seconds: int, drain_seconds: int) -> dict[str, str]:
    return {
        f"{PREFIX}/healthcheck-path": path,
        f"{PREFIX}/healthcheck-interval-seconds": str(HEALTH_CHECK_INTERVAL_SECONDS),
        f"{PREFIX}/healthcheck-timeout-seconds": str(max(2, timeout_seconds)),
        f"{PREFIX}/healthy-threshold-count": "2",
        f"{PREFIX}/unhealthy-threshold-count": "2",
        f"{PREFIX}/success-codes": "200",
        f"{PREFIX}/target-group-attributes": f"deregistration_delay.timeout_seconds={drain_seconds}",
    }
