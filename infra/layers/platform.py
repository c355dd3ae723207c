"""What runs in the cluster: add-ons, the six services behind their load balancer, the operators' tools."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.components.addons import Addons, AddonsArgs
from infra.components.certificates import ClusterCertificates, ClusterCertificatesArgs
from infra.components.cluster import Cluster
from infra.components.database import DATABASE_NAME
from infra.components.edge.operators import Tools, ToolsArgs
from infra.components.workloads.database_jobs import BackupsPlace
from infra.components.workloads.workloads import Workloads, WorkloadsArgs
from infra.layers.data import Data
from infra.layers.foundation import Foundation
from infra.layers.front import Front
from infra.layers.scope import Scope
from infra.plans.charts import Facts
from infra.plans.external_secrets import DatabasePlace
from infra.plans.guards import MONITORING_NAMESPACE
from infra.plans.monitoring import GRAFANA_SECRET
from infra.plans.subnets import plan
from infra.settings.platform import Feature


@dataclass(frozen=True)
class Platform:
    addons: Addons
    workloads: Workloads


def build(at: Scope, base: Foundation, cluster: Cluster, data: Data, front: Front) -> Platform:
    settings = at.settings
    addons = _addons(at, base, cluster, data)
    workloads = _workloads(at, base, cluster, data, front, addons)
    if Feature.CERTIFICATES in settings.addons.features:
        ClusterCertificates("cluster-certificates", ClusterCertificatesArgs(
            namespace=settings.cluster.namespace, made_namespace=workloads.namespace,
            services=[service.name for service in settings.services]),
            pulumi.ResourceOptions(providers=[cluster.provider]))
    if Feature.MONITORING in settings.addons.features:
        Tools("operators-tools", ToolsArgs(
            namespace=addons.namespaces[MONITORING_NAMESPACE], hosts=front.edge.hosts,
            ranges=settings.edge.operator_cidrs, identity_provider=front.login.identity_provider),
            pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[*addons.foundations, workloads]))
    return Platform(addons, workloads)


def _addons(at: Scope, base: Foundation, cluster: Cluster, data: Data) -> Addons:
    settings = at.settings
    subnets = plan(settings.network.cidr, settings.network.zone_count)
    return Addons("addons", AddonsArgs(
        facts=Facts(
            cluster_name=cluster.name, kubernetes_version=settings.cluster.version, account_id=at.account,
            region=settings.region, vpc_id=base.network.vpc_id, namespace=settings.cluster.namespace,
            secret_arns=[*data.secret_arns.values(), *base.notifications.secret_arns.values()],
            secret_key_arn=base.keys.data_key_arn, default_tags={**at.tags, "Component": "addons"},
            log_groups=at.names.cluster_log_groups, replicas=settings.addons.replicas,
            monitoring=settings.addons.monitoring),
        features=settings.addons.features, door_cidrs=tuple(map(str, subnets.public)),
        vpc_cidr=str(settings.network.cidr), service_cidr=str(settings.cluster.service_cidr),
        grafana_secret_arn=data.secret_arns.get(GRAFANA_SECRET)), at.inside(cluster))


def _workloads(at: Scope, base: Foundation, cluster: Cluster, data: Data, front: Front, addons: Addons) -> Workloads:
    settings, edge, database = at.settings, front.edge, data.database
    subnets = plan(settings.network.cidr, settings.network.zone_count)
    return Workloads("workloads", WorkloadsArgs(
        namespace=settings.cluster.namespace, services=settings.services, hosts=edge.hosts,
        cluster_name=at.names.cluster, secrets=data.secret_arns, secret_store=addons.secret_store_name,
        front_door_cidrs=tuple(map(str, subnets.public)), data_cidrs=tuple(map(str, subnets.data)),
        database=DatabasePlace(database.address, database.port.apply(str), DATABASE_NAME),
        settings=settings.workloads, access_logs_bucket=data.storage.logs.name,
        backups=BackupsPlace(data.storage.backups.name, data.storage.backups.arn, base.keys.data_key_arn,
                             settings.region, settings.database.storage_gib),
        public_subnet_ids=base.network.public_subnet_ids, certificate_arns=edge.front_door_certificate_arns,
        also=edge.also, web_acl_arn=edge.regional_web_acl_arn, identity_provider=front.login.identity_provider,
        tags={**at.tags, "Component": "workloads"}),
        # The load balancer is refused while the bucket's policy doesn't let it deliver its logs.
        at.inside(cluster, depends_on=[*addons.foundations, data.storage.logs]))
