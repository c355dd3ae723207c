"""Who looks at it: log groups, alarms, dashboards and checks in AWS; Prometheus and Grafana in the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.components.cluster import Cluster
from infra.components.edge.pages import STATUS_KEY
from infra.components.observability.alarms import Topics
from infra.components.observability.cluster import ClusterMonitoring, ClusterMonitoringArgs
from infra.components.observability.observability import Observability, ObservabilityArgs
from infra.components.operations.operations import Operations
from infra.layers.data import Data
from infra.layers.foundation import Foundation
from infra.layers.front import Front
from infra.layers.platform import Platform
from infra.layers.scope import Scope
from infra.plans.guards import MONITORING_NAMESPACE
from infra.plans.ingress import fronted
from infra.plans.monitoring import ALERTMANAGER_SECRET
from infra.plans.observability.alarm_table import Sizes
from infra.plans.places import EDGE_REGION
from infra.settings.platform import Feature


@dataclass(frozen=True)
class Watch:
    """boards: None for a stack without monitoring in its cluster."""

    observability: Observability
    boards: ClusterMonitoring | None


def build(at: Scope, base: Foundation, cluster: Cluster, data: Data, operations: Operations, front: Front,
          platform: Platform) -> Watch:
    settings = at.settings
    sizes = Sizes(settings.database.instance_class, settings.database.storage_gib,
                  settings.observability.synthetics.minutes)
    observability = _observability(at, base, data, operations, front, platform, sizes)
    if Feature.MONITORING not in settings.addons.features:
        return Watch(observability, None)
    return Watch(observability, ClusterMonitoring("cluster-monitoring", ClusterMonitoringArgs(
        environment=settings.environment, settings=settings.observability, sizes=sizes,
        namespace=MONITORING_NAMESPACE, alertmanager_secret=ALERTMANAGER_SECRET,
        secret_store=platform.addons.secret_store_name, secrets=base.notifications.secret_arns,
        notifications=settings.operations.notifications),
        pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[platform.addons])))


def _observability(at: Scope, base: Foundation, data: Data, operations: Operations, front: Front, platform: Platform,
                   sizes: Sizes) -> Observability:
    settings, names, notifications = at.settings, at.names, base.notifications
    edge, analytics, workloads = front.edge, front.analytics, platform.workloads
    return Observability("observability", ObservabilityArgs(
        environment=settings.environment, settings=settings.observability, sizes=sizes,
        dashboard_name=names.resource("animation"), dashboard_url=names.dashboard_url(settings.region),
        region=settings.region, edge_region=EDGE_REGION, edge_provider=at.edge_provider,
        log_key_arn=base.keys.logs_key_arn, log_groups=names.cluster_log_groups,
        log_retention_days=at.log_retention_days, load_balancer_arn=workloads.load_balancer_arn,
        target_groups=workloads.target_groups, services=[service.name for service in fronted(settings.services)],
        database_id=data.database.instance_id, cache_nodes=data.cache.node_ids,
        distribution_id=front.delivery.distribution_id, certificate_arn=edge.regional_certificate_arn,
        cdn_certificate_arn=edge.certificate_arn, account_id=at.account, data_key_arn=base.keys.data_key_arn,
        canary_name=names.resource("health"),
        checks={"website": f"https://{edge.hosts.apex}/api/health", "api": f"https://{edge.hosts.api}/health"},
        logs_bucket=data.storage.logs, status_bucket=data.storage.assets, status_key=STATUS_KEY,
        functions=[*analytics.function_names.values(), notifications.function_name,
                   *operations.function_names.values()],
        dead_letter_queues=[*analytics.dead_letter_queue_arns.values(), notifications.dead_letter_queue_arn,
                            *operations.dead_letter_queue_arns.values()],
        api=(analytics.rest_api_name, analytics.rest_api_stage),
        topics=Topics(notifications.alerts_topic_arn, notifications.incidents_topic_arn),
        edge_topics=Topics(notifications.edge_alerts_topic_arn)), at.here)
