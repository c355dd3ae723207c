"""What fences the namespace `monitoring` in (K2, K7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, networking

from infra.components.base import Component
from infra.plans import monitoring


@dataclass(frozen=True)
class MonitoringNamespaceArgs:
    """`services_namespace`: whose traces come in. `door_cidrs`: of the load balancers, where people come in."""

    services_namespace: str
    door_cidrs: Sequence[str]
    vpc_cidr: str
    service_cidr: str


class MonitoringNamespace(Component):
    """Quota and network policies; the namespace itself is made beside those of the other add-ons."""

    module = "addons"

    def __init__(self, name: str, args: MonitoringNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        quota = monitoring.quota()
        core.v1.ResourceQuota(f"{name}-quota", metadata=quota["metadata"], spec=quota["spec"], opts=self.child())
        policies = monitoring.network_policies(
            args.services_namespace, args.door_cidrs, args.vpc_cidr, args.service_cidr)
        for key, manifest in policies.items():
            networking.v1.NetworkPolicy(f"{name}-{key}", metadata=manifest["metadata"], spec=manifest["spec"],
                                        opts=self.child())
        self.register_outputs({"networkPolicies": sorted(policies)})
