"""What is looked for: `CHECKS` is the one table. A check reads and yields findings; it never changes anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from . import prices
from .reads import Look, Metric, batches, tags_of, utc

_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")
_OVERSIZED_PERCENT = 20.0  # a maximum below: a class of half the size would have been at 40 %
_NAT_IDLE_BYTES = 1_000_000  # a month of health checks and time servers is more


@dataclass(frozen=True)
class Finding:
    """`monthly_usd`: what could be saved at most, by the list price; None: no price is known."""

    check: str
    resource: str
    reason: str
    monthly_usd: float | None


@dataclass(frozen=True)
class Check:
    id: str
    find: Callable[[Look], Iterator[tuple[str, str, float | None]]]  # resource, reason, monthly saving

    def findings(self, look: Look) -> list[Finding]:
        return [Finding(self.id, *found) for found in self.find(look)]


Found = Iterator[tuple[str, str, float | None]]


def _stopped_instances(look: Look) -> Found:
    stopped: list[tuple[str, datetime | None, list[str]]] = []
    for reservation in look.pages("ec2", "describe_instances", "Reservations", Filters=[
            {"Name": "instance-state-name", "Values": ["stopped"]}]):
        for instance in reservation["Instances"]:
            at = _STOPPED_AT.search(instance.get("StateTransitionReason", ""))
            since = datetime.fromisoformat(at[1]).replace(tzinfo=UTC) if at else None
            if look.ours(tags_of(instance.get("Tags"))) and (since is None or since < look.idle_since):
                stopped.append((instance["InstanceId"], since, [
                    mapping["Ebs"]["VolumeId"] for mapping in instance.get("BlockDeviceMappings") or ()
                    if "Ebs" in mapping]))
    wanted = [volume for _, _, volumes in stopped for volume in volumes]
    monthly = {volume["VolumeId"]: _volume_price(volume) for some in batches(wanted, 200)
               for volume in look.pages("ec2", "describe_volumes", "Volumes", VolumeIds=list(some))}
    for id, since, volumes in stopped:
        known = [price for volume in volumes if (price := monthly.get(volume)) is not None]
        yield id, f"stopped since {since.date() if since else 'an unknown day'}; its volumes cost on", sum(known)


def _unattached_volumes(look: Look) -> Found:
    for volume in look.pages("ec2", "describe_volumes", "Volumes", Filters=[
            {"Name": "status", "Values": ["available"]}]):
        if look.ours(tags_of(volume.get("Tags"))) and utc(volume["CreateTime"]) < look.idle_since:
            yield (volume["VolumeId"], f"{volume['Size']} GiB {volume['VolumeType']}, attached to nothing",
                   _volume_price(volume))


def _previous_generation_volumes(look: Look) -> Found:
    for volume in look.pages("ec2", "describe_volumes", "Volumes", Filters=[
            {"Name": "volume-type", "Values": ["gp2"]}, {"Name": "status", "Values": ["in-use"]}]):
        if look.ours(tags_of(volume.get("Tags"))):
            saving = (prices.VOLUME_GB["gp2"] - prices.VOLUME_GB["gp3"]) * volume["Size"]
            yield volume["VolumeId"], f"{volume['Size']} GiB gp2; gp3 is faster and cheaper", saving


def _unattached_addresses(look: Look) -> Found:
    for address in look.client("ec2").describe_addresses()["Addresses"]:  # this call has no pages
        if "AssociationId" not in address and look.ours(tags_of(address.get("Tags"))):
            yield address["AllocationId"], f"{address['PublicIp']} belongs to nothing", prices.ADDRESS


def _unattached_interfaces(look: Look) -> Found:
    for interface in look.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=[
            {"Name": "status", "Values": ["available"]}]):
        if not interface.get("RequesterManaged") and look.ours(tags_of(interface.get("TagSet"))):
            yield interface["NetworkInterfaceId"], "attached to nothing; costs nothing, but holds its address", 0.0


def _old_snapshots(look: Look) -> Found:
    used = {mapping["Ebs"]["SnapshotId"] for image in look.pages("ec2", "describe_images", "Images", Owners=["self"])
            for mapping in image.get("BlockDeviceMappings") or () if mapping.get("Ebs", {}).get("SnapshotId")}
    oldest = look.now - timedelta(days=look.snapshot_days)
    for snapshot in look.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"]):
        tags = tags_of(snapshot.get("Tags"))
        kept = snapshot["SnapshotId"] in used or any(key.startswith("aws:backup:") for key in tags)
        if not kept and utc(snapshot["StartTime"]) < oldest and look.ours(tags):
            price = prices.SNAPSHOT_GB[snapshot.get("StorageTier") or "standard"] * snapshot["VolumeSize"]
            yield snapshot["SnapshotId"], f"of {utc(snapshot['StartTime']).date()}, no image and no backup plan", price


def _idle_load_balancers(look: Look) -> Found:
    metrics = {"application": ("AWS/ApplicationELB", "RequestCount"), "network": ("AWS/NetworkELB", "ProcessedBytes"),
               "gateway": ("AWS/GatewayELB", "ProcessedBytes")}
    old = [each for each in look.pages("elbv2", "describe_load_balancers", "LoadBalancers")
           if utc(each["CreatedTime"]) < look.idle_since]
    tags = {each["ResourceArn"]: tags_of(each["Tags"]) for some in batches(old, 20)
            for each in look.client("elbv2").describe_tags(
                ResourceArns=[balancer["LoadBalancerArn"] for balancer in some])["TagDescriptions"]}
    ours = [each for each in old if look.ours(tags.get(each["LoadBalancerArn"], {}))]
    sums = look.sums([Metric(*metrics[each["Type"]], {
        "LoadBalancer": each["LoadBalancerArn"].partition(":loadbalancer/")[2]}) for each in ours])
    for balancer, total in zip(ours, sums, strict=True):
        if not total:
            yield (balancer["LoadBalancerName"], f"no traffic for {look.idle_days} days",
                   prices.LOAD_BALANCER[balancer["Type"]])


def _idle_nat_gateways(look: Look) -> Found:
    ours = [each for each in look.pages("ec2", "describe_nat_gateways", "NatGateways", Filters=[
        {"Name": "state", "Values": ["available"]}])
        if look.ours(tags_of(each.get("Tags"))) and utc(each["CreateTime"]) < look.idle_since]
    sums = look.sums([Metric("AWS/NATGateway", "BytesOutToDestination", {"NatGatewayId": each["NatGatewayId"]})
                      for each in ours])
    for gateway, total in zip(ours, sums, strict=True):
        if (total or 0.0) < _NAT_IDLE_BYTES:
            yield (gateway["NatGatewayId"], f"{(total or 0.0) / 1000:.0f} kB in {look.idle_days} days",
                   prices.NAT_GATEWAY)


def _logs_without_retention(look: Look) -> Found:
    for group in look.pages("logs", "describe_log_groups", "logGroups"):
        if "retentionInDays" in group:
            continue
        arn = group.get("logGroupArn") or group["arn"].removesuffix(":*")
        if look.ours(look.tags("logs", "tags", resourceArn=arn)):
            stored = group.get("storedBytes", 0) / prices.GIB
            yield group["logGroupName"], f"{stored:.1f} GiB are kept for ever", stored * prices.LOGS_GB


def _old_images(look: Look) -> Found:
    for repository in look.pages("ecr", "describe_repositories", "repositories"):
        if not look.ours(look.tags("ecr", "tags", resourceArn=repository["repositoryArn"])):
            continue
        name = repository["repositoryName"]
        oldest = look.now - timedelta(days=look.snapshot_days)
        old = [image for image in look.pages("ecr", "describe_images", "imageDetails", repositoryName=name)
               if utc(image.get("lastRecordedPullTime") or image["imagePushedAt"]) < oldest]
        if old:
            stored = sum(image.get("imageSizeInBytes", 0) for image in old) / prices.GIB
            yield (name, f"{len(old)} images that nobody has pulled for {look.snapshot_days} days",
                   stored * prices.IMAGES_GB)


def _oversized_databases(look: Look) -> Found:
    ours = [each for each in look.pages("rds", "describe_db_instances", "DBInstances")
            if look.ours(tags_of(each.get("TagList"))) and each["DBInstanceStatus"] == "available"
            and utc(each["InstanceCreateTime"]) < look.idle_since]
    peaks = look.sums([Metric("AWS/RDS", "CPUUtilization", {"DBInstanceIdentifier": each["DBInstanceIdentifier"]},
                              "Maximum") for each in ours])
    for database, peak in zip(ours, peaks, strict=True):
        if peak is not None and peak < _OVERSIZED_PERCENT and not database["DBInstanceClass"].endswith(".micro"):
            price = prices.DATABASE.get(database["DBInstanceClass"])
            copies = 2 if database.get("MultiAZ") else 1
            yield (database["DBInstanceIdentifier"],
                   f"{database['DBInstanceClass']} never above {peak:.0f} % CPU in {look.idle_days} days",
                   None if price is None else price * copies / 2)


def _oversized_caches(look: Look) -> Found:
    ours = []
    for node in look.pages("elasticache", "describe_cache_clusters", "CacheClusters"):
        tags = look.tags("elasticache", "TagList", ResourceName=node["ARN"])
        if utc(node["CacheClusterCreateTime"]) < look.idle_since and look.ours(tags):
            ours.append(node)
    dimensions = [{"CacheClusterId": node["CacheClusterId"]} for node in ours]
    peaks = [look.sums([Metric("AWS/ElastiCache", name, each, "Maximum") for each in dimensions])
             for name in ("EngineCPUUtilization", "DatabaseMemoryUsagePercentage")]
    for node, cpu, memory in zip(ours, *peaks, strict=True):
        if cpu is None or memory is None or node["CacheNodeType"].endswith(".micro"):
            continue
        if cpu < _OVERSIZED_PERCENT and memory < _OVERSIZED_PERCENT:
            price = prices.CACHE_NODE.get(node["CacheNodeType"])
            yield (node["CacheClusterId"], f"{node['CacheNodeType']} never above {cpu:.0f} % CPU and {memory:.0f} % "
                   f"memory in {look.idle_days} days", None if price is None else price / 2)


def _volume_price(volume: dict[str, Any]) -> float | None:
    price = prices.VOLUME_GB.get(volume["VolumeType"])
    return None if price is None else price * int(volume["Size"])


CHECKS: tuple[Check, ...] = (
    Check("stopped-instances", _stopped_instances),
    Check("unattached-volumes", _unattached_volumes),
    Check("previous-generation-volumes", _previous_generation_volumes),
    Check("unattached-addresses", _unattached_addresses),
    Check("unattached-interfaces", _unattached_interfaces),
    Check("old-snapshots", _old_snapshots),
    Check("idle-load-balancers", _idle_load_balancers),
    Check("idle-nat-gateways", _idle_nat_gateways),
    Check("logs-without-retention", _logs_without_retention),
    Check("old-images", _old_images),
    Check("oversized-databases", _oversized_databases),
    Check("oversized-caches", _oversized_caches),
)
