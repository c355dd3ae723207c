"""Databases and caches as EC2 sees them: their network interfaces hold subnets and security groups.

The emulators make no interfaces for them. A store counts as being in every subnet of its group: Multi-AZ ones may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearsal.aws.handler import Call

_SUBNETS = "aws:elasticache/subnetGroup:SubnetGroup"  # kept: neither emulator holds it


def in_subnet(call: Call, subnet_id: str) -> Iterator[str]:
    """Identifiers of the stores whose subnet group holds the subnet."""
    for database in _databases(call):
        group = database.get("DBSubnetGroup") or {}
        if subnet_id in (subnet["SubnetIdentifier"] for subnet in group.get("Subnets", ())):
            yield database["DBInstanceIdentifier"]
    for cache in _caches(call):
        kept = call.kept.get(call.account, call.region, _SUBNETS, cache.get("CacheSubnetGroupName", ""))
        if kept is not None and subnet_id in kept["subnetIds"]:
            yield cache["CacheClusterId"]


def in_security_group(call: Call, group_id: str) -> Iterator[str]:
    """Identifiers of the stores that are in the security group."""
    for database in _databases(call):
        if group_id in (group["VpcSecurityGroupId"] for group in database.get("VpcSecurityGroups", ())):
            yield database["DBInstanceIdentifier"]
    for cache in _caches(call):
        if group_id in (group["SecurityGroupId"] for group in cache.get("SecurityGroups", ())):
            yield cache["CacheClusterId"]


def _databases(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call.client("rds").describe_db_instances()["DBInstances"]
    return found


def _caches(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call.client("elasticache").describe_cache_clusters()["CacheClusters"]
    return found
