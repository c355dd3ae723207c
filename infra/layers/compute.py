"""The cluster on the network."""

from __future__ import annotations

from infra.components.cluster import Cluster, ClusterArgs
from infra.layers.foundation import Foundation
from infra.layers.scope import Scope


def build(at: Scope, base: Foundation) -> Cluster:
    settings = at.settings
    return Cluster("cluster", ClusterArgs(
        name=at.names.cluster, settings=settings.cluster, vpc_id=base.network.vpc_id,
        private_subnet_ids=base.network.private_subnet_ids,
        control_plane_subnet_ids=base.network.bare_private_subnet_ids, cluster_key_arn=base.keys.cluster_key_arn,
        logs_key_arn=base.keys.logs_key_arn, instance_tags=at.tags, features=settings.addons.features,
        deletion_protection=settings.lifecycle.deletion_protection,
        scheduled=settings.operations.off_hours.enabled), at.here)
