"""cert-manager's objects: an authority inside the cluster and the services' certificate."""

from __future__ import annotations

from collections.abc import Sequence

from infra.plans.guards import OWNER
from infra.plans.kubernetes import Manifest, metadata

API_VERSION = "cert-manager.io/v1"
NAMESPACE = "cert-manager"  # the EKS add-on's; a ClusterIssuer looks for its secrets there
ISSUER = "candlefish"
SERVICES_CERTIFICATE = "candlefish-tls"
_ROOT, _ROOT_DURATION, _ROOT_RENEWAL = "candlefish-root", "87600h", "8760h"  # ten years; renewed in the last
_DURATION, _RENEWAL = "2160h", "720h"  # 90 days; renewed 30 days before


def authority() -> list[tuple[str, str, Manifest]]:
    """(key, kind, manifest), each of which needs the one before it."""
    key = {"algorithm": "ECDSA", "size": 256}
    return [
        ("self-signed", "ClusterIssuer", {"metadata": {"name": "self-signed", "labels": OWNER},
                                          "spec": {"selfSigned": {}}}),
        ("root", "Certificate", {"metadata": metadata(_ROOT, NAMESPACE, OWNER), "spec": {
            "isCA": True, "commonName": _ROOT, "secretName": _ROOT, "privateKey": key,
            "duration": _ROOT_DURATION, "renewBefore": _ROOT_RENEWAL,
            "issuerRef": {"kind": "ClusterIssuer", "name": "self-signed", "group": "cert-manager.io"}}}),
        ("issuer", "ClusterIssuer", {"metadata": {"name": ISSUER, "labels": OWNER},
                                     "spec": {"ca": {"secretName": _ROOT}}}),
    ]


def services(namespace: str, names: Sequence[str]) -> Manifest:
    """For every Service by the names that pods call it."""
    return {"metadata": metadata(SERVICES_CERTIFICATE, namespace, OWNER), "spec": {
        "secretName": SERVICES_CERTIFICATE, "duration": _DURATION, "renewBefore": _RENEWAL,
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "usages": ["server auth", "client auth"],
        "dnsNames": [f"{name}.{namespace}.{suffix}" for name in names for suffix in ("svc", "svc.cluster.local")],
        "issuerRef": {"kind": "ClusterIssuer", "name": ISSUER, "group": "cert-manager.io"}}}
