"""One service of the configuration in two colours (K3–K5, K8, K10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_kubernetes import apiextensions, apps, autoscaling, core, networking, policy

from infra.components.base import Component
from infra.components.workloads.namespace import EXTERNAL_SECRETS
from infra.plans import external_secrets, guards, kubernetes
from infra.settings import model


@dataclass(frozen=True)
class BlueGreenServiceArgs:
    """services: all of the stack's, for who calls whom. The rest as in `WorkloadsArgs`.

    guards: resources that must be there before the first pod.
    """

    service: model.Service
    services: tuple[model.Service, ...]
    namespace: str
    secrets: Mapping[str, pulumi.Input[str]]
    front_door_cidrs: tuple[str, ...]
    data_cidrs: tuple[str, ...]
    secret_store: str = "candlefish"
    storage_class: str = "gp3"
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    guards: tuple[pulumi.Resource, ...] = ()
    database_template: pulumi.Input[str] | None = None


class BlueGreenService(Component):
    """Deployments, Services, autoscalers and disruption budgets in both colours; the live Service, aliases, account,
    secret and network policy.

    Pulumi creates what operations own and then leaves exactly that alone (`ignore_changes`). pulumi-kubernetes itself
    resolves only plain paths (`spec.replicas`, `spec.selector.color`). For one through a list or a key with dots
    (images, switches, traffic weights) it applies the value of the state: an update of another field of the same
    object is then refused by the API server with a conflict, never a revert, as long as none of these objects carries
    `pulumi.com/patchForce`. A refresh does not help: it keeps the inputs of the state (`parseLiveInputs`).
    """

    module = "workloads"

    colour_services: tuple[core.v1.Service, ...]
    deployments: dict[str, apps.v1.Deployment]  # colour → Deployment

    def __init__(self, name: str, args: BlueGreenServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        service = args.service
        inside = self.child(depends_on=list(args.guards))
        before_pods = [*args.guards, *self._surroundings(name, args, inside)]

        deployments: dict[str, apps.v1.Deployment] = {}
        colour_services = []
        for colour in kubernetes.COLOURS:
            manifest = kubernetes.deployment(
                service, colour, args.namespace, priority_class=guards.priority_class(service),
                storage_class=args.storage_class, extra_environment=args.environment)
            deployments[colour] = apps.v1.Deployment(
                f"{name}-{colour}", metadata=manifest["metadata"], spec=manifest["spec"],
                opts=self.child(depends_on=before_pods,
                                ignore_changes=kubernetes.deployment_owned_by_operations(service)))
            manifest = kubernetes.service(service, args.namespace, colour)
            colour_services.append(core.v1.Service(f"{name}-{colour}", metadata=manifest["metadata"],
                                                   spec=manifest["spec"], opts=inside))
            self._elasticity(name, args, colour, deployments[colour])

        manifest = kubernetes.service(service, args.namespace)
        core.v1.Service(f"{name}-live", metadata=manifest["metadata"], spec=manifest["spec"],
                        opts=self.child(depends_on=list(args.guards),
                                        ignore_changes=kubernetes.LIVE_SERVICE_OWNED_BY_OPERATIONS))
        for other in service.aliases:
            manifest = kubernetes.alias(service, other, args.namespace)
            core.v1.Service(f"{name}-alias-{other}", metadata=manifest["metadata"], spec=manifest["spec"],
                            opts=inside)

        self.deployments = deployments
        self.colour_services = tuple(colour_services)

        self.register_outputs({"service": service.name})

    def _surroundings(self, name: str, args: BlueGreenServiceArgs,
                      inside: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        """What a pod needs before it starts: account, network policy, secret."""
        service = args.service
        account = kubernetes.service_account(service, args.namespace)
        network = guards.service_policy(service, args.services, args.namespace,
                                        front_door_cidrs=args.front_door_cidrs, data_cidrs=args.data_cidrs)
        found: list[pulumi.Resource] = [
            core.v1.ServiceAccount(
                f"{name}-account", metadata=account["metadata"],
                automount_service_account_token=account["automountServiceAccountToken"], opts=inside),
            networking.v1.NetworkPolicy(f"{name}-network", metadata=network["metadata"], spec=network["spec"],
                                        opts=inside),
        ]
        if service.secrets:
            secret = external_secrets.service_secret(
                service, args.namespace, args.secret_store, args.secrets, args.database_template)
            found.append(apiextensions.CustomResource(
                f"{name}-secrets", api_version=EXTERNAL_SECRETS, kind="ExternalSecret",
                metadata=secret["metadata"], spec=secret["spec"], opts=inside))
        return found

    def _elasticity(self, name: str, args: BlueGreenServiceArgs, colour: str,
                    deployment: apps.v1.Deployment) -> None:
        behind: dict[str, Any] = {"depends_on": [deployment]}
        manifest = kubernetes.autoscaler(args.service, colour, args.namespace)
        autoscaling.v2.HorizontalPodAutoscaler(
            f"{name}-{colour}", metadata=manifest["metadata"], spec=manifest["spec"],
            opts=self.child(**behind, ignore_changes=kubernetes.AUTOSCALER_OWNED_BY_OPERATIONS))
        manifest = kubernetes.disruption_budget(args.service, colour, args.namespace)
        policy.v1.PodDisruptionBudget(f"{name}-{colour}", metadata=manifest["metadata"], spec=manifest["spec"],
                                      opts=self.child(**behind))
