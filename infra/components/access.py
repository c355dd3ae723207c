"""Access entries of the cluster, and what they are bound to (K1, K7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_kubernetes import rbac

from infra.components.base import Component
from infra.plans import access


@dataclass(frozen=True)
class ClusterAccessArgs:
    """`role_arns`: by the keys of `infra.plans.access.entries`. `namespaces`: name → the same as the output of its
    making."""

    cluster_name: pulumi.Input[str]
    role_arns: Mapping[str, pulumi.Input[str]]
    namespaces: Mapping[str, pulumi.Input[str]]


class ClusterAccess(Component):
    """An entry with its access policy for each role, in each namespace the role of those on call, and what all who only
    look see of the cluster."""

    module = "roles"

    def __init__(self, name: str, args: ClusterAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        entries = access.entries(tuple(args.namespaces))
        for entry in entries:
            self._entry(f"{name}-{entry.key}", entry, args)
        for namespace, made in args.namespaces.items():
            manifest = access.on_call_role(namespace)
            metadata = manifest["metadata"]
            metadata["namespace"] = made
            role = rbac.v1.Role(f"{name}-on-call-{namespace}", metadata=metadata, rules=manifest["rules"],
                                opts=self.child())
            binding = access.on_call_binding(namespace)
            rbac.v1.RoleBinding(f"{name}-on-call-{namespace}", metadata=metadata, role_ref=binding["roleRef"],
                                subjects=binding["subjects"], opts=self.child(depends_on=[role]))
        manifest = access.viewers_role()
        everywhere = rbac.v1.ClusterRole(f"{name}-viewers", metadata=manifest["metadata"], rules=manifest["rules"],
                                         opts=self.child())
        binding = access.viewers_binding()
        rbac.v1.ClusterRoleBinding(f"{name}-viewers", metadata=binding["metadata"], role_ref=binding["roleRef"],
                                   subjects=binding["subjects"], opts=self.child(depends_on=[everywhere]))
        self.register_outputs({"entries": [entry.key for entry in entries]})

    def _entry(self, name: str, entry: access.Entry, args: ClusterAccessArgs) -> None:
        made = aws.eks.AccessEntry(
            name, cluster_name=args.cluster_name, principal_arn=args.role_arns[entry.key], type="STANDARD",
            kubernetes_groups=list(entry.groups) or None, opts=self.child())
        aws.eks.AccessPolicyAssociation(
            name, cluster_name=args.cluster_name, principal_arn=made.principal_arn, policy_arn=entry.policy_arn,
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(
                type="namespace" if entry.namespaces else "cluster", namespaces=list(entry.namespaces) or None),
            opts=self.child())
