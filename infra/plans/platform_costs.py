"""The platform's lines: what runs whether anybody comes or not, and the traffic that goes with a stack of its size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra.plans import firewall
from infra.plans.estimate import HOURS, Line, Part
from infra.plans.hosts import also, hosts
from infra.plans.monitoring import ALERTMANAGER_GIB, GRAFANA_GIB
from infra.plans.places import EDGE_REGION
from infra.plans.prices import Book
from infra.settings.model import Capacity, NodeGroup, Settings
from infra.settings.operations import OffHours
from infra.settings.platform import Feature
from infra.settings.usage import Quantity

Month = Mapping[Quantity, float]
WEB_ACLS, DASHBOARDS, HEALTH_CHECKS = 2, 1, 2
EC2_METRICS = 7  # of an instance with detailed monitoring (CloudWatch pricing, "detailed monitoring for EC2")
CDN_METRICS = 8  # of the site's distribution (CloudFront developer guide, "Estimating the cost for the metrics")
ALARMS = {"all": 34, "critical": 19, "none": 0}  # by `observability.alarms`, each with one metric
COMPOSITES = {"all": 4, "critical": 4, "none": 0}
DATABASE_VCPUS = 2  # of every class of db.t4g up to large (RDS user guide, hardware specifications)
_MINUTES_A_WEEK = 7 * 24 * 60


def lines(settings: Settings, month: Month, book: Book) -> Iterator[Line]:
    for part in (_cluster(settings), _nodes(settings, month, book), _volumes(settings), _network(settings, month),
                 _front_door(settings, month), _database(settings, month), _cache(settings), _storage(settings, month),
                 _copies(settings, month), _edge(settings, month), _keys(settings, month), _watch(settings, month)):
        yield from part
    if settings.governance.owns_account_audit:
        yield from _audit(settings, month)


def on_share(hours: OffHours) -> float:
    """Share of a week in which the nodes are there (F8): `up` and `down` on weekdays; a weekend is as Friday ends."""
    if not hours.enabled:
        return 1.0
    changes = sorted((day * 1440 + _minutes(time), on) for day in range(5)
                     for time, on in ((hours.up, True), (hours.down, False)))
    following = [*changes[1:], (changes[0][0] + _MINUTES_A_WEEK, changes[0][1])]
    return sum(end - start for (start, on), (end, _) in zip(changes, following, strict=True) if on) / _MINUTES_A_WEEK


def average_nodes(group: NodeGroup, month: Month) -> float:
    return group.desired + (group.maximum - group.desired) * month[Quantity.NODES] / 100


def keys(settings: Settings) -> int:
    """Customer-managed: data, logs, cluster; one in the recovery region; the account's audit; three at the edge where
    that is another region."""
    return (3 + settings.backup.cross_region + settings.governance.owns_account_audit
            + 3 * (settings.region != EDGE_REGION))


def secrets(settings: Settings) -> int:
    """The program's, Grafana's administrator, and the master password that RDS keeps."""
    return 9 + (Feature.MONITORING in settings.addons.features) + 1


def _minutes(time: str) -> int:
    hour, minute = time.split(":")
    return int(hour) * 60 + int(minute)


def _some(part: Part, component: str, region: str, *rows: tuple[str, float, str]) -> Iterator[Line]:
    """rows: what, how many units of the price, name of the price."""
    for what, quantity, price in rows:
        yield Line(part, component, what, quantity, price, region)


def _cluster(settings: Settings) -> Iterator[Line]:
    return _some(Part.EKS, "cluster", settings.region, ("control plane", HOURS, "eks.cluster"))


def _nodes(settings: Settings, month: Month, book: Book) -> Iterator[Line]:
    region, share = settings.region, on_share(settings.operations.off_hours)
    for name, group in settings.cluster.node_groups.items():
        nodes = average_nodes(group, month) * share
        yield from _instances(name, group, nodes, region, book)
        yield from _some(Part.EC2, "nodes", region,
                         (f"{name}: disks of {group.disk_gib} GiB", nodes * group.disk_gib, "ebs.gp3"),
                         (f"{name}: detailed monitoring", nodes * EC2_METRICS, "cloudwatch.metric"))


def _instances(name: str, group: NodeGroup, nodes: float, region: str, book: Book) -> Iterator[Line]:
    """On demand EKS takes the first type as long as there is capacity (EKS user guide, "Managed node groups concepts");
    of spot types nobody knows which comes, so each that has a price counts alike."""
    first = group.instance_types[0]
    if group.capacity is Capacity.ON_DEMAND:
        return _some(Part.EC2, "nodes", region, (f"{name}: {first} on demand", nodes * HOURS, f"ec2.{first}"))
    known = [each for each in group.instance_types if book.find(f"ec2-spot.{each}", region)] or [first]
    return _some(Part.EC2, "nodes", region, *(
        (f"{name}: {each} spot, 1 of {len(known)} types", nodes * HOURS / len(known), f"ec2-spot.{each}")
        for each in known))


def _volumes(settings: Settings) -> Iterator[Line]:
    share = on_share(settings.operations.off_hours)
    for service in settings.services:
        if service.volume:
            gib = service.volume.size_gib * service.replicas.minimum * share
            price = "efs.storage" if service.volume.storage_class else "ebs.gp3"
            yield from _some(Part.STORAGE, "volumes", settings.region,
                             (f"{service.name}: {service.volume.size_gib} GiB a pod", gib, price))
    if Feature.MONITORING in settings.addons.features:
        gib = settings.addons.monitoring.storage_gib + GRAFANA_GIB + ALERTMANAGER_GIB * settings.addons.replicas
        yield from _some(Part.STORAGE, "volumes", settings.region,
                         ("Prometheus, Alertmanager, Grafana", gib, "ebs.gp3"))


def _network(settings: Settings, month: Month) -> Iterator[Line]:
    gateways, endpoints = settings.network.nat_gateway_count, len(settings.network.interface_endpoints)
    zones = settings.network.zone_count
    return _some(
        Part.TRANSFER, "network", settings.region,
        (f"NAT gateways: {gateways}", gateways * HOURS, "nat.hour"),
        ("addresses of NAT gateways", gateways * HOURS, "ipv4.address"),
        ("through NAT gateways", month[Quantity.NAT], "nat.data"),
        (f"interface endpoints: {endpoints} in {zones} zones", endpoints * zones * HOURS, "endpoint.hour"),
        ("through endpoints", month[Quantity.ENDPOINTS] if endpoints else 0, "endpoint.data"),
        ("between zones, there and back", 2 * month[Quantity.ZONES], "transfer.zones"),
        ("to the internet", month[Quantity.OUT], "transfer.out"))


def _front_door(settings: Settings, month: Month) -> Iterator[Line]:
    zones = settings.network.zone_count
    return _some(Part.BALANCER, "front door", settings.region,
                 ("load balancer", HOURS, "alb.hour"),
                 ("capacity units", month[Quantity.BALANCER] * HOURS, "alb.lcu"),
                 (f"addresses in {zones} zones", zones * HOURS, "ipv4.address"))


def _database(settings: Settings, month: Month) -> Iterator[Line]:
    database, hours = settings.database, settings.operations.off_hours
    zones = "multi" if database.multi_az else "single"
    share = on_share(hours) if hours.stop_database else 1.0
    return _some(
        Part.RDS, "database", settings.region,
        (f"{database.instance_class}, {zones}-AZ", HOURS * share, f"rds.{zones}.{database.instance_class}"),
        (f"storage: {database.storage_gib} GiB", database.storage_gib, f"rds.storage-{zones}"),
        ("backups beyond its size", month[Quantity.DATABASE_BACKUPS], "rds.backup"))


def _cache(settings: Settings) -> Iterator[Line]:
    cache, nodes = settings.cache, 1 + settings.cache.replica_count
    return _some(Part.CACHE, "cache", settings.region,
                 (f"{nodes} × {cache.node_type}", nodes * HOURS, f"cache.{cache.engine}.{cache.node_type}"))


def _storage(settings: Settings, month: Month) -> Iterator[Line]:
    return _some(Part.STORAGE, "buckets and images", settings.region,
                 ("objects", month[Quantity.OBJECTS], "s3.storage"),
                 ("writes", month[Quantity.OBJECT_WRITES], "s3.writes"),
                 ("reads", month[Quantity.OBJECT_READS], "s3.reads"),
                 ("images", month[Quantity.IMAGES], "ecr.storage"))


def _copies(settings: Settings, month: Month) -> Iterator[Line]:
    if not settings.backup.cross_region:
        return
    other, objects, backups = settings.recovery_region, month[Quantity.OBJECTS_COPIED], month[Quantity.BACKUP_COPIES]
    yield from _some(Part.RDS, "copies", other, (f"backups in {other}", backups, "rds.backup"))
    yield from _some(Part.STORAGE, "copies", other, (f"objects in {other}", objects, "s3.storage"))
    yield from _some(Part.TRANSFER, "copies", settings.region, (f"to {other}", objects + backups, "transfer.regions"))


def _edge(settings: Settings, month: Month) -> Iterator[Line]:
    edge = settings.edge
    rules = (*firewall.cloudfront_rules(edge, ""), *firewall.regional_rules(
        edge, hosts(settings.domain), "", also(settings.domain)))
    return _some(
        Part.REST, "edge", EDGE_REGION,
        ("firewalls", WEB_ACLS, "waf.acl"), ("firewalls' rules", len(rules), "waf.rule"),
        ("bot control", int(edge.bot_control), "waf.bot-control"),
        ("Shield Advanced", int(edge.shield_advanced), "shield.subscription"),
        ("hosted zone", int(settings.domain.create_zone), "route53.zone"),
        ("name queries", month[Quantity.NAMES], "route53.queries"),
        ("health checks", HEALTH_CHECKS, "route53.health-check"),
        ("health checks by HTTPS", HEALTH_CHECKS, "route53.health-check-feature"),
        ("CloudFront's metrics", CDN_METRICS, "cloudwatch.metric"))


def _keys(settings: Settings, month: Month) -> Iterator[Line]:
    return _some(Part.REST, "keys and secrets", settings.region,
                 ("keys", keys(settings), "kms.key"), ("calls of keys", month[Quantity.KEY_CALLS], "kms.calls"),
                 ("secrets", secrets(settings), "secrets.secret"),
                 ("reads of secrets", month[Quantity.SECRET_READS], "secrets.calls"))


def _watch(settings: Settings, month: Month) -> Iterator[Line]:
    watched = settings.observability
    minutes = watched.synthetics.minutes
    runs = HOURS * 60 / minutes if watched.synthetics.enabled else 0
    return _some(
        Part.REST, "observability", settings.region,
        ("logs taken in", month[Quantity.LOGS], "logs.ingestion"),
        ("logs kept", month[Quantity.LOGS_KEPT], "logs.storage"),
        ("metrics of our own", month[Quantity.METRICS], "cloudwatch.metric"),
        ("alarms", ALARMS[watched.alarms], "cloudwatch.alarm"),
        ("composite alarms", COMPOSITES[watched.alarms], "cloudwatch.composite-alarm"),
        ("dashboard", DASHBOARDS, "cloudwatch.dashboard"),
        (f"synthetic checks every {minutes} min", runs, "cloudwatch.canary-run"))


def _audit(settings: Settings, month: Month) -> Iterator[Line]:
    audited = month[Quantity.AUDITED]
    return _some(
        Part.REST, "governance", settings.region,
        ("Config: recorded items", month[Quantity.CONFIG_ITEMS], "config.items"),
        ("Config: rules evaluated", month[Quantity.CONFIG_CHECKS], "config.evaluations"),
        ("GuardDuty: the trail", audited, "guardduty.events"),
        ("GuardDuty: events of objects", audited, "guardduty.s3-events"),
        ("GuardDuty: Kubernetes' audit log", audited, "guardduty.eks-events"),
        ("GuardDuty: flow and name logs", month[Quantity.FLOWS], "guardduty.flows"),
        ("GuardDuty: database logins", DATABASE_VCPUS, "guardduty.rds-vcpus"),
        ("Security Hub", month[Quantity.SECURITY_CHECKS], "security-hub.checks"))
