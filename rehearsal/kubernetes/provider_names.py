"""Type tokens, names and scopes of Kubernetes resources, without a cluster."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AUTONAMED = "pulumi.com/autonamed"
RELEASE = "kubernetes:helm.sh/v3:Release"

# Kinds without a namespace: of Kubernetes 1.36, and of the charts in crds.py. Others are taken as namespaced, as the
# real provider does for kinds that it can't look up.
CLUSTER_SCOPED = frozenset({
    "APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterExternalSecret", "ClusterIssuer",
    "ClusterPushSecret", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "CustomResourceDefinition",
    "DeviceClass", "EC2NodeClass", "FlowSchema", "IPAddress", "IngressClass", "IngressClassParams",
    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace", "Node",
    "NodeClaim", "NodePool", "PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "RuntimeClass",
    "ServiceCIDR", "StorageClass", "StorageVersion", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass"})

_PATCHABLE = re.compile(r"^(?P<kind>[A-Z]\w+)Patch$")


class UnsupportedType(Exception):
    """A type token that the rehearsal doesn't serve; the message says what to use instead."""


@dataclass(frozen=True)
class Token:
    api_version: str  # "v1", "apps/v1"
    kind: str
    patch: bool  # a *Patch resource: owns some fields of an object that something else made

    @property
    def namespaced(self) -> bool:
        return self.kind not in CLUSTER_SCOPED


def parse(token: str) -> Token:
    """"kubernetes:core/v1:ConfigMap" → v1, ConfigMap. Raises UnsupportedType."""
    parts = token.split(":")
    if len(parts) != 3 or parts[0] != "kubernetes":
        raise UnsupportedType(f"{token} is not a Kubernetes resource type")
    group_version, kind = parts[1], parts[2]
    if group_version.startswith(("yaml", "kustomize", "helm.sh")):
        raise UnsupportedType(
            f"{token} is not rehearsed: it renders files or charts outside the API. Declare the objects themselves, "
            f"or use {RELEASE} for a chart")
    patch = _PATCHABLE.match(kind)
    api_version = group_version.removeprefix("core/") if group_version.startswith("core/") else group_version
    return Token(api_version, patch["kind"] if patch else kind, patch is not None)


def autoname(logical: str, generator: random.Random) -> str:
    """`<logical>-<8 hex digits>`, as the provider does; lower case, since names are DNS labels."""
    return f"{logical.lower()}-{generator.getrandbits(32):08x}"


def is_autonamed(item: Mapping[str, Any]) -> bool:
    """Also for inputs with unknown parts, which count as no."""
    node: Any = item
    for key in ("metadata", "annotations", AUTONAMED):
        node = node.get(key) if isinstance(node, Mapping) else None
    return bool(node == "true")


def identifier(item: Mapping[str, Any]) -> str:
    """Pulumi's id: "namespace/name", or "name" without a namespace."""
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def split(id: str) -> tuple[str | None, str]:
    """(namespace, name) of an id."""
    namespace, separator, name = id.rpartition("/")
    return (namespace, name) if separator else (None, id)
