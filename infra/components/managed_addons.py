"""Add-ons that EKS itself manages (K2), in the two groups that the order of creation asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import policies


@dataclass(frozen=True)
class ManagedAddon:
    """`service_account` and `policy_arn`: the pods' identity, for add-ons that call AWS."""

    name: str
    configuration: Mapping[str, Any] = field(default_factory=dict)
    service_account: str | None = None
    policy_arn: str | None = None


BEFORE_NODES = (
    ManagedAddon("eks-pod-identity-agent"),
    ManagedAddon("vpc-cni", {"enableNetworkPolicy": "true"}, "aws-node",
                 "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"),
    ManagedAddon("kube-proxy"),
)
"""DaemonSets, healthy without a node; a node is not ready without them."""

ON_NODES = (
    ManagedAddon("coredns"),
    ManagedAddon("aws-ebs-csi-driver", {}, "ebs-csi-controller-sa",
                 "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"),
    ManagedAddon("metrics-server"),
)
"""Deployments: EKS reports them degraded, and creation waits up to 20 minutes, until there are nodes."""


@dataclass(frozen=True)
class ManagedAddonsArgs:
    """`versions`: add-on → version; others get EKS's default for the cluster's version when they are created."""

    cluster_name: pulumi.Input[str]
    addons: Sequence[ManagedAddon]
    versions: Mapping[str, str] = field(default_factory=dict)


class ManagedAddons(Component):
    """One `aws.eks.Addon` each, with a role by pod identity where the add-on calls AWS."""

    module = "cluster"

    def __init__(self, name: str, args: ManagedAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for addon in args.addons:
            identity = [self._identity(f"{name}-{addon.name}", addon)] if addon.policy_arn else None
            aws.eks.Addon(
                f"{name}-{addon.name}", cluster_name=args.cluster_name, addon_name=addon.name,
                addon_version=args.versions.get(addon.name),
                configuration_values=json.dumps(dict(addon.configuration)) if addon.configuration else None,
                pod_identity_associations=identity, resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE", opts=self.child())
        self.register_outputs({})

    def _identity(self, name: str, addon: ManagedAddon) -> aws.eks.AddonPodIdentityAssociationArgs:
        if addon.policy_arn is None or addon.service_account is None:
            raise ValueError(f"add-on {addon.name}: a policy needs the service account that gets it, and vice versa")
        role = aws.iam.Role(name, description=f"Add-on {addon.name}",
                            assume_role_policy=json.dumps(policies.pod_identity_trust()), opts=self.child())
        attachment = aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=addon.policy_arn,
                                                  opts=self.child())
        return aws.eks.AddonPodIdentityAssociationArgs(
            role_arn=pulumi.Output.all(role.arn, attachment.id).apply(lambda known: str(known[0])),
            service_account=addon.service_account)
