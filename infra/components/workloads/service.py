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
    pull_secrets: tuple[str, ...] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    guards: tuple[pulumi.Resource, ...] = ()
    database_template: pulumi.Input[str] | None = None


class BlueGreenService(Component):
    """Deployments, Services, autoscalers and disruption budgets in both colours; the live Service, aliases, account,
    secret and network policy.

    Pulumi creates what operations own and then leaves exactly that alone (`ignore_changes`): replicas and the pods'
    template of the Deployments, the live Service's selector, the autoscalers' minimum, the switches' data. What the
    settings want of the pods is in the service's PodTemplate, which the next rollout brings to a colour.
    """

    module = "workloads"

    services: tuple[core.v1.Service, ...]  # of both colours, and the live one
    deployments: dict[str, apps.v1.Deployment]  # colour → Deployment

    def __init__(self, name: str, args: BlueGreenServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        service = args.service
        inside = self.child(depends_on=list(args.guards))
        before_pods = [*args.guards, *self._surroundings(name, args, inside)]

        pods = kubernetes.pod_template(
            service, args.namespace, priority_class=guards.priority_class(service), storage_class=args.storage_class,
            pull_secrets=args.pull_secrets, extra_environment=args.environment)
        core.v1.PodTemplate(f"{name}-pods", metadata=pods["metadata"], template=pods["template"], opts=inside)
        deployments: dict[str, apps.v1.Deployment] = {}
        behind = []
        for colour in kubernetes.COLOURS:
            manifest = kubernetes.deployment(service, colour, args.namespace, pods["template"])
            deployments[colour] = apps.v1.Deployment(
                f"{name}-{colour}", metadata=manifest["metadata"], spec=manifest["spec"],
                opts=self.child(depends_on=before_pods, ignore_changes=kubernetes.DEPLOYMENT_OWNED_BY_OPERATIONS))
            manifest = kubernetes.service(service, args.namespace, colour)
            behind.append(core.v1.Service(f"{name}-{colour}", metadata=manifest["metadata"],
                                                   spec=manifest["spec"], opts=inside))
            self._elasticity(name, args, colour, deployments[colour])

        manifest = kubernetes.service(service, args.namespace)
        behind.append(core.v1.Service(
            f"{name}-live", metadata=manifest["metadata"], spec=manifest["spec"],
            opts=self.child(depends_on=list(args.guards),
                            ignore_changes=kubernetes.LIVE_SERVICE_OWNED_BY_OPERATIONS)))
        for other in service.aliases:
            manifest = kubernetes.alias(service, other, args.namespace)
            core.v1.Service(f"{name}-alias-{other}", metadata=manifest["metadata"], spec=manifest["spec"],
                            opts=inside)

        self.deployments = deployments
        self.services = tuple(behind)

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
        for switch in sorted(service.switches):
            manifest = kubernetes.switch(service, switch, args.namespace)
            found.append(core.v1.ConfigMap(
                f"{name}-{switch}", metadata=manifest["metadata"], data=manifest["data"],
                opts=self.child(depends_on=list(args.guards),
                                ignore_changes=kubernetes.SWITCH_OWNED_BY_OPERATIONS)))
        for key, secret in external_secrets.service_secrets(
                service, args.namespace, args.secret_store, args.secrets, args.database_template).items():
            found.append(apiextensions.CustomResource(
                f"{name}-{key}", api_version=EXTERNAL_SECRETS, kind="ExternalSecret",
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
