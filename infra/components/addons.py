"""What runs in the cluster beside the services and is not an EKS add-on: Helm charts with their identities (K2, K8)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from infra.components.base import Component
from infra.components.documents import rendered
from infra.components.monitoring import MonitoringNamespace, MonitoringNamespaceArgs
from infra.plans import charts, guards, monitoring, policies
from infra.settings.platform import Feature

_TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class AddonsArgs:
    """`facts`: see `infra.plans.charts.Facts`; its default tags get the component's.

    `grafana_secret_arn`: the secret with Grafana's `username` and `password`; needed by the feature `monitoring`.
    """

    facts: charts.Facts
    features: Collection[Feature]
    door_cidrs: Sequence[str]
    vpc_cidr: str
    service_cidr: str
    grafana_secret_arn: pulumi.Input[str] | None = None


class Addons(Component):
    """The charts that the features ask for, the `ClusterSecretStore`, the encrypted storage class.

    Needs the providers `aws` and `kubernetes` (the cluster's) from its options. Ingresses, ExternalSecrets and claims
    must depend on `foundations`: deleted after them, nobody would take down their load balancers. Nobody has to wait
    for the rest, which is slow to start.
    """

    module = "addons"

    secret_store_name: str
    storage_class_name: str
    role_arns: Mapping[str, pulumi.Output[str]]  # by the chart's key
    foundations: Sequence[pulumi.Resource]
    namespaces: Mapping[str, pulumi.Output[str]]  # that people look into: name → the same, once it is made

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        chosen = charts.chosen(args.features)
        self._namespaces = self._make_namespaces(name, args, {chart.namespace for chart in chosen})
        self.namespaces = {namespace: pulumi.Output.all(*(resource.urn for resource in resources)).apply(
            lambda _: monitoring.NAMESPACE) for namespace, resources in self._namespaces.items()
            if namespace == monitoring.NAMESPACE}
        self._storage_class = self._make_storage_class(name)
        self._store: pulumi.Resource | None = None
        roles: dict[str, pulumi.Output[str]] = {}
        foundations = [self._storage_class]
        for chart in chosen:
            before: list[pulumi.Resource] = [*self._namespaces.get(chart.namespace, ())]
            if chart.identity is not None:
                role, association = self._identity(f"{name}-{chart.key}", chart, chart.identity, args.facts)
                roles[chart.key] = role.arn
                before.append(association)
            if chart.feature is Feature.MONITORING:
                before += [self._storage_class, self._grafana_secret(name, args)]
            release: pulumi.Resource = self._release(f"{name}-{chart.key}", chart, args.facts, before)
            if chart.key == "external-secrets":
                self._store = release = self._secret_store(name, args, release)
            if chart.feature is None:
                foundations.append(release)
        self.secret_store_name, self.storage_class_name = charts.SECRET_STORE, charts.STORAGE_CLASS
        self.role_arns, self.foundations = roles, foundations
        self.register_outputs({"secretStoreName": self.secret_store_name, "storageClassName": self.storage_class_name,
                               "roleArns": self.role_arns})

    def _make_namespaces(self, name: str, args: AddonsArgs,
                         wanted: Collection[str]) -> Mapping[str, Sequence[pulumi.Resource]]:
        """Namespace → what must be there before its first pod."""
        made: dict[str, Sequence[pulumi.Resource]] = {}
        for namespace, level in charts.NAMESPACES.items():
            if namespace not in wanted:
                continue
            resource = kubernetes.core.v1.Namespace(
                f"{name}-{namespace}", opts=self.child(), metadata=kubernetes.meta.v1.ObjectMetaArgs(
                    name=namespace, labels={**guards.OWNER, "pod-security.kubernetes.io/enforce": level}))
            made[namespace] = [resource]
            if namespace == monitoring.NAMESPACE:
                fence = MonitoringNamespace(f"{name}-{namespace}", MonitoringNamespaceArgs(
                    services_namespace=args.facts.namespace, door_cidrs=args.door_cidrs, vpc_cidr=args.vpc_cidr,
                    service_cidr=args.service_cidr), self.child(depends_on=[resource]))
                made[namespace] = [resource, fence]
        return made

    def _identity(self, name: str, chart: charts.Chart, identity: charts.Identity,
                  facts: charts.Facts) -> tuple[aws.iam.Role, aws.eks.PodIdentityAssociation]:
        role = aws.iam.Role(name, description=f"Pods of {chart.chart}",
                            assume_role_policy=json.dumps(policies.pod_identity_trust()), opts=self.child())
        permission = aws.iam.RolePolicy(name, role=role.id, opts=self.child(), policy=rendered(
            identity.policy, **{fact: getattr(facts, fact) for fact in identity.facts}))
        # Pods get the identity when they start: the association has to be there before them.
        association = aws.eks.PodIdentityAssociation(
            name, cluster_name=facts.cluster_name, namespace=chart.namespace,
            service_account=identity.service_account, role_arn=role.arn, opts=self.child(depends_on=[permission]))
        return role, association

    def _release(self, name: str, chart: charts.Chart, facts: charts.Facts,
                 depends_on: Sequence[pulumi.Resource]) -> kubernetes.helm.v3.Release:
        return kubernetes.helm.v3.Release(
            name, name=chart.release, chart=chart.chart, version=chart.version, namespace=chart.namespace, atomic=True,
            timeout=_TIMEOUT_SECONDS, values=chart.values(facts),
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=chart.repository),
            opts=self.child(depends_on=[*depends_on]))

    def _secret_store(self, name: str, args: AddonsArgs, operator: pulumi.Resource) -> pulumi.Resource:
        namespaces = [args.facts.namespace]
        if Feature.MONITORING in args.features:
            namespaces.append(monitoring.NAMESPACE)
        return kubernetes.apiextensions.CustomResource(
            f"{name}-secret-store", api_version="external-secrets.io/v1", kind="ClusterSecretStore",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=charts.SECRET_STORE, labels=guards.OWNER),
            spec={"conditions": [{"namespaces": namespaces}],
                  "provider": {"aws": {"service": "SecretsManager", "region": args.facts.region}}},
            opts=self.child(depends_on=[operator]))

    def _grafana_secret(self, name: str, args: AddonsArgs) -> pulumi.Resource:
        if args.grafana_secret_arn is None or self._store is None:
            raise ValueError("the feature `monitoring` needs `grafana_secret_arn`, and External Secrets before it")
        manifest = monitoring.grafana_secret(charts.SECRET_STORE, args.grafana_secret_arn)
        return kubernetes.apiextensions.CustomResource(
            f"{name}-{monitoring.GRAFANA_SECRET}", api_version="external-secrets.io/v1", kind="ExternalSecret",
            metadata=manifest["metadata"], spec=manifest["spec"],
            opts=self.child(depends_on=[self._store, *self._namespaces[monitoring.NAMESPACE]]))

    def _make_storage_class(self, name: str) -> pulumi.Resource:
        return kubernetes.storage.v1.StorageClass(
            f"{name}-{charts.STORAGE_CLASS}", opts=self.child(),
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=charts.STORAGE_CLASS, labels=guards.OWNER),
            provisioner="ebs.csi.aws.com", parameters={"type": "gp3", "encrypted": "true"},
            volume_binding_mode="WaitForFirstConsumer", allow_volume_expansion=True, reclaim_policy="Delete")
