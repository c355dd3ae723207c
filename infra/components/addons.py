"""Controllers in the cluster that are not EKS add-ons: load balancers, external secrets, storage (K2, K8)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import guards, load_balancer_policy, policies

_SECRET_STORE = "aws-secrets-manager"
_STORAGE_CLASS = "gp3"
_TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class _Controller:
    """A Helm chart and the service account that it makes and that gets AWS permissions."""

    chart: str
    version: str
    repository: str
    namespace: str
    service_account: str


_LOAD_BALANCERS = _Controller(
    chart="aws-load-balancer-controller", version="3.3.0", repository="https://aws.github.io/eks-charts",
    namespace="kube-system", service_account="aws-load-balancer-controller")
_SECRETS = _Controller(
    chart="external-secrets", version="2.12.0", repository="https://charts.external-secrets.io",
    namespace="external-secrets", service_account="external-secrets")


@dataclass(frozen=True)
class AddonsArgs:
    """`secret_arns`: the secrets that pods of this environment may have; `secret_key_arn`: the key they are under.

    `secret_namespaces`: where ExternalSecrets may use the store. `default_tags`: on the load balancers, which the
    controller makes and the provider's default tags don't reach. `replicas`: of each controller.
    """

    cluster_name: pulumi.Input[str]
    account_id: pulumi.Input[str]
    region: str
    vpc_id: pulumi.Input[str]
    secret_arns: Sequence[pulumi.Input[str]]
    secret_key_arn: pulumi.Input[str]
    secret_namespaces: Sequence[str]
    default_tags: Mapping[str, str]
    replicas: int = 2


class Addons(Component):
    """AWS Load Balancer Controller, External Secrets Operator with a `ClusterSecretStore`, encrypted storage class.

    Needs the providers `aws` and `kubernetes` (the cluster's) from its options. Ingresses and ExternalSecrets must
    depend on this component: deleted after it, nobody would take down their load balancers.
    """

    module = "addons"

    secret_store_name: str
    storage_class_name: str
    load_balancer_controller_role_arn: pulumi.Output[str]
    external_secrets_role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        balancer_role, balancer_identity = self._identity(f"{name}-load-balancers", _LOAD_BALANCERS, args, rendered(
            load_balancer_policy.load_balancer_controller, account_id=args.account_id, region=args.region,
            cluster_name=args.cluster_name))
        self._release(f"{name}-load-balancers", _LOAD_BALANCERS, {
            "clusterName": args.cluster_name, "region": args.region, "vpcId": args.vpc_id,
            "serviceAccount": {"create": True, "name": _LOAD_BALANCERS.service_account},
            "replicaCount": args.replicas, "podDisruptionBudget": {"maxUnavailable": 1},
            "defaultTags": {**args.default_tags, "Component": self.module},
            # Front doors are Ingresses. With this webhook no Service could be made while the controller is away.
            "enableServiceMutatorWebhook": False,
            "enableWaf": False,  # the classic one, for which its role has no permission
        }, [balancer_identity])

        namespace = kubernetes.core.v1.Namespace(
            f"{name}-external-secrets", opts=self.child(),
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=_SECRETS.namespace, labels={**guards.OWNER, "pod-security.kubernetes.io/enforce": "restricted"}))
        secrets_role, secrets_identity = self._identity(f"{name}-external-secrets", _SECRETS, args, rendered(
            policies.external_secrets, secret_arns=list(args.secret_arns), key_arn=args.secret_key_arn,
            region=args.region))
        operator = self._release(f"{name}-external-secrets", _SECRETS, {
            "installCRDs": True, "serviceAccount": {"create": True, "name": _SECRETS.service_account},
            "replicaCount": args.replicas, "leaderElect": True,
        }, [namespace, secrets_identity])
        kubernetes.apiextensions.CustomResource(
            f"{name}-secret-store", api_version="external-secrets.io/v1", kind="ClusterSecretStore",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=_SECRET_STORE, labels=guards.OWNER),
            spec={"conditions": [{"namespaces": list(args.secret_namespaces)}],
                  "provider": {"aws": {"service": "SecretsManager", "region": args.region}}},
            opts=self.child(depends_on=[operator]))
        kubernetes.storage.v1.StorageClass(
            f"{name}-{_STORAGE_CLASS}", opts=self.child(),
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=_STORAGE_CLASS, labels=guards.OWNER),
            provisioner="ebs.csi.aws.com", parameters={"type": "gp3", "encrypted": "true"},
            volume_binding_mode="WaitForFirstConsumer", allow_volume_expansion=True, reclaim_policy="Delete")

        self.secret_store_name, self.storage_class_name = _SECRET_STORE, _STORAGE_CLASS
        self.load_balancer_controller_role_arn = balancer_role.arn
        self.external_secrets_role_arn = secrets_role.arn
        self.register_outputs({
            "secretStoreName": self.secret_store_name, "storageClassName": self.storage_class_name,
            "loadBalancerControllerRoleArn": self.load_balancer_controller_role_arn,
            "externalSecretsRoleArn": self.external_secrets_role_arn})

    def _identity(self, name: str, controller: _Controller, args: AddonsArgs,
                  policy: pulumi.Output[str]) -> tuple[aws.iam.Role, aws.eks.PodIdentityAssociation]:
        role = aws.iam.Role(name, description=f"Pods of {controller.chart}",
                            assume_role_policy=json.dumps(policies.pod_identity_trust()), opts=self.child())
        permission = aws.iam.RolePolicy(name, role=role.id, policy=policy, opts=self.child())
        # Pods get the identity when they start: the association has to be there before them.
        association = aws.eks.PodIdentityAssociation(
            name, cluster_name=args.cluster_name, namespace=controller.namespace,
            service_account=controller.service_account, role_arn=role.arn, opts=self.child(depends_on=[permission]))
        return role, association

    def _release(self, name: str, controller: _Controller, values: Mapping[str, Any],
                 depends_on: Sequence[pulumi.Resource]) -> kubernetes.helm.v3.Release:
        return kubernetes.helm.v3.Release(
            name, name=controller.chart, chart=controller.chart, version=controller.version,
            namespace=controller.namespace, atomic=True, timeout=_TIMEOUT_SECONDS, values=values,
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=controller.repository),
            opts=self.child(depends_on=[*depends_on]))
