"""Who may do what: the pipelines' and the on-call's roles, and what they may do in the cluster."""

from __future__ import annotations

import pulumi

from infra.components.access import ClusterAccess, ClusterAccessArgs
from infra.components.cluster import Cluster
from infra.components.roles import Roles, RolesArgs
from infra.layers.platform import Platform
from infra.layers.scope import Scope
from infra.plans.places import EDGE_REGION


def build(at: Scope, cluster: Cluster, platform: Platform) -> Roles:
    settings, names = at.settings, at.names
    roles = Roles("roles", RolesArgs(
        names=names.roles, account_id=at.account, environment=settings.environment,
        regions=sorted({settings.region, settings.recovery_region, EDGE_REGION}),
        github_repository=settings.pipelines.repository, cluster_arn=cluster.arn, boundary_name=names.boundary,
        oidc_provider_arn=_github_provider(at), stands_in_for=settings.stands_in_for), at.here)
    ClusterAccess("cluster-access", ClusterAccessArgs(
        cluster_name=cluster.name, role_arns=roles.arns,
        namespaces={settings.cluster.namespace: platform.workloads.namespace, **platform.addons.namespaces}),
        at.inside(cluster))
    return roles


def _github_provider(at: Scope) -> pulumi.Output[str] | None:
    """GitHub's OIDC provider is one an account: None where this stack is the one that makes it."""
    if at.settings.pipelines.create_oidc_provider:
        return None
    return at.account.apply(lambda id: f"arn:aws:iam::{id}:oidc-provider/token.actions.githubusercontent.com")
