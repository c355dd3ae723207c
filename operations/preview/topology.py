"""The topology as a person reads it: components in zones, and between them what flows and who may do what.

Two things that almost every component has are no lines: keys that encrypt (a mark in the box) and being in the VPC (the
zone).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from operations.preview.model import Operation, StackPreview
from operations.preview.parts import Need, Part, needs, owner_of, parts

OTHER = "Other"
# By the module of a component's type (`candlefish:MODULE:Name`), in the order of the columns.
ZONES: Mapping[str, tuple[str, ...]] = {
    "Edge": ("edge",), "Serverless": ("analytics", "functions"),
    "Cluster in the VPC": ("network", "cluster", "workloads", "addons"),
    "Data": ("database", "cache", "storage", "secrets", "backup", "registry"),
    "Operations": ("operations", "observability", "governance"), "Access": ("roles", "keys"),
    "Recovery region": ("recovery",), OTHER: ()}
_ZONE_OF = {module: zone for zone, modules in ZONES.items() for module in modules}
_KEYS = "keys"


class Kind(StrEnum):
    TRAFFIC = "traffic"
    PERMISSION = "permission"


# (type, input): what a reference in it means. True: requests, copies or messages go the other way than the reference.
_TRAFFIC: Mapping[tuple[str, str], bool] = {
    ("aws:cloudfront/distribution:Distribution", "origins"): False,
    ("aws:cloudfront/distribution:Distribution", "loggingConfig"): False,
    ("aws:route53/record:Record", "aliases"): False,
    ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "referencedSecurityGroupId"): True,
    ("aws:s3/bucketReplicationConfig:BucketReplicationConfig", "rules"): False,
    ("aws:s3/bucketLogging:BucketLogging", "targetBucket"): False,
    ("aws:s3/bucketNotification:BucketNotification", "topics"): False,
    ("aws:backup/plan:Plan", "rules"): False,
    ("aws:rds/eventSubscription:EventSubscription", "snsTopic"): False,
    ("aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", "sourceDbInstanceArn"): True,
    ("aws:cloudwatch/eventTarget:EventTarget", "arn"): False,
    ("aws:cloudwatch/compositeAlarm:CompositeAlarm", "alarmActions"): False,
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "alarmActions"): False,
    ("aws:budgets/budget:Budget", "notifications"): False,
    ("aws:costexplorer/anomalySubscription:AnomalySubscription", "subscribers"): False,
    ("aws:synthetics/canary:Canary", "artifactS3Location"): False,
    ("aws:lambda/eventSourceMapping:EventSourceMapping", "eventSourceArn"): True,
}
_PERMISSION: frozenset[tuple[str, str]] = frozenset({
    ("aws:iam/rolePolicy:RolePolicy", "policy"), ("aws:iam/policy:Policy", "policy"),
    ("aws:iam/role:Role", "assumeRolePolicy"), ("aws:s3/bucketPolicy:BucketPolicy", "policy"),
    ("aws:lambda/permission:Permission", "sourceArn"), ("aws:eks/accessEntry:AccessEntry", "principalArn"),
    ("aws:eks/podIdentityAssociation:PodIdentityAssociation", "roleArn"),
    ("aws:secretsmanager/secretRotation:SecretRotation", "secretId"),
    ("kubernetes:external-secrets.io/v1:ExternalSecret", "spec"),
    ("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "metadata")})


@dataclass(frozen=True)
class Edge:
    of: str
    to: str
    kind: Kind
    because: tuple[str, ...]  # "Distribution origins"


@dataclass(frozen=True)
class Box:
    part: Part
    zone: str
    counts: Mapping[Operation, int]
    encrypted: bool


@dataclass(frozen=True)
class Topology:
    """columns: zone → boxes from top to bottom; zones without a box are left out."""

    columns: Mapping[str, tuple[Box, ...]]
    edges: tuple[Edge, ...]


def topology(stack: StackPreview) -> Topology:
    wanted = needs(stack.graph)
    edges = _edges(wanted)
    encrypted = {need.of for need in wanted if need.to == _KEYS}
    counts = _counts(stack)
    boxes = [Box(part, zone_of(part), counts.get(part.name, {}), part.name in encrypted) for part in parts(stack)]
    columns: dict[str, tuple[Box, ...]] = {}
    placed: dict[str, float] = {}
    for zone in ZONES:
        inside = [box for box in boxes if box.zone == zone]
        # Beside what it is connected with on the left, so that lines cross less.
        inside.sort(key=lambda box: (_height(box.part.name, edges, placed), box.part.name))
        if inside:
            columns[zone] = tuple(inside)
            placed |= {box.part.name: index / len(inside) for index, box in enumerate(inside)}
    return Topology(columns, edges)


def zone_of(part: Part) -> str:
    if part.type == "candlefish:observability:ClusterMonitoring":
        return "Cluster in the VPC"
    steps = part.type.split(":")
    return _ZONE_OF.get(steps[1] if len(steps) == 3 else "", OTHER)


def _edges(wanted: tuple[Need, ...]) -> tuple[Edge, ...]:
    found: dict[tuple[str, str, Kind], set[str]] = {}
    for need in wanted:
        if need.to == _KEYS:
            continue
        for type, key in need.properties:
            said = f"{type.rsplit(':', 1)[-1]} {key}"
            if (type, key) in _TRAFFIC:
                of, to = (need.to, need.of) if _TRAFFIC[type, key] else (need.of, need.to)
                found.setdefault((of, to, Kind.TRAFFIC), set()).add(said)
            elif (type, key) in _PERMISSION:
                found.setdefault((need.of, need.to, Kind.PERMISSION), set()).add(said)
    return tuple(Edge(of, to, kind, tuple(sorted(said))) for (of, to, kind), said in sorted(found.items()))


def _counts(stack: StackPreview) -> dict[str, dict[Operation, int]]:
    owners = owner_of(stack.graph)
    found: dict[str, dict[Operation, int]] = {}
    for change in stack.changes:
        if change.urn in owners:
            mine = found.setdefault(owners[change.urn].name, {})
            mine[change.operation] = mine.get(change.operation, 0) + 1
    return found


def _height(name: str, edges: tuple[Edge, ...], placed: Mapping[str, float]) -> float:
    """The middle of the neighbours that have a place; the top where there is none."""
    near = [placed[other] for edge in edges for one, other in ((edge.of, edge.to), (edge.to, edge.of))
            if one == name and other in placed]
    return sum(near) / len(near) if near else 0.0
