"""What runs by itself: rotation of keys, cost findings, nights off."""

from __future__ import annotations

from infra.components.cluster import Cluster
from infra.components.operations.operations import Operations, OperationsArgs
from infra.layers.data import Data
from infra.layers.foundation import Foundation
from infra.layers.scope import Scope
from infra.plans.observability.alarm_specs import prefix


def build(at: Scope, base: Foundation, cluster: Cluster, data: Data) -> Operations:
    settings = at.settings
    return Operations("operations", OperationsArgs(
        names=at.names, account_id=at.account, region=settings.region, settings=settings.operations,
        topic_arn=base.notifications.alerts_topic_arn, data_key_arn=base.keys.data_key_arn,
        logs_key_arn=base.keys.logs_key_arn, log_retention_days=at.log_retention_days,
        jwt_secret_arn=data.secret_arns["jwt"], cache_secret_arn=data.cache.secret_arn,
        replication_group_id=data.cache.replication_group_id, replication_group_arn=data.cache.arn,
        cluster_name=cluster.name, cluster_arn=cluster.arn, node_groups=settings.cluster.node_groups,
        node_group_names=cluster.node_group_names, database_id=data.database.instance_id,
        database_arn=data.database.arn, alarm_prefix=prefix(settings.environment, scheduled=True)), at.here)
