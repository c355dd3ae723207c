"""The public names as DNS records, and the health checks of what stands behind them (E6, N2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans.hosts import Hosts

CHECK_SECONDS = 30
CHECK_FAILURES = 3  # a minute and a half until a name fails over
IPV4, BOTH = ("A",), ("A", "AAAA")


@dataclass(frozen=True)
class Target:
    """What an alias points at. zone_id: of the hosted zone that the target's service keeps."""

    domain: pulumi.Input[str]
    zone_id: pulumi.Input[str]


@dataclass(frozen=True)
class RecordsArgs:
    """load_balancer: the ALB; site, static: the two distributions; websocket, rest: the APIs' regional
    domains."""

    hosts: Hosts
    zone_id: pulumi.Input[str]
    site: Target
    static: Target
    load_balancer: Target
    websocket: Target
    rest: Target


class Records(Component):
    """Aliases of all public names. The load balancer and the APIs have IPv4 only, so their names have A only.

    `api` and `origin` fail over: the primary is this stack's load balancer for as long as its health check passes, the
    secondary is whatever operations point it at (another region's front door); a new one points at the same place. A
    planned failover inverts the health check. Both are operations' own, and `up` leaves exactly these alone.
    """

    module = "edge"

    names: Mapping[str, str]  # role → name
    health_check_ids: pulumi.Output[dict[str, str]]  # "frontDoor", "site"

    def __init__(self, name: str, args: RecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        hosts = args.hosts
        front_door = self._check("front-door", hosts.direct, "/health", ignore_changes=["invertHealthcheck"])
        site = self._check("site", hosts.apex, "/api/health")

        for role in ("apex", "www"):
            self._alias(role, BOTH, args.site)
        for role in ("assets", "docs", "status"):
            self._alias(role, BOTH, args.static)
        for role in ("direct", "grafana", "monitoring", "prometheus"):
            self._alias(role, IPV4, args.load_balancer, evaluate=True)
        self._alias("ws", IPV4, args.websocket)
        self._alias("rest", IPV4, args.rest)
        for role in ("api", "origin"):
            self._failover(role, "PRIMARY", health_check_id=front_door.id)
            self._failover(role, "SECONDARY", ignore_changes=["aliases"])

        self.names = hosts.by_role
        self.health_check_ids = pulumi.Output.all(frontDoor=front_door.id, site=site.id)
        self.register_outputs({"names": dict(self.names), "healthCheckIds": self.health_check_ids})

    def _check(self, purpose: str, host: str, path: str, **options: Any) -> aws.route53.HealthCheck:
        return aws.route53.HealthCheck(
            f"{self._name}-{purpose}", type="HTTPS", fqdn=host, port=443, resource_path=path, enable_sni=True,
            request_interval=CHECK_SECONDS, failure_threshold=CHECK_FAILURES, invert_healthcheck=False,
            tags={"Name": f"{host}{path}"}, opts=self.child(**options))

    def _alias(self, role: str, kinds: Sequence[str], target: Target, *, evaluate: bool = False) -> None:
        """evaluate: CloudFront's and API Gateway's aliases have no health to evaluate."""
        for kind in kinds:
            aws.route53.Record(
                f"{self._name}-{role}-{kind.lower()}", zone_id=self._args.zone_id, type=kind,
                name=self._args.hosts.by_role[role], aliases=[_alias(target, evaluate)], opts=self.child())

    def _failover(self, role: str, kind: str, health_check_id: pulumi.Input[str] | None = None,
                  **options: Any) -> None:
        aws.route53.Record(
            f"{self._name}-{role}-{kind.lower()}", zone_id=self._args.zone_id, type="A", set_identifier=kind.lower(),
            name=self._args.hosts.by_role[role], failover_routing_policies=[{"type": kind}],
            aliases=[_alias(self._args.load_balancer, True)], health_check_id=health_check_id,
            opts=self.child(**options))


def _alias(target: Target, evaluate: bool) -> Any:
    return {"name": target.domain, "zone_id": target.zone_id, "evaluate_target_health": evaluate}
