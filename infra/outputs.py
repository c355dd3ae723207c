"""What operations need of a stack: the program's outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.components.cluster import Cluster
from infra.components.edge.records import Records
from infra.components.roles import Roles
from infra.layers.data import Data
from infra.layers.foundation import Foundation
from infra.layers.front import Front
from infra.layers.platform import Platform
from infra.layers.watch import Watch
from infra.plans.firewall import RATE_LIMIT_RULE
from infra.settings.model import Settings


@dataclass(frozen=True)
class Parts:
    """What an environment has to tell."""

    settings: Settings
    foundation: Foundation
    cluster: Cluster
    data: Data
    front: Front
    platform: Platform
    records: Records
    watch: Watch
    roles: Roles


def outputs(of: Parts) -> dict[str, Any]:
    """Name → value. Operations and pipelines know the names."""
    return {
        "vpcId": of.foundation.network.vpc_id,
        "privateSubnetIds": of.foundation.network.private_subnet_ids,
        "clusterName": of.cluster.name,
        "kubeconfig": pulumi.Output.secret(of.cluster.kubeconfig),
        "namespace": of.platform.workloads.namespace,
        "databaseInstanceId": of.data.database.instance_id,
        "databaseEndpoint": of.data.database.endpoint,
        "databaseSecretArn": of.data.database.secret_arn,
        "cacheEndpoint": of.data.cache.endpoint,
        "cacheSecretArn": of.data.cache.secret_arn,
        "cacheReplicationGroupId": of.data.cache.replication_group_id,
        "assetsBucket": of.data.storage.assets.name,
        "backupsBucket": of.data.storage.backups.name,
        "backupVaultName": of.data.backup.vault_name,
        "backupVaultArn": of.data.backup.vault_arn,
        "backupRestoreRoleArn": of.data.backup.restore_role_arn,
        "recoveryRegion": _recovery(of),
        "siteBuckets": {colour: bucket.name for colour, bucket in of.data.storage.site.items()},
        "distributionId": of.front.delivery.distribution_id,
        "distributionDomain": of.front.delivery.distribution_domain,
        "staticDistributionId": of.front.delivery.static_distribution_id,
        "siteUrl": f"https://{of.front.edge.hosts.apex}",
        "siteStatus": of.front.delivery.status,
        "hosts": dict(of.records.names),
        "healthChecks": of.records.health_check_ids,
        "zone": {"id": of.front.edge.zone_id, "dsRecord": of.front.edge.ds_record},
        "webAcls": {"cloudfront": of.front.edge.web_acl_arn, "regional": of.front.edge.regional_web_acl_arn,
                    "rateLimitRule": RATE_LIMIT_RULE, "logGroups": of.front.edge.log_group_names},
        "frontDoorUrl": pulumi.Output.concat("https://", of.platform.workloads.load_balancer_domain),
        "apiUrl": f"https://{of.front.edge.hosts.api}",
        "websocketUrl": f"wss://{of.front.edge.hosts.ws}",
        "listenerArn": of.platform.workloads.listener_arn,
        "targetGroups": of.platform.workloads.target_groups,
        "listenerRules": of.platform.workloads.listener_rules,
        "tables": dict(of.front.analytics.table_names),
        "functions": dict(of.front.analytics.function_names),
        "deadLetterQueues": dict(of.front.analytics.dead_letter_queue_names),
        "restApi": {"name": of.front.analytics.rest_api_name, "stage": of.front.analytics.rest_api_stage,
                    "url": of.front.analytics.rest_api_url},
        "websocketApi": {"id": of.front.analytics.websocket_api_id, "stage": of.front.analytics.websocket_stage,
                         "url": of.front.analytics.websocket_url},
        "operatorsApiKey": of.front.analytics.operators_key,
        "operatorsUserPoolId": of.front.login.user_pool_id,
        "repositories": of.data.registry.repository_urls,
        "deployRoleArn": of.roles.arns["deploy"],
        "previewRoleArn": of.roles.arns["preview"],
        "onCallRoleArn": of.roles.arns["on-call"],
        "alertsTopicArn": of.foundation.notifications.alerts_topic_arn,
        "incidentsTopicArn": of.foundation.notifications.incidents_topic_arn,
        "dashboards": {"cloudwatch": of.watch.observability.dashboards, "grafana": _boards(of)},
        "alarms": of.watch.observability.alarm_names,
        "logGroups": of.watch.observability.log_groups,
    }


def _recovery(of: Parts) -> dict[str, Any]:
    """What a rebuild in the recovery region starts from; empty for a stack that keeps nothing there."""
    kept = of.data.recovery_region
    if kept is None:
        return {}
    return {"region": of.settings.recovery_region, "keyArn": kept.key_arn, "backupVaultName": kept.vault_name,
            "backupVaultArn": kept.vault_arn, "replicatedBackupsArn": of.data.safeguards.replicated_backups_arn,
            **{f"{purpose}Bucket": bucket.name for purpose, bucket in kept.buckets.items()}}


def _boards(of: Parts) -> dict[str, str]:
    """Grafana's, by name; empty for a stack without monitoring in its cluster."""
    return {name: f"https://{of.front.edge.hosts.grafana}/d/candlefish-{name}"
            for name in (of.watch.boards.dashboards if of.watch.boards else ())}
