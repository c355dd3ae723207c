"""The namespace with what fences it in (K7)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, networking, rbac, scheduling

from infra.components.base import Component
from infra.plans import guards, kubernetes
from infra.plans.external_secrets import DATABASE_SECRET
from infra.plans.pods import PULL_SECRET
from infra.settings import model


@dataclass(frozen=True)
class NamespaceArgs:
    """database_secret, pull_secret: manifests of the ExternalSecrets for the database and for images that are not in
    ECR; None: the stack has none. data_cidrs: of the subnets of database and cache.
    operators_group: Kubernetes group that the access entries of operators and pipelines carry."""

    namespace: str
    services: tuple[model.Service, ...]
    data_cidrs: tuple[str, ...]
    operators_group: str = guards.OPERATORS_GROUP
    database_secret: kubernetes.Manifest | None = None
    pull_secret: kubernetes.Manifest | None = None


class Namespace(Component):
    """Pod Security `restricted`, quota, limits, default-deny network policies, the operators' role."""

    module = "workloads"

    namespace: pulumi.Output[str]
    guards: tuple[pulumi.Resource, ...]  # what must be there before the first pod

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        manifest = guards.namespace(args.namespace)
        namespace = core.v1.Namespace(f"{name}-namespace", metadata=manifest["metadata"], opts=self.child())
        inside = self.child(depends_on=[namespace])

        quota = guards.quota(args.services, args.namespace)
        limits = guards.limit_range(args.services, args.namespace)
        found: list[pulumi.Resource] = [
            core.v1.ResourceQuota(f"{name}-quota", metadata=quota["metadata"], spec=quota["spec"], opts=inside),
            core.v1.LimitRange(f"{name}-limits", metadata=limits["metadata"], spec=limits["spec"], opts=inside),
        ]
        for policy, manifest in guards.default_policies(args.namespace, args.data_cidrs).items():
            found.append(networking.v1.NetworkPolicy(f"{name}-{policy}", metadata=manifest["metadata"],
                                                     spec=manifest["spec"], opts=inside))
        for priority in guards.PRIORITIES:
            manifest = guards.priority(priority)
            found.append(scheduling.v1.PriorityClass(
                f"{name}-{priority}", metadata=manifest["metadata"], value=manifest["value"],
                description=manifest["description"], opts=self.child()))
        role = guards.operators_role(args.namespace)
        binding = guards.operators_binding(args.namespace, args.operators_group)
        operators = rbac.v1.Role(f"{name}-operators", metadata=role["metadata"], rules=role["rules"], opts=inside)
        rbac.v1.RoleBinding(f"{name}-operators", metadata=binding["metadata"], role_ref=binding["roleRef"],
                            subjects=binding["subjects"], opts=self.child(depends_on=[operators]))
        for key, secret in ((DATABASE_SECRET, args.database_secret), (PULL_SECRET, args.pull_secret)):
            if secret is not None:
                apiextensions.CustomResource(
                    f"{name}-{key}", api_version=EXTERNAL_SECRETS, kind="ExternalSecret",
                    metadata=secret["metadata"], spec=secret["spec"], opts=inside)

        self.guards = (namespace, *found)
        self.namespace = namespace.metadata.apply(lambda metadata: metadata.name or args.namespace)
        self.register_outputs({"namespace": self.namespace})


EXTERNAL_SECRETS = "external-secrets.io/v1"
