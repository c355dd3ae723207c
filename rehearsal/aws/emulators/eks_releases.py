"""Which Kubernetes versions and add-on releases the rehearsal's EKS offers, newest first.

Stand-in values in the form that EKS uses: the real lists are what DescribeAddonVersions and DescribeClusterVersions
answer an account. The EKS User Guide ("Understand the Kubernetes version lifecycle on EKS", copies of 2026) mentions
minors up to 1.36; older ones stay offered here past the end of their support (1.30: 23 July 2026, by endoflife.date),
so that upgrades from them can be rehearsed. The default version, and which release is the default, are assumptions. All
minors of Kubernetes get the same add-ons but kube-proxy. Nothing depends on a value being the latest.
"""

from __future__ import annotations

KUBERNETES = tuple(f"1.{minor}" for minor in range(36, 29, -1))
DEFAULT_KUBERNETES = "1.34"

_KUBE_PROXY = {"1.30": "v1.30.14-eksbuild.13", "1.31": "v1.31.13-eksbuild.2", "1.32": "v1.32.9-eksbuild.2",
               "1.33": "v1.33.5-eksbuild.2", "1.34": "v1.34.1-eksbuild.2"}
_ADDONS = {
    "vpc-cni": ("v1.20.4-eksbuild.2", "v1.20.3-eksbuild.1", "v1.19.6-eksbuild.7"),
    "coredns": ("v1.12.4-eksbuild.1", "v1.12.3-eksbuild.1", "v1.11.4-eksbuild.24"),
    "eks-pod-identity-agent": ("v1.3.10-eksbuild.1", "v1.3.9-eksbuild.5"),
    "aws-ebs-csi-driver": ("v1.53.0-eksbuild.1", "v1.52.1-eksbuild.1"),
    "aws-efs-csi-driver": ("v2.1.15-eksbuild.1", "v2.1.14-eksbuild.1"),
    "aws-mountpoint-s3-csi-driver": ("v2.2.0-eksbuild.1",),
    "snapshot-controller": ("v8.3.0-eksbuild.1",),
    "metrics-server": ("v0.8.0-eksbuild.5", "v0.8.0-eksbuild.3"),
    "cert-manager": ("v1.19.1-eksbuild.1", "v1.18.2-eksbuild.2"),
    "external-dns": ("v0.19.0-eksbuild.3",),
    "kube-state-metrics": ("v2.17.0-eksbuild.4",),
    "prometheus-node-exporter": ("v1.10.2-eksbuild.1",),
    "fluent-bit": ("v4.1.1-eksbuild.1",),
    "amazon-cloudwatch-observability": ("v4.6.0-eksbuild.1", "v4.5.0-eksbuild.1"),
    "aws-guardduty-agent": ("v1.12.1-eksbuild.2",),
    "adot": ("v0.131.0-eksbuild.1",),
    "eks-node-monitoring-agent": ("v1.4.1-eksbuild.1",),
    "aws-privateca-connector-for-kubernetes": ("v1.6.0-eksbuild.1",),
    "aws-secrets-store-csi-driver-provider": ("v2.1.1-eksbuild.1",),
}
ADDON_NAMES = frozenset({*_ADDONS, "kube-proxy"})


def releases(addon: str, kubernetes: str) -> tuple[str, ...]:
    """The releases of an add-on for a version of Kubernetes, newest first; empty when there is no such add-on."""
    if addon == "kube-proxy":
        return (_KUBE_PROXY.get(kubernetes, f"v{kubernetes}.0-eksbuild.1"),)
    return _ADDONS.get(addon, ())


def default_release(addon: str, kubernetes: str) -> str:
    """What CreateAddon takes when it is given no version: one behind the newest, where there are two."""
    known = releases(addon, kubernetes)
    return known[min(1, len(known) - 1)]
