"""The composition root: what an environment is made of, in the order in which it depends on itself."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.components.access import ClusterAccess, ClusterAccessArgs
from infra.components.addons import Addons, AddonsArgs
from infra.components.analytics.analytics import Analytics, AnalyticsArgs
from infra.components.analytics.custom_domain import CustomDomain
from infra.components.backup import Backup, BackupArgs
from infra.components.boundary import Boundary, BoundaryArgs
from infra.components.cache import Cache, CacheArgs
from infra.components.certificates import ClusterCertificates, ClusterCertificatesArgs
from infra.components.cluster import Cluster, ClusterArgs
from infra.components.database import DATABASE_NAME, Database, DatabaseArgs
from infra.components.database_safeguards import BackupReplica, DatabaseSafeguards, DatabaseSafeguardsArgs
from infra.components.edge.delivery import Content, Delivery, DeliveryArgs
from infra.components.edge.edge import Edge, EdgeArgs
from infra.components.edge.operators import Login, LoginArgs, Tools, ToolsArgs
from infra.components.edge.pages import STATUS_KEY
from infra.components.edge.records import Records, RecordsArgs, Target
from infra.components.edge.shield import Shield, ShieldArgs
from infra.components.edge.site import ApiOrigin
from infra.components.governance.account import AccountAudit, AccountAuditArgs
from infra.components.governance.costs import Costs, CostsArgs
from infra.components.governance.records import AccountRecordsArgs
from infra.components.keys import Keys, KeysArgs
from infra.components.network import Network, NetworkArgs
from infra.components.observability.alarms import Topics
from infra.components.observability.cluster import ClusterMonitoring, ClusterMonitoringArgs
from infra.components.observability.observability import Observability, ObservabilityArgs
from infra.components.operations.notifications import Notifications, NotificationsArgs, Place
from infra.components.operations.operations import Operations, OperationsArgs
from infra.components.recovery_region import RecoveryRegion, RecoveryRegionArgs
from infra.components.registry import Registry, RegistryArgs
from infra.components.roles import Roles, RolesArgs
from infra.components.secrets import Secrets, SecretsArgs
from infra.components.storage import ServedBuckets, ServedBucketsArgs, Storage, StorageArgs
from infra.components.workloads.database_jobs import BackupsPlace
from infra.components.workloads.workloads import Workloads, WorkloadsArgs
from infra.outputs import Parts, outputs
from infra.plans.charts import Facts
from infra.plans.external_secrets import REGISTRY_SECRET, DatabasePlace, pulled_with_a_secret
from infra.plans.guards import MONITORING_NAMESPACE
from infra.plans.ingress import fronted
from infra.plans.monitoring import ALERTMANAGER_SECRET, GRAFANA_SECRET
from infra.plans.names import Names
from infra.plans.observability.alarm_specs import prefix
from infra.plans.observability.alarm_table import Sizes
from infra.plans.places import EDGE_REGION, zone_names
from infra.plans.subnets import plan
from infra.plans.tags import default_tags
from infra.settings.model import Settings
from infra.settings.platform import Feature

BUILT_IN_SECRETS = ("database", "cache", "jwt")  # of these the stack knows the value; others are filled by operators


class Environment:
    """One whole environment of the platform. `outputs` is what operations need of it."""

    def __init__(self, settings: Settings) -> None:
        names = Names(settings.environment)
        tags = default_tags(**settings.ownership.model_dump(), environment=settings.environment,
                            stack=pulumi.get_stack())
        provider = aws_provider(settings.region, tags)
        edge_provider = provider if settings.region == EDGE_REGION else aws_provider(EDGE_REGION, tags)
        here = pulumi.ResourceOptions(providers=[provider])
        lifecycle = settings.lifecycle
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id

        boundary = Boundary("boundary", BoundaryArgs(names.boundary, account, settings.environment), here)
        boundary.bound_all()
        keys = Keys("keys", KeysArgs(account_id=account, region=settings.region, protect=lifecycle.protect), here)
        edge_keys = keys if edge_provider is provider else Keys(
            "edge-keys", KeysArgs(account_id=account, region=EDGE_REGION, protect=lifecycle.protect),
            pulumi.ResourceOptions(providers=[edge_provider]))
        notifications = Notifications("notifications", NotificationsArgs(
            function_name=names.resource("notifications"), environment=settings.environment, account_id=account,
            here=Place(settings.region, provider, keys.logs_key_arn),
            edge=None if edge_keys is keys else Place(EDGE_REGION, edge_provider, edge_keys.logs_key_arn),
            data_key_arn=keys.data_key_arn, settings=settings.operations.notifications,
            secret_prefix=f"candlefish-{settings.environment}", dashboard_url=names.dashboard_url(settings.region),
            log_retention_days=settings.storage.log_retention_days, protect=lifecycle.protect), here)
        Costs("costs", CostsArgs(
            name=names.prefix, environment=settings.environment, monthly_budget_usd=settings.monthly_budget_usd,
            topic_arn=notifications.edge_alerts_topic_arn), here)
        network = Network("network", NetworkArgs(
            settings=settings.network, region=settings.region, logs_key_arn=keys.logs_key_arn,
            zone_names=settings.network.zones or zone_names(settings.region, settings.network.zone_count)), here)
        cluster = Cluster("cluster", ClusterArgs(
            name=names.cluster, settings=settings.cluster, vpc_id=network.vpc_id,
            private_subnet_ids=network.private_subnet_ids, cluster_key_arn=keys.cluster_key_arn,
            logs_key_arn=keys.logs_key_arn, instance_tags=tags, features=settings.addons.features,
            deletion_protection=lifecycle.deletion_protection, scheduled=settings.operations.off_hours.enabled), here)
        database = Database("database", DatabaseArgs(
            name=names.resource("db"), settings=settings.database, lifecycle=lifecycle, vpc_id=network.vpc_id,
            subnet_ids=network.data_subnet_ids, clients={"cluster": cluster.cluster_security_group_id},
            data_key_arn=keys.data_key_arn, logs_key_arn=keys.logs_key_arn,
            log_retention_days=settings.storage.log_retention_days), here)
        recovery_provider = recovery_region = None
        if settings.backup.cross_region:
            recovery_provider = edge_provider if settings.recovery_region == EDGE_REGION else aws_provider(
                settings.recovery_region, tags)
            recovery_region = RecoveryRegion("recovery-region", RecoveryRegionArgs(
                region=settings.recovery_region, source_region=settings.region, storage=settings.storage,
                backup=settings.backup, lifecycle=lifecycle, account_id=account,
                alerts_topic_arn=notifications.alerts_topic_arn),
                pulumi.ResourceOptions(providers=[recovery_provider]))
        safeguards = DatabaseSafeguards("database-safeguards", DatabaseSafeguardsArgs(
            instance_id=database.instance_id, instance_arn=database.arn, secret_arn=database.secret_arn,
            rotation_days=settings.database.password_rotation_days, alerts_topic_arn=notifications.alerts_topic_arn,
            replica=None if recovery_region is None or recovery_provider is None else BackupReplica(
                recovery_provider, recovery_region.key_arn, settings.database.backup_retention_days)), here)
        cache = Cache("cache", CacheArgs(
            name=names.resource("cache"), settings=settings.cache, lifecycle=lifecycle, vpc_id=network.vpc_id,
            subnet_ids=network.data_subnet_ids, clients={"cluster": cluster.cluster_security_group_id},
            data_key_arn=keys.data_key_arn, logs_key_arn=keys.logs_key_arn,
            log_retention_days=settings.storage.log_retention_days), here)
        storage = Storage("storage", StorageArgs(
            settings=settings.storage, lifecycle=lifecycle, account_id=account, data_key_arn=keys.data_key_arn,
            replicas=recovery_region.replicas if recovery_region else {}), here)
        if settings.governance.owns_account_audit:
            AccountAudit("audit", AccountAuditArgs(
                name=names.resource("audit"), region=settings.region, topic_arn=notifications.alerts_topic_arn,
                records=AccountRecordsArgs(
                    trail_name=names.resource("audit"), account_id=account, region=settings.region,
                    logs_key_arn=keys.logs_key_arn, logs_bucket=storage.logs.name,
                    retention_days=settings.storage.log_retention_days, lifecycle=lifecycle)), here)
        backup = Backup("backup", BackupArgs(
            environment=settings.environment, project=settings.ownership.project, stack=pulumi.get_stack(),
            settings=settings.backup, lifecycle=lifecycle, data_key_arn=keys.data_key_arn,
            database_subnet_group=database.subnet_group, alerts_topic_arn=notifications.alerts_topic_arn,
            copy_vault_arn=recovery_region.vault_arn if recovery_region else None), here)
        registry = Registry("registry", RegistryArgs(
            repositories={service.name: names.repository(service.name) for service in settings.services},
            data_key_arn=keys.data_key_arn, account_id=account, force_delete=lifecycle.force_destroy_buckets,
            deploy_role=names.roles["deploy"], replicate_to=settings.recovery_region, settings=settings.registry), here)
        secrets = Secrets("secrets", SecretsArgs(
            jwt_name=names.jwt_secret, prefix=f"candlefish-{settings.environment}", others=operators_secrets(settings),
            accounts=[GRAFANA_SECRET] if Feature.MONITORING in settings.addons.features else [],
            data_key_arn=keys.data_key_arn, protect=lifecycle.protect), here)
        secret_arns = {**secrets.arns, "database": database.secret_arn, "cache": cache.secret_arn}
        operations = Operations("operations", OperationsArgs(
            names=names, account_id=account, region=settings.region, settings=settings.operations,
            topic_arn=notifications.alerts_topic_arn, data_key_arn=keys.data_key_arn, logs_key_arn=keys.logs_key_arn,
            log_retention_days=settings.storage.log_retention_days, jwt_secret_arn=secret_arns["jwt"],
            cache_secret_arn=cache.secret_arn, replication_group_id=cache.replication_group_id,
            replication_group_arn=cache.arn, cluster_name=cluster.name, cluster_arn=cluster.arn,
            node_groups=settings.cluster.node_groups, node_group_names=cluster.node_group_names,
            database_id=database.instance_id, database_arn=database.arn,
            alarm_prefix=prefix(settings.environment, scheduled=True)), here)
        edge = Edge("edge", EdgeArgs(
            domain=settings.domain, edge=settings.edge, web_acl_name=names.web_acl, key_arn=keys.logs_key_arn,
            global_key_arn=edge_keys.logs_key_arn, aws_global=edge_provider,
            log_retention_days=settings.storage.log_retention_days), here)
        analytics = Analytics("analytics", AnalyticsArgs(
            prefix=names.prefix, environment=settings.environment, account_id=account, region=settings.region,
            settings=settings.analytics, experiments=settings.experiments, lifecycle=lifecycle,
            origins=tuple(f"https://{host}" for names in (edge.hosts, edge.also) if names for host in names.site),
            rest_domain=CustomDomain(edge.hosts.rest, edge.regional_certificate_arn),
            websocket_domain=CustomDomain(edge.hosts.ws, edge.regional_certificate_arn),
            web_acl_arn=edge.regional_web_acl_arn, data_key_arn=keys.data_key_arn, logs_key_arn=keys.logs_key_arn,
            owns_account=settings.governance.owns_account_singletons,
            log_retention_days=settings.storage.log_retention_days), here)
        delivery = Delivery("delivery", DeliveryArgs(
            edge=edge, settings=settings.edge, logs_bucket=storage.logs.domain_name,
            site_buckets={colour: Content(b.name, b.regional_domain_name) for colour, b in storage.site.items()},
            assets_bucket=Content(storage.assets.name, storage.assets.regional_domain_name),
            assets_replica=recovery_region.buckets["assets"].regional_domain_name if recovery_region else None,
            api=ApiOrigin(edge.hosts.rest), function_name=names.edge_function, account_id=account,
            aws_global=edge_provider), here)
        login = Login("login", LoginArgs(
            name=names.resource("operators"), hosts=edge.hosts, deletion_protection=lifecycle.deletion_protection,
            protect=lifecycle.protect), here)
        ServedBuckets("served-buckets", ServedBucketsArgs(
            buckets={"assets": storage.assets, **{f"site-{colour}": b for colour, b in storage.site.items()}},
            distribution_arns=list(delivery.distribution_arns.values())), here)
        if recovery_region is not None:
            ServedBuckets("served-replicas", ServedBucketsArgs(
                buckets={"assets": recovery_region.buckets["assets"]},
                distribution_arns=list(delivery.distribution_arns.values())),
                pulumi.ResourceOptions(providers=[recovery_provider] if recovery_provider else []))
        subnets = plan(settings.network.cidr, settings.network.zone_count)
        addons = Addons("addons", AddonsArgs(
            facts=Facts(
                cluster_name=cluster.name, kubernetes_version=settings.cluster.version, account_id=account,
                region=settings.region, vpc_id=network.vpc_id, namespace=settings.cluster.namespace,
                secret_arns=[*secret_arns.values(), *notifications.secret_arns.values()],
                secret_key_arn=keys.data_key_arn,
                default_tags={**tags, "Component": "addons"}, log_groups=names.cluster_log_groups,
                replicas=settings.addons.replicas, monitoring=settings.addons.monitoring),
            features=settings.addons.features, door_cidrs=tuple(map(str, subnets.public)),
            vpc_cidr=str(settings.network.cidr), service_cidr=str(settings.cluster.service_cidr),
            grafana_secret_arn=secret_arns.get(GRAFANA_SECRET)),
            pulumi.ResourceOptions(providers=[provider, cluster.provider]))
        workloads = Workloads("workloads", WorkloadsArgs(
            namespace=settings.cluster.namespace, services=settings.services, hosts=edge.hosts,
            cluster_name=names.cluster, secrets=secret_arns, secret_store=addons.secret_store_name,
            front_door_cidrs=tuple(map(str, subnets.public)), data_cidrs=tuple(map(str, subnets.data)),
            database=DatabasePlace(database.address, database.port.apply(str), DATABASE_NAME),
            settings=settings.workloads, access_logs_bucket=storage.logs.name,
            backups=BackupsPlace(storage.backups.name, storage.backups.arn, keys.data_key_arn, settings.region,
                                 settings.database.storage_gib),
            public_subnet_ids=network.public_subnet_ids, certificate_arns=edge.front_door_certificate_arns,
            also=edge.also, web_acl_arn=edge.regional_web_acl_arn, identity_provider=login.identity_provider,
            tags={**tags, "Component": "workloads"}), pulumi.ResourceOptions(
            # The load balancer is refused while the bucket's policy doesn't let it deliver its logs.
            providers=[provider, cluster.provider], depends_on=[*addons.foundations, storage.logs]))
        if Feature.CERTIFICATES in settings.addons.features:
            ClusterCertificates("cluster-certificates", ClusterCertificatesArgs(
                namespace=settings.cluster.namespace, made_namespace=workloads.namespace,
                services=[service.name for service in settings.services]),
                pulumi.ResourceOptions(providers=[cluster.provider]))
        if Feature.MONITORING in settings.addons.features:
            Tools("operators-tools", ToolsArgs(
                namespace=addons.namespaces[MONITORING_NAMESPACE], hosts=edge.hosts,
                ranges=settings.edge.operator_cidrs, identity_provider=login.identity_provider),
                pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[*addons.foundations, workloads]))
        records = Records("records", RecordsArgs(
            hosts=edge.hosts, zone_id=edge.zone_id, site=delivery.site, static=delivery.static,
            load_balancer=Target(workloads.load_balancer_domain, workloads.load_balancer_zone_id),
            websocket=Target(analytics.websocket_alias.domain, analytics.websocket_alias.zone_id),
            rest=Target(analytics.rest_api_alias.domain, analytics.rest_api_alias.zone_id)), here)
        sizes = Sizes(settings.database.instance_class, settings.database.storage_gib,
                      settings.observability.synthetics.minutes)
        observability = Observability("observability", ObservabilityArgs(
            environment=settings.environment, settings=settings.observability,
            sizes=sizes,
            dashboard_name=names.resource("animation"), dashboard_url=names.dashboard_url(settings.region),
            region=settings.region, edge_region=EDGE_REGION, edge_provider=edge_provider, log_key_arn=keys.logs_key_arn,
            log_groups=names.cluster_log_groups, log_retention_days=settings.storage.log_retention_days,
            load_balancer_arn=workloads.load_balancer_arn,
            target_groups=workloads.target_groups, services=[service.name for service in fronted(settings.services)],
            database_id=database.instance_id, cache_nodes=cache.node_ids, distribution_id=delivery.distribution_id,
            certificate_arn=edge.regional_certificate_arn, cdn_certificate_arn=edge.certificate_arn,
            account_id=account, data_key_arn=keys.data_key_arn, canary_name=names.resource("health"),
            checks={"website": f"https://{edge.hosts.apex}/api/health", "api": f"https://{edge.hosts.api}/health"},
            logs_bucket=storage.logs, status_bucket=storage.assets, status_key=STATUS_KEY,
            functions=[*analytics.function_names.values(), notifications.function_name,
                       *operations.function_names.values()],
            dead_letter_queues=[*analytics.dead_letter_queue_arns.values(), notifications.dead_letter_queue_arn,
                                *operations.dead_letter_queue_arns.values()],
            api=(analytics.rest_api_name, analytics.rest_api_stage),
            topics=Topics(notifications.alerts_topic_arn, notifications.incidents_topic_arn),
            edge_topics=Topics(notifications.edge_alerts_topic_arn)), here)
        boards = None
        if Feature.MONITORING in settings.addons.features:
            boards = ClusterMonitoring("cluster-monitoring", ClusterMonitoringArgs(
                environment=settings.environment, settings=settings.observability, sizes=sizes,
                namespace=MONITORING_NAMESPACE, alertmanager_secret=ALERTMANAGER_SECRET,
                secret_store=addons.secret_store_name, secrets=notifications.secret_arns,
                notifications=settings.operations.notifications),
                pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[addons]))
        roles = Roles("roles", RolesArgs(
            names=names.roles, account_id=account, environment=settings.environment,
            regions=sorted({settings.region, settings.recovery_region, EDGE_REGION}),
            github_repository=settings.pipelines.repository, cluster_arn=cluster.arn, boundary_name=names.boundary,
            oidc_provider_arn=github_provider(settings, account)), here)
        ClusterAccess("cluster-access", ClusterAccessArgs(
            cluster_name=cluster.name, role_arns=roles.arns,
            namespaces={settings.cluster.namespace: workloads.namespace, **addons.namespaces}),
            pulumi.ResourceOptions(providers=[provider, cluster.provider]))

        if settings.edge.shield_advanced:
            Shield("shield", ShieldArgs(name=settings.environment, resources={
                **delivery.distribution_arns, "front-door": workloads.load_balancer_arn}), here)

        self.outputs = outputs(Parts(
            settings, network, cluster, database, safeguards, cache, storage, recovery_region, backup, registry,
            roles, notifications, edge, delivery, login, records, analytics, workloads, observability, boards))


def aws_provider(region: str, tags: dict[str, str]) -> aws.Provider:
    """A provider whose resources carry the default tags."""
    return aws.Provider(f"aws-{region}", region=region,
                        default_tags=aws.ProviderDefaultTagsArgs(tags=tags))


def operators_secrets(settings: Settings) -> list[str]:
    """Names of the secrets that services refer to and that the stack can't know the value of."""
    named = {reference.secret for service in settings.services for reference in service.secrets}
    if pulled_with_a_secret(settings.services):
        named.add(REGISTRY_SECRET)
    return sorted(named - set(BUILT_IN_SECRETS))


def github_provider(settings: Settings, account: pulumi.Output[str]) -> pulumi.Output[str] | None:
    """GitHub's OIDC provider is one an account: None where this stack is the one that makes it."""
    if settings.pipelines.create_oidc_provider:
        return None
    return account.apply(lambda id: f"arn:aws:iam::{id}:oidc-provider/token.actions.githubusercontent.com")
