"""Rules between settings: what no single field can know. One function a rule; `RULES` runs them all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from itertools import pairwise

from infra.plans import ingress
from infra.plans.capacity import NodePool, both_colours, fit
from infra.plans.hosts import hosts
from infra.plans.instances import INSTANCE_TYPES
from infra.plans.managed_addons import VERSIONS
from infra.plans.places import ZONES
from infra.plans.subnets import plan
from infra.settings import rules_analytics, rules_costs, rules_judging, rules_observability, rules_operations
from infra.settings.errors import Problem
from infra.settings.model import Capacity, Environment, Service, Settings
from infra.settings.rules_backup import backups, recoverable

Rule = Callable[[Settings], Iterator[Problem]]

PRIVATE_RANGES = tuple(IPv4Network(r) for r in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
DOCKER_BRIDGE = IPv4Network("172.17.0.0/16")  # some AWS services on EC2 use it (VPC user guide)
OUTSIDE = "front-door"
HOSTS = ("apex", "www", "api")
TARGETS = ("database", "cache", "internet", "tracing")
_HEAP = re.compile(r"--max-old-space-size=(\d+)")
_HOST, _TAG, _SHA256 = r"[A-Za-z0-9.-]+(:\d+)?", r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "@sha256:[0-9a-f]{64}"
_DIGEST = re.compile(rf"{_HOST}(/[a-z0-9._-]+)+{_TAG}{_SHA256}")
_TAGGED = re.compile(rf"{_HOST}(/[a-z0-9._-]+)*{_TAG}({_SHA256})?")


def check(settings: Settings) -> list[Problem]:
    """Problems of all rules, in the rules' order."""
    return [problem for rule in RULES for problem in rule(settings)]


def regions(settings: Settings) -> Iterator[Problem]:
    for setting, region in (("region", settings.region), ("recoveryRegion", settings.recovery_region)):
        if region not in ZONES:
            yield Problem(setting, region, f"one of {', '.join(ZONES)} (infra/plans/places.py)")
    if settings.region == settings.recovery_region:
        yield Problem("recoveryRegion", settings.recovery_region, f"another region than {settings.region}")
    if settings.stands_in_for == settings.environment:
        yield Problem("standsInFor", settings.stands_in_for, f"another environment than {settings.environment}")


def domain(settings: Settings) -> Iterator[Problem]:
    own, other = settings.domain, settings.domain.also_serves
    apex = f"{own.prefix}.{own.name}" if own.prefix else own.name
    if other and (other == apex or not f".{other}".endswith(f".{own.name}")):
        yield Problem("domain.alsoServes", other, f"{own.name} or a name below it, other than the stack's own, {apex}")


def network(settings: Settings) -> Iterator[Problem]:
    net = settings.network
    available = ZONES.get(settings.region, net.zone_count)
    if net.zone_count > available:
        yield Problem("network.zoneCount", net.zone_count, f"2 to {available}, the zones of {settings.region}")
    strangers = [zone for zone in net.zones if not zone.startswith(settings.region)]
    if net.zones and (strangers or len(set(net.zones)) != net.zone_count):
        yield Problem("network.zones", net.zones, f"{net.zone_count} different zones of {settings.region}, or none")
    if net.nat_gateway_count not in (1, net.zone_count):
        yield Problem("network.natGatewayCount", net.nat_gateway_count, f"1, or one a zone: {net.zone_count}")
    try:
        plan(net.cidr, net.zone_count)
    except ValueError as error:
        yield Problem("network.cidr", str(net.cidr), str(error))
    if not any(net.cidr.subnet_of(private) for private in PRIVATE_RANGES):
        yield Problem("network.cidr", str(net.cidr), "a range inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
    for other, what in ((settings.cluster.service_cidr, "cluster.serviceCidr"), (DOCKER_BRIDGE, "Docker's bridge")):
        if net.cidr.overlaps(other):
            yield Problem("network.cidr", str(net.cidr), f"a range that does not overlap {other}, {what}")


def cluster(settings: Settings) -> Iterator[Problem]:
    if settings.cluster.version not in VERSIONS:
        yield Problem("cluster.version", settings.cluster.version,
                      f"one of {', '.join(VERSIONS)} (infra/plans/managed_addons.py)")
    for cidr in settings.cluster.public_access_cidrs:
        if cidr.prefixlen == 0:
            yield Problem("cluster.publicAccessCidrs", str(cidr), "ranges of your own; never the whole internet")


def node_groups(settings: Settings) -> Iterator[Problem]:
    for name, group in settings.cluster.node_groups.items():
        path = f"cluster.nodeGroups.{name}"
        unknown = [t for t in group.instance_types if t not in INSTANCE_TYPES]
        if unknown:
            yield Problem(f"{path}.instanceTypes", unknown[0],
                          f"one of {', '.join(INSTANCE_TYPES)} (infra/plans/instances.py)")
        elif len({INSTANCE_TYPES[t].architecture for t in group.instance_types}) > 1:
            yield Problem(f"{path}.instanceTypes", list(group.instance_types), "types of one architecture")
        if group.minimum > group.maximum:
            yield Problem(f"{path}.minimum", group.minimum, f"at most its maximum, {group.maximum}")
        if not group.minimum <= group.desired <= group.maximum:
            yield Problem(f"{path}.desired", group.desired, f"{group.minimum} to {group.maximum}")


def data_stores(settings: Settings) -> Iterator[Problem]:
    database = settings.database
    if database.maximum_storage_gib < database.storage_gib:
        yield Problem("database.maximumStorageGib", database.maximum_storage_gib,
                      f"at least storageGib, {database.storage_gib}")
    if database.restore and (database.restore.snapshot_id is None) == (database.restore.source_instance_id is None):
        yield Problem("database.restore", database.restore.model_dump(exclude_none=True),
                      "exactly one of snapshotId and sourceInstanceId")
    if database.restore and database.restore.at and not database.restore.source_instance_id:
        yield Problem("database.restore.at", database.restore.at, "a time only together with sourceInstanceId")


def services(settings: Settings) -> Iterator[Problem]:
    names = Counter(service.name for service in settings.services)
    for name, count in names.items():
        if count > 1:
            yield Problem(f"services.{name}", f"listed {count} times", "each service once")
    seen: dict[tuple[str, str], str] = {}
    for service in settings.services:
        yield from _one_service(settings, service, set(names))
        for host in service.hosts or ("apex",):
            for path in service.paths:
                owner = seen.setdefault((host, path), service.name)
                if owner != service.name:
                    yield Problem(f"services.{service.name}.paths", path,
                                  f"a path that {owner} does not have on {host}")
        for alias in service.aliases:
            if alias in names:
                yield Problem(f"services.{service.name}.aliases", alias, "a name that no service has")


def _one_service(settings: Settings, service: Service, names: set[str]) -> Iterator[Problem]:
    path = f"services.{service.name}"
    yield from _image(settings, f"{path}.image", service.image)
    replicas, sizes = service.replicas, service.resources
    if replicas.minimum > replicas.maximum:
        yield Problem(f"{path}.replicas.minimum", replicas.minimum, f"at most its maximum, {replicas.maximum}")
    if sizes.cpu_millis > sizes.cpu_limit_millis:
        yield Problem(f"{path}.resources.cpuMillis", sizes.cpu_millis,
                      f"at most cpuLimitMillis, {sizes.cpu_limit_millis}")
    if sizes.memory_mib > sizes.memory_limit_mib:
        yield Problem(f"{path}.resources.memoryMib", sizes.memory_mib,
                      f"at most memoryLimitMib, {sizes.memory_limit_mib}")
    heap = _HEAP.search(service.environment.get("NODE_OPTIONS", ""))
    if heap and int(heap[1]) >= sizes.memory_limit_mib:
        yield Problem(f"{path}.environment.NODE_OPTIONS", service.environment["NODE_OPTIONS"],
                      f"a heap below memoryLimitMib, {sizes.memory_limit_mib}")
    for caller in service.callers:
        if caller not in names | {OUTSIDE}:
            yield Problem(f"{path}.callers", caller, f"{OUTSIDE} or a service: {', '.join(sorted(names))}")
    for target in service.calls:
        if target not in TARGETS:
            yield Problem(f"{path}.calls", target, f"one of {', '.join(TARGETS)}")
    for host in service.hosts:
        if host not in HOSTS:
            yield Problem(f"{path}.hosts", host, f"one of {', '.join(HOSTS)}")
    if service.paths and OUTSIDE not in service.callers:
        yield Problem(f"{path}.paths", list(service.paths), f"no paths, or {OUTSIDE} among its callers")


def front_door(settings: Settings) -> Iterator[Problem]:
    """What no single service's paths can know: that another's are asked first."""
    if any(services(settings)):
        return  # which says it better
    try:
        ingress.members(settings.services, hosts(settings.domain))
    except ValueError as error:
        yield Problem("services", "no front door", str(error))


def workloads(settings: Settings) -> Iterator[Problem]:
    yield from _image(settings, "workloads.maintenanceImage", settings.workloads.maintenance_image)
    yield from _image(settings, "workloads.databaseToolsImage", settings.workloads.database_tools_image)


def _image(settings: Settings, path: str, image: str) -> Iterator[Problem]:
    if settings.environment is Environment.DEVELOPMENT:
        if not _TAGGED.fullmatch(image):
            yield Problem(path, image, "registry/name:tag; without a tag nobody knows what runs")
    elif not _DIGEST.fullmatch(image):
        yield Problem(path, image,
                      "registry/name:tag@sha256:<64 hex digits>; outside development images are pinned by digest")


def rollout(settings: Settings) -> Iterator[Problem]:
    stages = settings.rollout.stages_percent
    rising = all(a < b for a, b in pairwise(stages))
    if not stages or not rising or stages[0] < 1 or stages[-1] != 100:
        yield Problem("rollout.stagesPercent", list(stages), "rising weights from 1 to 100 that end at 100")
    least, limit = settings.rollout.stage_minutes, settings.rollout.stage_limit_minutes
    if limit <= least:
        yield Problem("rollout.stageLimitMinutes", limit, f"more than rollout.stageMinutes, {least}")


def highly_available(settings: Settings) -> Iterator[Problem]:
    """What production and its twin in the other region may not do without (E3, D1, D2, N1)."""
    if settings.environment not in (Environment.PRODUCTION, Environment.RECOVERY):
        return
    where = f"in {settings.environment}"
    if settings.network.zone_count < 3:
        yield Problem("network.zoneCount", settings.network.zone_count, f"3 or more {where}")
    if settings.network.nat_gateway_count != settings.network.zone_count:
        yield Problem("network.natGatewayCount", settings.network.nat_gateway_count, f"one a zone {where}")
    if not settings.database.multi_az:
        yield Problem("database.multiAz", False, f"true {where}")
    if settings.cache.replica_count < 1:
        yield Problem("cache.replicaCount", settings.cache.replica_count, f"1 or more {where}")
    if not any(g.capacity is Capacity.ON_DEMAND and g.minimum >= 2 for g in settings.cluster.node_groups.values()):
        yield Problem("cluster.nodeGroups", "SPOT only", f"a group with capacity ON_DEMAND and minimum 2 {where}")
    for name, value in (("protect", settings.lifecycle.protect),
                        ("deletionProtection", settings.lifecycle.deletion_protection),
                        ("finalSnapshot", settings.lifecycle.final_snapshot)):
        if not value and not settings.lifecycle.rehearsed_teardown:
            yield Problem(f"lifecycle.{name}", False, f"true {where}, unless lifecycle.rehearsedTeardown is set")


def capacity(settings: Settings) -> Iterator[Problem]:
    groups = settings.cluster.node_groups
    if any(t not in INSTANCE_TYPES for group in groups.values() for t in group.instance_types):
        return  # node_groups has said it
    pools = [NodePool.of(g.instance_types, g.maximum) for g in groups.values()]
    demands = [both_colours(s.name, s.resources.cpu_millis, s.resources.memory_mib, s.replicas.maximum)
               for s in settings.services]
    nodes = ", ".join(f"{name} at most {g.maximum} × {'/'.join(g.instance_types)}" for name, g in groups.items())
    for short in fit(demands, pools, settings.addons.features).shortfalls:
        yield Problem(
            f"services.{short.service}" if short.service in {s.name for s in settings.services} else short.service,
            f"short of {short.cpu_millis}m CPU and {short.memory_mib} MiB: {short.pods} pods find no node",
            f"what fits on {nodes} with both colours at replicas.maximum; lower resources or replicas.maximum, or "
            "raise cluster.nodeGroups")


RULES: tuple[Rule, ...] = (
    regions, domain, network, cluster, node_groups, data_stores, services, front_door, workloads, rollout,
    highly_available, capacity, backups, recoverable, *rules_observability.RULES, *rules_operations.RULES,
    *rules_analytics.RULES, *rules_judging.RULES, *rules_costs.RULES)
