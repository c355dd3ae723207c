"""ElastiCache replication groups (Valkey and Redis OSS), by MiniStack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import (
    OFTEN,
    found,
    given_back,
    pairs,
    present,
    retag,
    select,
    tag_map,
    unless,
)
from rehearsal.aws.services._elasticache_values import DEFAULT_VERSION, check, endpoints, full_version
from rehearsal.engine.values import Properties

_GONE = ("ReplicationGroupNotFoundFault", "ReplicationGroupNotFound")
_BOTH = {
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "automaticFailoverEnabled": "AutomaticFailoverEnabled",
    "description": "ReplicationGroupDescription",
    "engine": "Engine",
    "engineVersion": "EngineVersion",
    "ipDiscovery": "IpDiscovery",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "multiAzEnabled": "MultiAZEnabled",
    "nodeType": "CacheNodeType",
    "notificationTopicArn": "NotificationTopicArn",
    "parameterGroupName": "CacheParameterGroupName",
    "securityGroupIds": "SecurityGroupIds",
    "snapshotRetentionLimit": "SnapshotRetentionLimit",
    "snapshotWindow": "SnapshotWindow",
    "transitEncryptionEnabled": "TransitEncryptionEnabled",
    "transitEncryptionMode": "TransitEncryptionMode",
    "clusterMode": "ClusterMode",
}
_CREATION = {
    "atRestEncryptionEnabled": "AtRestEncryptionEnabled",
    "authToken": "AuthToken",
    "dataTieringEnabled": "DataTieringEnabled",
    "kmsKeyId": "KmsKeyId",
    "networkType": "NetworkType",
    "numCacheClusters": "NumCacheClusters",
    "numNodeGroups": "NumNodeGroups",
    "port": "Port",
    "preferredCacheClusterAzs": "PreferredCacheClusterAZs",
    "replicasPerNodeGroup": "ReplicasPerNodeGroup",
    "snapshotArns": "SnapshotArns",
    "snapshotName": "SnapshotName",
    "subnetGroupName": "CacheSubnetGroupName",
    "userGroupIds": "UserGroupIds",
}


@resource
class ReplicationGroup(Handler):
    """MiniStack has no resharding: a new number of node groups is kept, the emulated group stays as it was."""

    type = "aws:elasticache/replicationGroup:ReplicationGroup"
    naming = Naming("replicationGroupId", maximum=40, lower=True)
    defaults = {
        "autoMinorVersionUpgrade": True,
        "automaticFailoverEnabled": False,
        "multiAzEnabled": False,
        "applyImmediately": False,
        "engine": "redis",
    }
    kept = (
        "applyImmediately",
        "authTokenUpdateStrategy",
        "authTokenWo",
        "authTokenWoVersion",
        "autoMinorVersionUpgrade",
        "dataTieringEnabled",
        "durability",
        "finalSnapshotIdentifier",
        "ipDiscovery",
        "kmsKeyId",
        "maintenanceWindow",
        "networkType",
        "nodeGroupConfigurations",
        "notificationTopicArn",
        "numNodeGroups",
        "port",
        "preferredCacheClusterAzs",
        "securityGroupIds",
        "snapshotArns",
        "snapshotName",
        "subnetGroupName",
    )
    _unshown = ("authToken", "parameterGroupName", "engineVersion")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(
            inputs,
            {
                "kmsKeyId": references.kms_key,
                "securityGroupIds": references.security_group,
                "notificationTopicArn": references.topic,
                "subnetGroupName": subnet_group,
                "parameterGroupName": parameter_group,
            },
        )
        for index, each in enumerate(inputs.get("logDeliveryConfigurations") or ()):
            if each["destinationType"] == "cloudwatch-logs":
                yield references.log_group(f"logDeliveryConfigurations[{index}].destination", each["destination"])

    def create(self, call: Call, inputs: Properties) -> str:
        check(inputs, "CreateReplicationGroup")
        client = call.client("elasticache")
        logs = [_log(each) for each in inputs.get("logDeliveryConfigurations") or ()]
        version = inputs.get("engineVersion") or DEFAULT_VERSION[inputs.get("engine") or "redis"]
        sent = {"Engine": "redis", **select(inputs, {**_BOTH, **_CREATION}), "EngineVersion": version}
        if inputs.get("nodeGroupConfigurations"):
            sent["NodeGroupConfiguration"] = [_node_group(each) for each in inputs["nodeGroupConfigurations"]]
        answer = client.create_replication_group(
            ReplicationGroupId=inputs["replicationGroupId"],
            Tags=call.tag_list,
            **sent,
            **({"LogDeliveryConfigurations": logs} if logs else {}),
        )
        id = str(answer["ReplicationGroup"]["ReplicationGroupId"])
        call.made(id)
        client.get_waiter("replication_group_available").wait(ReplicationGroupId=id, WaiterConfig=OFTEN)
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group = _describe(call, id)
        if group is None:
            return None
        client = call.client("elasticache")
        shards = group.get("NodeGroups") or []
        members = [each["CacheClusterId"] for shard in shards for each in shard.get("NodeGroupMembers") or ()]
        node = (
            found(lambda: client.describe_cache_clusters(CacheClusterId=members[0]), "CacheClusterNotFound")
            or {"CacheClusters": [{}]}
        )["CacheClusters"][0]
        arn = group["ARN"]
        version = known.get("engineVersion") or node.get("EngineVersion") or DEFAULT_VERSION[group["Engine"]]
        return {
            **given_back(known, self._unshown),
            "arn": arn,
            "replicationGroupId": id,
            "description": group.get("Description"),
            "engine": group["Engine"],
            "engineVersionActual": full_version(version),
            "nodeType": group.get("CacheNodeType"),
            "automaticFailoverEnabled": group.get("AutomaticFailover") in ("enabled", "enabling"),
            "multiAzEnabled": group.get("MultiAZ") == "enabled",
            "atRestEncryptionEnabled": bool(group.get("AtRestEncryptionEnabled")),
            "transitEncryptionEnabled": bool(group.get("TransitEncryptionEnabled")),
            "transitEncryptionMode": group.get("TransitEncryptionMode"),
            "clusterEnabled": bool(group.get("ClusterEnabled")),
            "clusterMode": group.get("ClusterMode"),
            "snapshotRetentionLimit": group.get("SnapshotRetentionLimit"),
            "snapshotWindow": group.get("SnapshotWindow"),
            "userGroupIds": group.get("UserGroupIds") or None,
            "logDeliveryConfigurations": [_logged(each) for each in group.get("LogDeliveryConfigurations") or ()]
            or None,
            "numCacheClusters": len(members),
            "memberClusters": sorted(members),
            "numNodeGroups": len(shards),
            "replicasPerNodeGroup": max(len(shards[0]["NodeGroupMembers"]) - 1, 0) if shards else 0,
            **endpoints(call, id, group),
            "tags": tag_map(client.list_tags_for_resource(ResourceName=arn)["TagList"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("elasticache")
        check(new, "ModifyReplicationGroup")
        if "numCacheClusters" in changed and new.get("numCacheClusters") is not None:
            now = sum(len(shard["NodeGroupMembers"]) for shard in (_describe(call, id) or {}).get("NodeGroups") or ())
            scale = client.increase_replica_count if new["numCacheClusters"] > now else client.decrease_replica_count
            if new["numCacheClusters"] != now:
                scale(ReplicationGroupId=id, NewReplicaCount=new["numCacheClusters"] - 1, ApplyImmediately=True)
        sent = select(new, _BOTH, changed)
        if "logDeliveryConfigurations" in changed:
            after = [_log(each) for each in new.get("logDeliveryConfigurations") or ()]
            gone = {each["logType"] for each in old.get("logDeliveryConfigurations") or ()} - {
                each["LogType"] for each in after
            }
            sent["LogDeliveryConfigurations"] = after + [{"LogType": each, "Enabled": False} for each in sorted(gone)]
        if "authToken" in changed and new.get("authToken"):
            sent |= {
                "AuthToken": new["authToken"],
                "AuthTokenUpdateStrategy": new.get("authTokenUpdateStrategy") or "ROTATE",
            }
        if "userGroupIds" in changed:
            before, after_ids = set(old.get("userGroupIds") or ()), set(new.get("userGroupIds") or ())
            sent |= {
                "UserGroupIdsToAdd": sorted(after_ids - before),
                "UserGroupIdsToRemove": sorted(before - after_ids),
            }
        if sent:
            client.modify_replication_group(
                ReplicationGroupId=id, ApplyImmediately=bool(new.get("applyImmediately")), **sent
            )
        if "tags" in changed:
            retag_cache(call, call.arn("elasticache", f"replicationgroup:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*_GONE):
            call.client("elasticache").delete_replication_group(
                ReplicationGroupId=id, **present(FinalSnapshotIdentifier=known.get("finalSnapshotIdentifier"))
            )


def _describe(call: Call, id: str) -> dict[str, Any] | None:
    answer = found(lambda: call.client("elasticache").describe_replication_groups(ReplicationGroupId=id), *_GONE)
    groups = answer["ReplicationGroups"] if answer else []
    return groups[0] if groups and groups[0].get("Status") != "deleting" else None


def _log(each: Properties) -> dict[str, Any]:
    to = {
        "cloudwatch-logs": ("CloudWatchLogsDetails", "LogGroup"),
        "kinesis-firehose": ("KinesisFirehoseDetails", "DeliveryStream"),
    }[each["destinationType"]]
    return {
        "DestinationDetails": {to[0]: {to[1]: each["destination"]}},
        "DestinationType": each["destinationType"],
        "LogFormat": each["logFormat"],
        "LogType": each["logType"],
    }


def _logged(each: dict[str, Any]) -> Properties:
    details = each["DestinationDetails"]
    to = details.get("CloudWatchLogsDetails", {}).get("LogGroup") or details["KinesisFirehoseDetails"]["DeliveryStream"]
    return {
        "destination": to,
        "destinationType": each["DestinationType"],
        "logFormat": each["LogFormat"],
        "logType": each["LogType"],
    }


def _node_group(each: Properties) -> dict[str, Any]:
    return present(
        NodeGroupId=each.get("nodeGroupId"),
        PrimaryAvailabilityZone=each.get("primaryAvailabilityZone"),
        ReplicaAvailabilityZones=each.get("replicaAvailabilityZones"),
        ReplicaCount=each.get("replicaCount"),
        Slots=each.get("slots"),
    )


def retag_cache(call: Call, arn: str) -> None:
    client = call.client("elasticache")
    retag(
        call,
        tag_map(client.list_tags_for_resource(ResourceName=arn)["TagList"]),
        lambda tags: client.add_tags_to_resource(ResourceName=arn, Tags=pairs(tags)),
        lambda keys: client.remove_tags_from_resource(ResourceName=arn, TagKeys=keys),
    )


def subnet_group(property: str, value: str) -> Reference:
    return Reference(
        property,
        value,
        lambda call: (
            call.kept.get(call.account, call.region, "aws:elasticache/subnetGroup:SubnetGroup", value) is not None
        ),
    )


def parameter_group(property: str, value: str) -> Reference:
    return Reference(
        property,
        value,
        lambda call: (
            value.startswith("default.")
            or found(
                lambda: call.client("elasticache").describe_cache_parameter_groups(CacheParameterGroupName=value),
                "CacheParameterGroupNotFound",
                "CacheParameterGroupNotFoundFault",
            )
            is not None
        ),
    )
