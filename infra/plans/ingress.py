"""The front door's Ingress as the AWS Load Balancer Controller reads it: rules, actions, settings (N7, E6)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.plans.edge import BLOCKED_PATHS, Hosts
from infra.settings.model import Service

NAME = "candlefish-ingress"
CLASS = "alb"
PREFIX = "alb.ingress.kubernetes.io"
WEBSOCKET_PATH = "/ws"
# CloudFront cuts a WebSocket after 10 minutes without data; the load balancer must not be the first.
IDLE_TIMEOUT_SECONDS = 600
# A reconnecting WebSocket finds the colour that it left. Short, because a client with the cookie follows a switch only
# when it has run out. By target group and not by pod: AWS refuses the latter behind weighted groups without the former.
STICKINESS_SECONDS = 60
HEALTH_CHECK_INTERVAL_SECONDS = 10
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
BLOCKED_ACTION = "blocked"
DEFAULT_HOST = "apex"
TAG_CLUSTER = "elbv2.k8s.aws/cluster"
TAG_STACK = "ingress.k8s.aws/stack"
TAG_RESOURCE = "ingress.k8s.aws/resource"


@dataclass(frozen=True)
class Route:
    """Requests for `host` below `path` go to `service`."""

    host: str
    path: str
    service: str


def routes(services: Sequence[Service], hosts: Hosts) -> tuple[Route, ...]:
    """All routes, by host and then from the longest path to the shortest. Two services for one place are an error."""
    found: dict[tuple[str, str], str] = {}
    for service in services:
        for role in (service.hosts or (DEFAULT_HOST,)) if service.paths else ():
            host = host_name(role, hosts, service)
            for path in service.paths:
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


def forward_action(service: Service) -> dict[str, Any]:
    """All traffic on blue, none on green: operations move the weights."""
    port = service.service_port or service.port
    forward: dict[str, Any] = {"targetGroups": [
        {"serviceName": f"{service.name}-blue", "servicePort": port, "weight": 100},
        {"serviceName": f"{service.name}-green", "servicePort": port, "weight": 0},
    ]}
    if WEBSOCKET_PATH in service.paths:
        forward["targetGroupStickinessConfig"] = {"enabled": True, "durationSeconds": STICKINESS_SECONDS}
    return {"type": "forward", "forwardConfig": forward}


def blocked_action() -> dict[str, Any]:
    return {"type": "fixed-response",
            "fixedResponseConfig": {"contentType": "text/plain", "statusCode": "404", "messageBody": "not found"}}


def root_rewrite() -> list[dict[str, Any]]:
    """CloudFront asks for its default root object where the viewer asked for `/`; the site has no such page."""
    return [{"type": "url-rewrite",
             "urlRewriteConfig": {"rewrites": [{"regex": "^/index\\.html$", "replace": "/"}]}}]


def action_annotation(service: str) -> str:
    return f"{PREFIX}/actions.{service}"


def owned_by_operations(services: Sequence[Service]) -> list[str]:
    """Weights, and the fixed response of the maintenance mode, which takes the action's place (K10, O6)."""
    return [f'metadata.annotations["{action_annotation(service.name)}"]' for service in fronted(services)]


def ingress_annotations(services: Sequence[Service], *, certificate_arn: Any, web_acl_arn: Any, subnets: Any,
                tags: Mapping[str, str], load_balancer_attributes: Any) -> dict[str, Any]:
    """`subnets` and `load_balancer_attributes` as strings of the controller: `a,b` and `k=v,k=v`."""
    found: dict[str, Any] = {
        f"{PREFIX}/scheme": "internet-facing",
        f"{PREFIX}/target-type": "ip",
        f"{PREFIX}/ip-address-type": "ipv4",
        f"{PREFIX}/subnets": subnets,
        f"{PREFIX}/listen-ports": json.dumps([{"HTTP": 80}, {"HTTPS": 443}]),
        f"{PREFIX}/ssl-redirect": "443",
        f"{PREFIX}/ssl-policy": TLS_POLICY,
        f"{PREFIX}/certificate-arn": certificate_arn,
        f"{PREFIX}/wafv2-acl-arn": web_acl_arn,
        f"{PREFIX}/load-balancer-attributes": load_balancer_attributes,
        f"{PREFIX}/tags": string_map(tags),
        f"{PREFIX}/actions.{BLOCKED_ACTION}": json.dumps(blocked_action()),
    }
    for service in fronted(services):
        found[action_annotation(service.name)] = json.dumps(forward_action(service))
        if "/" in service.paths:
            found[f"{PREFIX}/transforms.{service.name}"] = json.dumps(root_rewrite())
    return found


def attributes(access_logs_bucket: str | None, prefix: str) -> str:
    """Load balancer attributes. Deletion protection stays off: the controller must be able to take it down."""
    found = {
        "idle_timeout.timeout_seconds": str(IDLE_TIMEOUT_SECONDS),
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http2.enabled": "true",
        "deletion_protection.enabled": "false",
    }
    if access_logs_bucket:
        found |= {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": access_logs_bucket,
                  "access_logs.s3.prefix": prefix}
    return string_map(found)


def string_map(values: Mapping[str, str]) -> str:
    """The controller's `stringMap`. It knows no escape for its separators, so a value with one is an error."""
    for key, value in values.items():
        if set("=,") & set(key) or "," in value:
            raise ValueError(f"{key}={value!r} cannot be written in an annotation of the load balancer controller: "
                             "`,` separates its pairs; use another value")
    return ",".join(f"{key}={value}" for key, value in values.items())


def rules(services: Sequence[Service], hosts: Hosts) -> list[dict[str, Any]]:
    """Rules of the Ingress, a host each: the blocked paths, then the services' paths, the longest first."""
    table = routes(services, hosts)
    found = []
    for host in sorted({route.host for route in table}):
        paths = [*((path, BLOCKED_ACTION) for path in BLOCKED_PATHS),
                 *((route.path, route.service) for route in table if route.host == host)]
        paths.sort(key=lambda item: (-len(item[0]), item[0]))
        found.append({"host": host, "http": {"paths": [_path(path, action) for path, action in paths]}})
    return found


def priorities(services: Sequence[Service], hosts: Hosts) -> dict[int, Route]:
    """Priority of the listener's rule → what it is for. `service` is BLOCKED_ACTION for a blocked path.

    The controller makes one rule of each path, in the order of the Ingress, from 1; of paths of one host and one type
    the longer ones come first, as in `rules`.
    """
    ordered = [Route(rule["host"], path["path"], path["backend"]["service"]["name"])
               for rule in rules(services, hosts) for path in rule["http"]["paths"]]
    return dict(enumerate(ordered, start=1))


def matches(conditions: Sequence[Mapping[str, Any]], route: Route) -> bool:
    """Whether a listener rule's conditions, as `aws:lb/getListenerRule` answers them, are those of the route.

    The controller writes the prefix `/brand` as the patterns `/brand` and `/brand/*`, and `/` as `/*`.
    """
    def values(field: str) -> set[str]:
        return {value for condition in conditions for part in condition.get(field) or () for value in part["values"]}

    patterns = {"/*"} if route.path == "/" else {route.path, f"{route.path}/*"}
    return values("hostHeaders") == {route.host} and values("pathPatterns") == patterns


def _path(path: str, action: str) -> dict[str, Any]:
    return {"path": path, "pathType": "Prefix",
            "backend": {"service": {"name": action, "port": {"name": "use-annotation"}}}}


def health_check_annotations(service: Service) -> dict[str, str]:
    """The load balancer's health check, on the colour's Service: each service has a path of its own."""
    return {
        f"{PREFIX}/healthcheck-path": service.probe.path,
        f"{PREFIX}/healthcheck-interval-seconds": str(HEALTH_CHECK_INTERVAL_SECONDS),
        f"{PREFIX}/healthcheck-timeout-seconds": str(max(2, service.probe.timeout_seconds)),
        f"{PREFIX}/healthy-threshold-count": "2",
        f"{PREFIX}/unhealthy-threshold-count": "2",
        f"{PREFIX}/success-codes": "200",
        f"{PREFIX}/target-group-attributes":
            f"deregistration_delay.timeout_seconds={service.drain_seconds}",
    }


def load_balancer_tags(cluster: str, namespace: str) -> dict[str, str]:
    """How the controller tags the load balancer of our Ingress."""
    return {TAG_CLUSTER: cluster, TAG_STACK: f"{namespace}/{NAME}", TAG_RESOURCE: "LoadBalancer"}


def target_group_tags(cluster: str, namespace: str, service: Service, colour: str) -> dict[str, str]:
    """How the controller tags the target group of a colour: `{namespace}/{ingress}-{service}:{port}`."""
    port = service.service_port or service.port
    return {TAG_CLUSTER: cluster, TAG_STACK: f"{namespace}/{NAME}",
            TAG_RESOURCE: f"{namespace}/{NAME}-{service.name}-{colour}:{port}"}
