"""The custom kinds that Helm charts and EKS add-ons bring.

The charts themselves are not rendered: their objects' kinds exist so that the program can create them. Where the
project's own definition is at hand (`rehearsal.kubernetes.definitions`), the API server validates with it; the others
accept anything below `spec`, and are listed as unvalidated. Kinds and versions as in the projects' definitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kube.client import Object
from rehearsal.kubernetes.definitions import published

RELEASE_LABEL = "candlefish.ai/release"


# Names that the rule for plurals would get wrong.
_PLURALS: Mapping[str, str] = {"IngressClassParams": "ingressclassparams", "Prometheus": "prometheuses",
                               "SecretProviderClassPodStatus": "secretproviderclasspodstatuses"}


@dataclass(frozen=True)
class Kind:
    group: str
    versions: tuple[str, ...]  # the first is the stored one
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def name(self) -> str:
        return f"{self.plural}.{self.group}"


def _kinds(group: str, versions: Sequence[str], *kinds: str, cluster: Sequence[str] = ()) -> tuple[Kind, ...]:
    return tuple(Kind(group, tuple(versions), kind, _plural(kind), kind not in cluster) for kind in (*kinds, *cluster))


def _plural(kind: str) -> str:
    lower = kind.lower()
    if kind in _PLURALS:
        return _PLURALS[kind]
    if lower.endswith("s"):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"


_CERT_MANAGER = (*_kinds("cert-manager.io", ("v1",), "Certificate", "CertificateRequest", "Issuer",
                         cluster=("ClusterIssuer",)),
                 *_kinds("acme.cert-manager.io", ("v1",), "Challenge", "Order"))

# EKS add-on → (the namespace that it makes, the kinds it defines); the others have neither (EKS user guide, add-ons).
ADDONS: Mapping[str, tuple[str, tuple[Kind, ...]]] = {
    "cert-manager": ("cert-manager", _CERT_MANAGER),
    "external-dns": ("external-dns", ()),
    "fluent-bit": ("fluent-bit", ()),
    "kube-state-metrics": ("kube-state-metrics", ()),
    "prometheus-node-exporter": ("prometheus-node-exporter", ()),
}

# Chart name → the kinds it defines.
CHARTS: Mapping[str, tuple[Kind, ...]] = {
    "external-secrets": (
        *_kinds("external-secrets.io", ("v1",), "ExternalSecret", "SecretStore",
                cluster=("ClusterExternalSecret", "ClusterSecretStore")),
        *_kinds("external-secrets.io", ("v1alpha1",), "PushSecret")),
    "aws-load-balancer-controller": _kinds("elbv2.k8s.aws", ("v1beta1",), "TargetGroupBinding",
                                           cluster=("IngressClassParams",)),
    "cert-manager": _CERT_MANAGER,
    "kube-prometheus-stack": (
        *_kinds("monitoring.coreos.com", ("v1",), "Alertmanager", "PodMonitor", "Probe", "Prometheus",
                "PrometheusRule", "ServiceMonitor", "ThanosRuler"),
        *_kinds("monitoring.coreos.com", ("v1alpha1",), "AlertmanagerConfig", "PrometheusAgent", "ScrapeConfig")),
    "karpenter": (*_kinds("karpenter.sh", ("v1",), cluster=("NodeClaim", "NodePool")),
                  *_kinds("karpenter.k8s.aws", ("v1",), cluster=("EC2NodeClass",))),
    "jaeger-operator": _kinds("jaegertracing.io", ("v1",), "Jaeger"),
    "opentelemetry-operator": (*_kinds("opentelemetry.io", ("v1beta1",), "OpenTelemetryCollector"),
                               *_kinds("opentelemetry.io", ("v1alpha1",), "Instrumentation", "OpAMPBridge")),
    "secrets-store-csi-driver": _kinds("secrets-store.csi.x-k8s.io", ("v1",), "SecretProviderClass",
                                       "SecretProviderClassPodStatus"),
    "external-dns": _kinds("externaldns.k8s.io", ("v1alpha1",), "DNSEndpoint"),
}

# Charts whose only objects are of built-in kinds.
WITHOUT_KINDS = frozenset({
    "aws-cloudwatch-metrics", "aws-ebs-csi-driver", "aws-efs-csi-driver", "aws-for-fluent-bit",
    "aws-node-termination-handler", "cluster-autoscaler", "fluent-bit", "grafana", "jaeger", "loki", "metrics-server",
    "opentelemetry-collector", "prometheus", "prometheus-adapter", "prometheus-blackbox-exporter", "promtail",
    "reloader", "tempo"})


class UnknownChart(Exception):
    """The chart isn't in the table; the message says how to add it."""


def of_chart(chart: str) -> tuple[Kind, ...]:
    """`chart`: a name, `repository/name` or an OCI reference. Raises UnknownChart."""
    name = chart.rstrip("/").rpartition("/")[2].partition(":")[0]
    if name in WITHOUT_KINDS:
        return ()
    if name not in CHARTS:
        raise UnknownChart(
            f"the chart {name!r} is unknown, so the kinds that it defines are too. Add it in "
            "rehearsal/kubernetes/crds.py: to CHARTS with its kinds, or to WITHOUT_KINDS. Known: "
            f"{', '.join(sorted(CHARTS.keys() | WITHOUT_KINDS))}")
    return CHARTS[name]


def is_of_addon(api_version: str, kind: str) -> bool:
    """Whether an EKS add-on defines the kind."""
    return _among((kinds for _, kinds in ADDONS.values()), api_version, kind)


def is_of_chart(api_version: str, kind: str) -> bool:
    """Whether a chart defines the kind."""
    return _among(CHARTS.values(), api_version, kind)


def _among(tables: Iterable[tuple[Kind, ...]], api_version: str, kind: str) -> bool:
    group = api_version.partition("/")[0]
    return any((each.group, each.kind) == (group, kind) for kinds in tables for each in kinds)


def definition(kind: Kind, release: str) -> Object:
    """The CustomResourceDefinition, labelled with the release (its identifier with "/" as ".")."""
    labels = {RELEASE_LABEL: release}
    known = published(kind.name)
    if known is not None:
        return {**known, "metadata": {**known["metadata"], "labels": labels}}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.name, "labels": labels},
        "spec": {
            "group": kind.group, "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": {"kind": kind.kind, "listKind": f"{kind.kind}List", "plural": kind.plural,
                      "singular": kind.kind.lower()},
            "versions": [{"name": version, "served": True, "storage": index == 0, "schema": schema,
                          "subresources": {"status": {}}} for index, version in enumerate(kind.versions)]}}


def unvalidated() -> tuple[tuple[str, str], ...]:
    """(apiVersion, kind) of everything whose content nothing checks; for the coverage report."""
    return tuple(sorted({(f"{kind.group}/{version}", kind.kind) for kinds in CHARTS.values() for kind in kinds
                         for version in kind.versions if published(kind.name) is None}))
