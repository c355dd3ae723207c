"""Add-ons that EKS itself manages (K2)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import policies
from infra.plans.managed_addons import ManagedAddon


@dataclass(frozen=True)
class ManagedAddonsArgs:
    """`versions`: add-on → release, of every add-on: one that is missing is an error. `after`: what add-ons wait for;
    their roles don't."""

    cluster_name: pulumi.Input[str]
    addons: Sequence[ManagedAddon]
    versions: Mapping[str, str]
    after: Sequence[pulumi.Resource] = ()


class ManagedAddons(Component):
    """One `aws.eks.Addon` each, with a role by pod identity where the add-on calls AWS."""

    module = "cluster"

    def __init__(self, name: str, args: ManagedAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for addon in args.addons:
            identity = [self._identity(f"{name}-{addon.name}", addon)] if addon.policy_arn else None
            aws.eks.Addon(
                f"{name}-{addon.name}", cluster_name=args.cluster_name, addon_name=addon.name,
                addon_version=args.versions[addon.name],
                configuration_values=json.dumps(dict(addon.configuration)) if addon.configuration else None,
                pod_identity_associations=identity, resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE", opts=self.child(depends_on=[*args.after]))
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
