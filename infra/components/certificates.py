"""Certificates inside the cluster (K2): an authority of our own and `candlefish-tls`, by cert-manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.components.base import Component
from infra.plans import certificates
from infra.plans.kubernetes import Manifest


@dataclass(frozen=True)
class ClusterCertificatesArgs:
    """`namespace`: where `candlefish-tls` is; `made_namespace`: the same as the output of its making. `services`: whom
    it names."""

    namespace: str
    made_namespace: pulumi.Input[str]
    services: Sequence[str]


class ClusterCertificates(Component):
    """A self-signed root whose key never leaves the cluster, a `ClusterIssuer` of it, and the services' certificate.

    Public names have ACM's certificates; browsers never see these.
    """

    module = "addons"

    issuer_name: str

    def __init__(self, name: str, args: ClusterCertificatesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        before: list[pulumi.Resource] = []
        for key, kind, manifest in certificates.authority():
            before.append(self._object(f"{name}-{key}", kind, manifest, before[-1:]))
        manifest = certificates.services(args.namespace, args.services)
        manifest["metadata"]["namespace"] = args.made_namespace
        self._object(f"{name}-services", "Certificate", manifest, before[-1:])
        self.issuer_name = certificates.ISSUER
        self.register_outputs({"issuerName": self.issuer_name})

    def _object(self, name: str, kind: str, manifest: Manifest,
                before: Sequence[pulumi.Resource]) -> pulumi.Resource:
        return kubernetes.apiextensions.CustomResource(
            name, api_version=certificates.API_VERSION, kind=kind, metadata=manifest["metadata"],
            spec=manifest["spec"], opts=self.child(depends_on=[*before]))
