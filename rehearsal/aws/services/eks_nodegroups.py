"""Managed node groups. The nodes themselves are started by whoever watches the groups through the API."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.ec2_common import look_up, refers
from rehearsal.aws.services.eks_common import cluster_reference, needs_trust, replace_tags, stored_tags
from rehearsal.aws.services.shapes import absent_is_fine, chosen, in_order_of, is_absent, name_of
from rehearsal.engine.values import Properties

_EFFECTS_KEY = ("key", "effect")


@resource
class NodeGroup(Handler):
    """Its id is `cluster:group`. The desired size belongs to whoever scales: an update carries it only when the
    program itself has changed it."""

    type = "aws:eks/nodeGroup:NodeGroup"
    naming = Naming(property="nodeGroupName", maximum=63)
    kept = ("nodeGroupNamePrefix", "forceUpdateVersion", "nodeRepairConfig", "warmPoolConfig", "remoteAccess")
    defaults = {"capacityType": "ON_DEMAND", "amiType": "AL2023_x86_64_STANDARD"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from cluster_reference(inputs.get("clusterName"))
        yield from refers("subnet", "subnetIds", inputs.get("subnetIds"))
        template = inputs.get("launchTemplate") or {}
        yield from refers("launch-template", "launchTemplate.id", template.get("id"))
        if inputs.get("nodeRoleArn"):
            yield _references.role("nodeRoleArn", inputs["nodeRoleArn"])
        for index, kind in enumerate(inputs.get("instanceTypes") or ()):
            yield Reference(f"instanceTypes[{index}]", kind, partial(_offered, kind))

    def create(self, call: Call, inputs: Properties) -> str:
        needs_trust(call, inputs["nodeRoleArn"], "ec2.amazonaws.com",
                    "Following required service principals [ec2.amazonaws.com] were not found in the trust "
                    f"relationships of nodeRole {inputs['nodeRoleArn']}")
        name = name_of(call, inputs, "nodeGroupName")
        call.client("eks").create_nodegroup(
            clusterName=inputs["clusterName"], nodegroupName=name, nodeRole=inputs["nodeRoleArn"], tags=call.tags,
            subnets=inputs["subnetIds"], scalingConfig=inputs["scalingConfig"],
            **chosen(inputs, {
                "amiType": "amiType", "capacityType": "capacityType", "diskSize": "diskSize", "labels": "labels",
                "instanceTypes": "instanceTypes", "launchTemplate": "launchTemplate", "version": "version",
                "releaseVersion": "releaseVersion", "taints": "taints", "updateConfig": "updateConfig",
                "nodeRepairConfig": "nodeRepairConfig"}),
            **({"remoteAccess": _remote(inputs["remoteAccess"])} if inputs.get("remoteAccess") else {}))
        return f"{inputs['clusterName']}:{name}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group = _described(call, id)
        if group is None:
            return None
        template = group.get("launchTemplate")
        resources = group.get("resources", {})
        return {
            "arn": group["nodegroupArn"], "clusterName": group["clusterName"], "nodeGroupName": group["nodegroupName"],
            "nodeRoleArn": group["nodeRole"], "amiType": group["amiType"], "capacityType": group["capacityType"],
            "diskSize": group.get("diskSize", 0), "instanceTypes": group.get("instanceTypes", []),
            "subnetIds": in_order_of(known.get("subnetIds"), group["subnets"]), "labels": group.get("labels", {}),
            "taints": sorted(group.get("taints", []), key=lambda taint: _place(taint, known.get("taints") or [])),
            "scalingConfig": group["scalingConfig"], "updateConfig": group.get("updateConfig", {}),
            "version": group["version"], "releaseVersion": group["releaseVersion"], "status": group["status"],
            **({"launchTemplate": _template(call, template)} if template else {}),
            "resources": [{
                "autoscalingGroups": [{"name": each["name"]} for each in resources.get("autoScalingGroups", ())],
                "remoteAccessSecurityGroupId": resources.get("remoteAccessSecurityGroup", "")}],
            "tags": stored_tags(call, group["nodegroupArn"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client, (cluster, _, name) = call.client("eks"), id.partition(":")
        at = {"clusterName": cluster, "nodegroupName": name}
        changes: dict[str, Any] = {}
        if "scalingConfig" in changed:
            changes["scalingConfig"] = self._scaling(call, id, old, new)
        if "labels" in changed:
            before, after = old.get("labels") or {}, new.get("labels") or {}
            changes["labels"] = {
                "addOrUpdateLabels": {key: value for key, value in after.items() if before.get(key) != value},
                "removeLabels": sorted(set(before) - set(after))}
        if "taints" in changed:
            after = new.get("taints") or []
            places = [tuple(taint[key] for key in _EFFECTS_KEY) for taint in after]
            changes["taints"] = {
                "addOrUpdateTaints": after,
                "removeTaints": [taint for taint in old.get("taints") or []
                                 if tuple(taint[key] for key in _EFFECTS_KEY) not in places]}
        for property in ("updateConfig", "nodeRepairConfig"):
            if property in changed and new.get(property):
                changes[property] = new[property]
        if changes:
            client.update_nodegroup_config(**at, **changes)
        release = {name: new[name] for name in ("version", "releaseVersion", "launchTemplate")
                   if name in changed and new.get(name)}
        if release:
            client.update_nodegroup_version(**at, force=bool(new.get("forceUpdateVersion")), **release)
        if "tags" in changed:
            group = _described(call, id) or {}
            replace_tags(call, group["nodegroupArn"], stored_tags(call, group["nodegroupArn"]))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        cluster, _, name = id.partition(":")
        with absent_is_fine():
            call.client("eks").delete_nodegroup(clusterName=cluster, nodegroupName=name)

    def _scaling(self, call: Call, id: str, old: Properties, new: Properties) -> dict[str, int]:
        wanted: dict[str, int] = dict(new["scalingConfig"])
        if wanted.get("desiredSize") == (old.get("scalingConfig") or {}).get("desiredSize"):
            current = (_described(call, id) or new)["scalingConfig"]["desiredSize"]
            wanted["desiredSize"] = min(max(current, wanted["minSize"]), wanted["maxSize"])
        return wanted


def _described(call: Call, id: str) -> dict[str, Any] | None:
    cluster, _, name = id.partition(":")
    try:
        group: dict[str, Any] = call.client("eks").describe_nodegroup(
            clusterName=cluster, nodegroupName=name)["nodegroup"]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return group


def _place(taint: Properties, known: list[Properties]) -> tuple[int, str]:
    return known.index(taint) if taint in known else len(known), f"{taint['key']}{taint['effect']}"


def _template(call: Call, template: dict[str, str]) -> Properties:
    """With id and name, whichever the program gave."""
    if template.get("id") and not template.get("name"):
        found = look_up(call, "launch-template", template["id"])
        return {**template, "name": found["LaunchTemplateName"] if found else ""}
    return dict(template)


def _remote(access: Properties) -> dict[str, Any]:
    return chosen(access, {"ec2SshKey": "ec2SshKey", "sourceSecurityGroupIds": "sourceSecurityGroups"})


def _offered(kind: str, call: Call) -> bool:
    """Whether the region has the instance type."""
    return bool(call.client("ec2").describe_instance_type_offerings(
        Filters=[{"Name": "instance-type", "Values": [kind]}])["InstanceTypeOfferings"])
