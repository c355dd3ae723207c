"""Add-ons that EKS installs and updates: one table of them, one of their versions (K2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.settings.platform import Feature


@dataclass(frozen=True)
class ManagedAddon:
    """`service_account` and `policy_arn`: the pods' identity, for add-ons that call AWS. `feature`: what asks for it;
    None: every cluster has it. `before_nodes`: a node is not ready without it, and it is healthy without a node."""

    name: str
    configuration: Mapping[str, Any] = field(default_factory=dict)
    service_account: str | None = None
    policy_arn: str | None = None
    feature: Feature | None = None
    before_nodes: bool = False


_AWS = "arn:aws:iam::aws:policy/"

ADDONS = (
    ManagedAddon("eks-pod-identity-agent", before_nodes=True),
    ManagedAddon("vpc-cni", {"enableNetworkPolicy": "true"}, "aws-node", f"{_AWS}AmazonEKS_CNI_Policy",
                 before_nodes=True),
    ManagedAddon("kube-proxy", before_nodes=True),
    # From here on Deployments: EKS reports them degraded, and creation waits up to 20 minutes, until there are nodes.
    ManagedAddon("coredns"),
    ManagedAddon("aws-ebs-csi-driver", {}, "ebs-csi-controller-sa", f"{_AWS}service-role/AmazonEBSCSIDriverPolicy"),
    ManagedAddon("metrics-server"),
    ManagedAddon("cert-manager", feature=Feature.CERTIFICATES),
    # Not the chart's: it needs the host's processes and files, and EKS gives it a namespace of its own, so that
    # `monitoring` can be held to Pod Security `baseline`.
    ManagedAddon("prometheus-node-exporter", feature=Feature.MONITORING),
    ManagedAddon("aws-efs-csi-driver", {}, "efs-csi-controller-sa", f"{_AWS}service-role/AmazonEFSCSIDriverPolicy",
                 Feature.SHARED_VOLUMES),
)


def wanted(features: Collection[Feature], *, before_nodes: bool) -> tuple[ManagedAddon, ...]:
    """The add-ons of one of the two steps of a cluster's creation."""
    return tuple(addon for addon in ADDONS if addon.before_nodes == before_nodes
                 and (addon.feature is None or addon.feature in features))


# Releases that DescribeAddonVersions listed for all of these Kubernetes versions in March 2026, as recorded by public
# projects; `aws eks describe-addon-versions --kubernetes-version 1.34` says what an account is offered today.
_EVERYWHERE = {
    "aws-ebs-csi-driver": "v1.57.1-eksbuild.1",
    "aws-efs-csi-driver": "v2.1.15-eksbuild.1",
    "cert-manager": "v1.19.3-eksbuild.2",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.2",
    "metrics-server": "v0.8.1-eksbuild.4",
    "prometheus-node-exporter": "v1.10.2-eksbuild.8",
    "vpc-cni": "v1.21.1-eksbuild.5",
}
VERSIONS: Mapping[str, Mapping[str, str]] = {
    "1.32": {**_EVERYWHERE, "coredns": "v1.11.4-eksbuild.33", "kube-proxy": "v1.32.13-eksbuild.2"},
    "1.33": {**_EVERYWHERE, "coredns": "v1.13.2-eksbuild.4", "kube-proxy": "v1.33.9-eksbuild.2"},
    "1.34": {**_EVERYWHERE, "coredns": "v1.13.2-eksbuild.4", "kube-proxy": "v1.34.5-eksbuild.2"},
    "1.35": {**_EVERYWHERE, "coredns": "v1.13.2-eksbuild.4", "kube-proxy": "v1.35.2-eksbuild.4"},
}
"""Kubernetes version → add-on → release. A cluster of a version that is missing here is refused."""
