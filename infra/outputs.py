"""What operations need of a stack: the program's outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.components.analytics.analytics import Analytics
from infra.components.backup import Backup
from infra.components.cache import Cache
from infra.components.cluster import Cluster
from infra.components.database import Database
from infra.components.database_safeguards import DatabaseSafeguards
from infra.components.edge.delivery import Delivery
from infra.components.edge.edge import Edge
from infra.components.edge.operators import Login
from infra.components.edge.records import Records
from infra.components.network import Network
from infra.components.observability.cluster import ClusterMonitoring
from infra.components.observability.observability import Observability
from infra.components.operations.notifications import Notifications
from infra.components.recovery_region import RecoveryRegion
from infra.components.registry import Registry
from infra.components.roles import Roles
from infra.components.storage import Storage
from infra.components.workloads.workloads import Workloads
from infra.plans.firewall import RATE_LIMIT_RULE
from infra.settings.model import Settings


@dataclass(frozen=True)
class Parts:
    """The parts of an environment that have something to tell. recovery_region: None for a stack that keeps nothing
    there; boards: None for one without monitoring in its cluster."""

    settings: Settings
    network: Network
    cluster: Cluster
    database: Database
    safeguards: DatabaseSafeguards
    cache: Cache
    storage: Storage
    recovery_region: RecoveryRegion | None
    backup: Backup
    registry: Registry
    roles: Roles
    notifications: Notifications
    edge: Edge
    delivery: Delivery
    login: Login
    records: Records
    analytics: Analytics
    workloads: Workloads
    observability: Observability
    boards: ClusterMonitoring | None


def outputs(of: Parts) -> dict[str, Any]:
    """Name → value. Operations and pipelines know the names."""
    return {
        "vpcId": of.network.vpc_id,
        "privateSubnetIds": of.network.private_subnet_ids,
        "clusterName": of.cluster.name,
        "kubeconfig": pulumi.Output.secret(of.cluster.kubeconfig),
        "namespace": of.workloads.namespace,
        "databaseInstanceId": of.database.instance_id,
        "databaseEndpoint": of.database.endpoint,
        "databaseSecretArn": of.database.secret_arn,
        "cacheEndpoint": of.cache.endpoint,
        "cacheSecretArn": of.cache.secret_arn,
        "cacheReplicationGroupId": of.cache.replication_group_id,
        "assetsBucket": of.storage.assets.name,
        "backupsBucket": of.storage.backups.name,
        "backupVaultName": of.backup.vault_name,
        "backupVaultArn": of.backup.vault_arn,
        "backupRestoreRoleArn": of.backup.restore_role_arn,
        "recoveryRegion": _recovery(of),
        "siteBuckets": {colour: bucket.name for colour, bucket in of.storage.site.items()},
        "distributionId": of.delivery.distribution_id,
        "distributionDomain": of.delivery.distribution_domain,
        "staticDistributionId": of.delivery.static_distribution_id,
        "siteUrl": f"https://{of.edge.hosts.apex}",
        "siteStatus": of.delivery.status,
        "hosts": dict(of.records.names),
        "healthChecks": of.records.health_check_ids,
        "zone": {"id": of.edge.zone_id, "dsRecord": of.edge.ds_record},
        "webAcls": {"cloudfront": of.edge.web_acl_arn, "regional": of.edge.regional_web_acl_arn,
                    "rateLimitRule": RATE_LIMIT_RULE, "logGroups": of.edge.log_group_names},
        "frontDoorUrl": pulumi.Output.concat("https://", of.workloads.load_balancer_domain),
        "apiUrl": f"https://{of.edge.hosts.api}",
        "websocketUrl": f"wss://{of.edge.hosts.ws}",
        "listenerArn": of.workloads.listener_arn,
        "targetGroups": of.workloads.target_groups,
        "listenerRules": of.workloads.listener_rules,
        "tables": dict(of.analytics.table_names),
        "functions": dict(of.analytics.function_names),
        "deadLetterQueues": dict(of.analytics.dead_letter_queue_names),
        "restApi": {"name": of.analytics.rest_api_name, "stage": of.analytics.rest_api_stage,
                    "url": of.analytics.rest_api_url},
        "websocketApi": {"id": of.analytics.websocket_api_id, "stage": of.analytics.websocket_stage,
                         "url": of.analytics.websocket_url},
        "operatorsApiKey": of.analytics.operators_key,
        "operatorsUserPoolId": of.login.user_pool_id,
        "repositories": of.registry.repository_urls,
        "deployRoleArn": of.roles.arns["deploy"],
        "previewRoleArn": of.roles.arns["preview"],
        "onCallRoleArn": of.roles.arns["on-call"],
        "alertsTopicArn": of.notifications.alerts_topic_arn,
        "incidentsTopicArn": of.notifications.incidents_topic_arn,
        "dashboards": {"cloudwatch": of.observability.dashboards, "grafana": _boards(of)},
        "alarms": of.observability.alarm_names,
        "logGroups": of.observability.log_groups,
    }


def _recovery(of: Parts) -> dict[str, Any]:
    """What a rebuild in the recovery region starts from; empty for a stack that keeps nothing there."""
    kept = of.recovery_region
    if kept is None:
        return {}
    return {"region": of.settings.recovery_region, "keyArn": kept.key_arn, "backupVaultName": kept.vault_name,
            "backupVaultArn": kept.vault_arn, "replicatedBackupsArn": of.safeguards.replicated_backups_arn,
            **{f"{purpose}Bucket": bucket.name for purpose, bucket in kept.buckets.items()}}


def _boards(of: Parts) -> dict[str, str]:
    """Grafana's, by name; empty for a stack without monitoring in its cluster."""
    return {name: f"https://{of.edge.hosts.grafana}/d/candlefish-{name}"
            for name in (of.boards.dashboards if of.boards else ())}
