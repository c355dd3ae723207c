"""The maintenance page's workload (O6). What sends visitors to it is its Ingress, in `FrontDoor`."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apps, core, networking

from infra.components.base import Component
from infra.plans import maintenance
from infra.settings.workloads import Workloads


@dataclass(frozen=True)
class MaintenanceArgs:
    """As in `WorkloadsArgs`. guards: resources that must be there before the first pod."""

    namespace: str
    settings: Workloads
    front_door_cidrs: tuple[str, ...]
    guards: tuple[pulumi.Resource, ...] = ()
    priority_class: str = "candlefish-front-door"


class Maintenance(Component):
    """A Deployment at zero replicas, which operations own, with its Service, account and network policy."""

    module = "workloads"

    service: core.v1.Service

    def __init__(self, name: str, args: MaintenanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        inside = self.child(depends_on=list(args.guards))
        manifest = maintenance.account(args.namespace)
        account = core.v1.ServiceAccount(
            f"{name}-account", metadata=manifest["metadata"],
            automount_service_account_token=manifest["automountServiceAccountToken"], opts=inside)
        manifest = maintenance.network_policy(args.namespace, args.front_door_cidrs)
        network = networking.v1.NetworkPolicy(f"{name}-network", metadata=manifest["metadata"], spec=manifest["spec"],
                                              opts=inside)
        manifest = maintenance.deployment(args.settings, args.namespace, args.priority_class)
        apps.v1.Deployment(name, metadata=manifest["metadata"], spec=manifest["spec"], opts=self.child(
            depends_on=[account, network], ignore_changes=maintenance.OWNED_BY_OPERATIONS))
        manifest = maintenance.service(args.namespace)
        self.service = core.v1.Service(name, metadata=manifest["metadata"], spec=manifest["spec"], opts=inside)
        self.register_outputs({"service": self.service.metadata["name"]})
