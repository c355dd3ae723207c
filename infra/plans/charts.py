"""Helm charts of third parties (K2): one table. A new one is one entry here and, in the rehearsal, one in
rehearsal/kubernetes/crds.py.

Keys of the values are those of each chart's values.yaml at its version. Versions: the charts' own repositories.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.plans import addon_policies, load_balancer_policy, log_shipping, monitoring
from infra.plans.policies import Document, external_secrets
from infra.settings.platform import Feature, Monitoring

SECRET_STORE = "aws-secrets-manager"
STORAGE_CLASS = "gp3"


@dataclass(frozen=True)
class Facts:
    """What values and permissions are made of. The untyped ones may be `pulumi.Input`s.

    `namespace`: of the services. `default_tags`: on load balancers, which the provider's default tags don't reach.
    `log_groups`: what the log shipper writes to, by kind (`application`, `animation`, `performance`): names.
    """

    cluster_name: Any
    kubernetes_version: str
    account_id: Any
    region: str
    vpc_id: Any
    namespace: str
    secret_arns: Any
    secret_key_arn: Any
    default_tags: Mapping[str, str]
    log_groups: Mapping[str, str]
    replicas: int = 2
    monitoring: Monitoring = field(default_factory=Monitoring)


@dataclass(frozen=True)
class Identity:
    """The service account that the chart makes, and the permissions of its pods: `policy` of the facts named."""

    service_account: str
    policy: Callable[..., Document]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """`key`: in the names of resources. `release`: Helm's name of it, which names its objects. `feature` None: every
    cluster has it."""

    key: str
    release: str
    chart: str
    version: str
    repository: str
    namespace: str
    values: Callable[[Facts], Mapping[str, Any]]
    identity: Identity | None = None
    feature: Feature | None = None


def _load_balancers(facts: Facts) -> Mapping[str, Any]:
    return {
        "clusterName": facts.cluster_name, "region": facts.region, "vpcId": facts.vpc_id,
        "serviceAccount": {"create": True, "name": "aws-load-balancer-controller"},
        "replicaCount": facts.replicas, "podDisruptionBudget": {"maxUnavailable": 1},
        "defaultTags": dict(facts.default_tags),
        # Front doors are Ingresses. With this webhook no Service could be made while the controller is away.
        "enableServiceMutatorWebhook": False,
        "enableWaf": False,  # the classic one, for which its role has no permission
    }


def _secrets(facts: Facts) -> Mapping[str, Any]:
    return {"installCRDs": True, "serviceAccount": {"create": True, "name": "external-secrets"},
            "replicaCount": facts.replicas, "leaderElect": True}


def _autoscaler(facts: Facts) -> Mapping[str, Any]:
    return {
        # EKS tags the scaling groups of managed node groups for this discovery itself (user guide, "Managed node
        # groups concepts"), and the autoscaler asks it for their labels and taints, so that it can start from 0.
        "cloudProvider": "aws", "awsRegion": facts.region, "autoDiscovery": {"clusterName": facts.cluster_name},
        "image": {"tag": f"v{facts.kubernetes_version}.0"},  # its scheduler must be the cluster's
        "replicaCount": facts.replicas, "podDisruptionBudget": {"maxUnavailable": 1},
        "rbac": {"serviceAccount": {"create": True, "name": "cluster-autoscaler"}},
        "extraArgs": {"expander": "least-waste", "balance-similar-node-groups": True,
                      "skip-nodes-with-system-pods": False, "skip-nodes-with-local-storage": False},
        "resources": {"requests": {"cpu": "100m", "memory": "300Mi"}, "limits": {"memory": "600Mi"}},
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65534,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containerSecurityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                     "capabilities": {"drop": ["ALL"]}},
    }


def _tracing(facts: Facts) -> Mapping[str, Any]:
    return {
        # All in one, in memory: the newest traces are what an incident needs, and nothing else is lost with them.
        "jaeger": {"enabled": True,
                   "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
                   "podSecurityContext": {"runAsNonRoot": True, "runAsUser": 10001,
                                          "seccompProfile": {"type": "RuntimeDefault"}},
                   "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                       "capabilities": {"drop": ["ALL"]}}},
    }


CHARTS = (
    Chart("load-balancers", "aws-load-balancer-controller", "aws-load-balancer-controller", "3.3.0",
          "https://aws.github.io/eks-charts", "kube-system", _load_balancers,
          Identity("aws-load-balancer-controller", load_balancer_policy.load_balancer_controller,
                   ("account_id", "region", "cluster_name"))),
    Chart("external-secrets", "external-secrets", "external-secrets", "2.12.0",
          "https://charts.external-secrets.io", "external-secrets", _secrets,
          Identity("external-secrets", lambda secret_arns, secret_key_arn, region: external_secrets(
              secret_arns, secret_key_arn, region), ("secret_arns", "secret_key_arn", "region"))),
    Chart("autoscaler", "cluster-autoscaler", "cluster-autoscaler", "9.57.0",
          "https://kubernetes.github.io/autoscaler", "kube-system", _autoscaler,
          Identity("cluster-autoscaler", addon_policies.autoscaler, ("account_id", "region", "cluster_name")),
          Feature.AUTOSCALER),
    Chart("logs", "fluent-bit", "fluent-bit", "0.55.0", "https://fluent.github.io/helm-charts",
          log_shipping.NAMESPACE,
          lambda facts: log_shipping.values(facts.region, facts.namespace, facts.log_groups),
          Identity("fluent-bit", addon_policies.log_shipper, ("account_id", "region", "log_groups")), Feature.LOGS),
    # Its name makes the Service `prometheus-stack-kube-prom-prometheus` (E4): the chart's fullname is cut at 26.
    Chart("monitoring", "prometheus-stack", "kube-prometheus-stack", "82.4.0",
          "https://prometheus-community.github.io/helm-charts", monitoring.NAMESPACE,
          lambda facts: monitoring.values(facts.monitoring, facts.namespace, STORAGE_CLASS, facts.replicas),
          feature=Feature.MONITORING),
    Chart("tracing", "jaeger", "jaeger", "4.4.6", "https://jaegertracing.github.io/helm-charts",
          monitoring.NAMESPACE, _tracing, feature=Feature.TRACING),
)


def chosen(features: Collection[Feature]) -> tuple[Chart, ...]:
    return tuple(chart for chart in CHARTS if chart.feature is None or chart.feature in features)


# Namespaces that the stack makes for charts, with the Pod Security level that it enforces there. The log shipper mounts
# the host's logs, which only `privileged` allows: it has a namespace of its own.
NAMESPACES = {"external-secrets": "restricted", monitoring.NAMESPACE: "baseline", log_shipping.NAMESPACE: "privileged"}
