"""What only operators reach: the sign-in before it, and the Ingress of the tools in `monitoring` (E6, N7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from infra.plans import ingress
from infra.plans.hosts import Hosts

TOOLS_NAME = "candlefish-tools"
TOOLS_ORDER = ingress.LAST_ORDER + 1
REDIRECT_ACTION = "to-grafana"
CALLBACK_PATH = "/oauth2/idpresponse"  # where the load balancer takes a sign-in back; its own path, not ours
SESSION_SECONDS = 8 * 3600


@dataclass(frozen=True)
class Tool:
    """A Service of `monitoring` that operators know (E4) and the role of its host name."""

    role: str
    service: str
    port: int


TOOLS = (Tool("grafana", "grafana", 3000), Tool("prometheus", "prometheus-stack-kube-prom-prometheus", 9090))


def callback_urls(hosts: Hosts) -> list[str]:
    """Of every name behind the sign-in. The load balancer comes back to the name that was asked for."""
    return [f"https://{host}{CALLBACK_PATH}" for host in (hosts.apex, *hosts.operators)]


def identity_provider(pool_arn: str, client_id: str, domain: str) -> str:
    """The controller's `auth-idp-cognito`. The client's secret isn't in it: the controller asks Cognito for it."""
    return json.dumps({"userPoolARN": pool_arn, "userPoolClientID": client_id, "userPoolDomain": domain})


def sign_in_annotations(provider: Any) -> dict[str, Any]:
    """For every rule of an Ingress: nobody passes without a session. provider: as `identity_provider` writes it."""
    return {
        f"{ingress.PREFIX}/auth-type": "cognito",
        f"{ingress.PREFIX}/auth-idp-cognito": provider,
        f"{ingress.PREFIX}/auth-on-unauthenticated-request": "authenticate",
        f"{ingress.PREFIX}/auth-scope": "openid",
        f"{ingress.PREFIX}/auth-session-timeout": str(SESSION_SECONDS),
    }


def tools_annotations(hosts: Hosts, ranges: Sequence[IPv4Network], provider: Any) -> dict[str, Any]:
    """ranges: where requests may come from; all others get the load balancer's 404."""
    from_ranges = json.dumps([{"field": "source-ip", "sourceIpConfig": {"values": [str(cidr) for cidr in ranges]}}])
    redirect = {"type": "redirect", "redirectConfig": {"host": hosts.grafana, "port": "443", "protocol": "HTTPS",
                                                       "statusCode": "HTTP_302"}}
    return {
        **ingress.Member(TOOLS_NAME, TOOLS_ORDER, (), {}).annotations,
        **sign_in_annotations(provider),
        # Both tools answer `/` with a redirect to their first page.
        f"{ingress.PREFIX}/healthcheck-path": "/",
        f"{ingress.PREFIX}/success-codes": "200-399",
        f"{ingress.PREFIX}/actions.{REDIRECT_ACTION}": json.dumps(redirect),
        **{f"{ingress.PREFIX}/conditions.{name}": from_ranges
           for name in (*(tool.service for tool in TOOLS), REDIRECT_ACTION)},
    }


def tools_rules(hosts: Hosts) -> list[dict[str, Any]]:
    backends = {hosts.by_role[tool.role]: {"name": tool.service, "port": {"number": tool.port}} for tool in TOOLS}
    backends[hosts.monitoring] = {"name": REDIRECT_ACTION, "port": {"name": "use-annotation"}}
    return [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": backend}}]}}
            for host, backend in backends.items()]
