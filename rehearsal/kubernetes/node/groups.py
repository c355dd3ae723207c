"""Where nodes come from: the node groups of the emulated EKS, or a file for a cluster without AWS."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

GONE = ("DELETING", "DELETE_FAILED")


@dataclass(frozen=True)
class Subnet:
    zone: str  # "us-east-1a"
    cidr: str  # nodes and pods get their addresses from it, as the VPC CNI does


@dataclass(frozen=True)
class NodeGroup:
    name: str
    desired: int
    instance_types: tuple[str, ...]  # the first one with capacity is used: here always the first
    subnets: tuple[Subnet, ...]
    spot: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[tuple[str, str, str], ...] = ()  # key, value, effect as Kubernetes spells it
    disk_gib: int = 20
    release: str = ""  # changes when the group is upgraded; shown as the kubelet's version


class AwsUnavailable(Exception):
    """The emulated AWS refused or did not answer; asked again later."""


class NodeGroups(Protocol):
    def groups(self) -> list[NodeGroup]:
        """All groups that should have nodes. May block; called outside the event loop. Raises AwsUnavailable."""
        ...


class FileNodeGroups:
    """`[{"name", "desired", "instanceType", "zones": ["us-east-1a"], "cidr", "spot", "labels"}]`, read again each time.

    Each zone gets a /20 of `cidr` (default 10.0.0.0/16).
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def groups(self) -> list[NodeGroup]:
        """Raises ValueError for a file that is not so (also while it is being written)."""
        try:
            return [self._group(entry) for entry in json.loads(self._path.read_text())]
        except (KeyError, TypeError) as error:
            raise ValueError(f"{self._path}: a node group is malformed: {error!r}") from error

    @staticmethod
    def _group(entry: dict[str, Any]) -> NodeGroup:
        ranges = ipaddress.ip_network(entry.get("cidr", "10.0.0.0/16")).subnets(new_prefix=20)
        return NodeGroup(
            name=entry["name"], desired=int(entry["desired"]), instance_types=(entry["instanceType"],),
            subnets=tuple(Subnet(zone, str(cidr)) for zone, cidr in zip(entry["zones"], ranges, strict=False)),
            spot=bool(entry.get("spot", False)), labels=tuple(sorted(entry.get("labels", {}).items())))


_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


class EksNodeGroups:
    """Managed node groups of one cluster. `eks` and `ec2` are boto3 clients of the gateway."""

    def __init__(self, eks: Any, ec2: Any, cluster: str) -> None:
        self._eks = eks
        self._ec2 = ec2
        self._cluster = cluster
        self._subnet = lru_cache(maxsize=None)(self._describe_subnet)

    def groups(self) -> list[NodeGroup]:
        """Empty while the cluster does not exist yet."""
        try:
            return self._groups()
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"node groups of {self._cluster}: {error}") from error

    def _groups(self) -> list[NodeGroup]:
        try:
            names = [name for page in self._eks.get_paginator("list_nodegroups").paginate(clusterName=self._cluster)
                     for name in page["nodegroups"]]
        except self._eks.exceptions.ResourceNotFoundException:
            return []
        found = []
        for name in names:
            try:
                group = self._eks.describe_nodegroup(clusterName=self._cluster, nodegroupName=name)["nodegroup"]
            except self._eks.exceptions.ResourceNotFoundException:
                continue  # deleted between the two calls
            if group.get("status") not in GONE:
                found.append(self._group(group))
        return found

    def _group(self, group: dict[str, Any]) -> NodeGroup:
        types = group.get("instanceTypes") or ["t3.medium"]  # EKS's default
        return NodeGroup(
            name=group["nodegroupName"], desired=int(group["scalingConfig"]["desiredSize"]),
            instance_types=tuple(types), subnets=tuple(self._subnet(id) for id in group["subnets"]),
            spot=group.get("capacityType") == "SPOT", labels=tuple(sorted((group.get("labels") or {}).items())),
            taints=tuple((taint["key"], taint.get("value", ""), _EFFECTS[taint["effect"]])
                         for taint in group.get("taints") or ()),
            disk_gib=int(group.get("diskSize") or 20), release=group.get("version", ""))

    def _describe_subnet(self, id: str) -> Subnet:
        found = self._ec2.describe_subnets(SubnetIds=[id])["Subnets"][0]
        return Subnet(found["AvailabilityZone"], found["CidrBlock"])
