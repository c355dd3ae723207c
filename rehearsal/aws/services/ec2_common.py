"""EC2: looking objects up by their id, tags, and the references that the emulator does not check itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Reference
from rehearsal.aws.services.shapes import is_absent, pairs, tag_changes, tags_of
from rehearsal.engine.provider import ProviderError

# Kind of object → operation, parameter of the ids, member of the answer.
DESCRIBE = {
    "vpc": ("describe_vpcs", "VpcIds", "Vpcs"),
    "subnet": ("describe_subnets", "SubnetIds", "Subnets"),
    "internet-gateway": ("describe_internet_gateways", "InternetGatewayIds", "InternetGateways"),
    "address": ("describe_addresses", "AllocationIds", "Addresses"),
    "nat-gateway": ("describe_nat_gateways", "NatGatewayIds", "NatGateways"),
    "route-table": ("describe_route_tables", "RouteTableIds", "RouteTables"),
    "endpoint": ("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints"),
    "flow-log": ("describe_flow_logs", "FlowLogIds", "FlowLogs"),
    "security-group": ("describe_security_groups", "GroupIds", "SecurityGroups"),
    "security-group-rule": ("describe_security_group_rules", "SecurityGroupRuleIds", "SecurityGroupRules"),
    "launch-template": ("describe_launch_templates", "LaunchTemplateIds", "LaunchTemplates"),
    "network-acl": ("describe_network_acls", "NetworkAclIds", "NetworkAcls"),
    "network-interface": ("describe_network_interfaces", "NetworkInterfaceIds", "NetworkInterfaces"),
    "peering": ("describe_vpc_peering_connections", "VpcPeeringConnectionIds", "VpcPeeringConnections"),
    "transit-gateway": ("describe_transit_gateways", "TransitGatewayIds", "TransitGateways"),
    "egress-only-gateway": ("describe_egress_only_internet_gateways", "EgressOnlyInternetGatewayIds",
                            "EgressOnlyInternetGateways"),
}


def look_up(call: Call, kind: str, id: str) -> dict[str, Any] | None:
    """The object as EC2 describes it, or None. A NAT gateway or endpoint that is deleted is still described for a
    while; it counts as gone."""
    operation, parameter, member = DESCRIBE[kind]
    try:
        answer = getattr(call.client("ec2"), operation)(**{parameter: [id]})
    except ClientError as error:
        if is_absent(error) or "Malformed" in error.response["Error"]["Code"]:
            return None
        raise
    objects: list[dict[str, Any]] = answer[member]
    if not objects or str(objects[0].get("State", "")).lower() in ("deleted", "deleting"):
        return None
    return objects[0]


def search(call: Call, kind: str, **filters: str) -> list[dict[str, Any]]:
    """All of a kind that match the filters; `_` stands for `-`: `search(call, "subnet", vpc_id="vpc-1")`."""
    operation, _, member = DESCRIBE[kind]
    asked = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    pages = call.client("ec2").get_paginator(operation).paginate(Filters=asked)
    return [found for page in pages for found in page[member]]


def refers(kind: str, property: str, value: Any) -> Iterable[Reference]:
    """The reference, when the input is set. `value`: an id or a list of ids."""
    for id in value if isinstance(value, list) else [value]:
        if id:
            yield Reference(property, id, partial(_is_there, kind, id))


def _is_there(kind: str, id: str, call: Call) -> bool:
    return look_up(call, kind, id) is not None


def tag_specifications(call: Call, kind: str) -> dict[str, Any]:
    """The parameter TagSpecifications, or nothing when there are no tags."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": call.tag_list}]} if call.tags else {}


def tags_now(call: Call, id: str) -> dict[str, str]:
    """By DescribeTags: some objects' own description keeps the tags of their creation."""
    return tags_of(call.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [id]}])["Tags"])


def replace_tags(call: Call, id: str) -> None:
    """Makes the object's tags what the call says."""
    client = call.client("ec2")
    add, remove = tag_changes(tags_now(call, id), call.tags)
    if add:
        client.create_tags(Resources=[id], Tags=pairs(add))
    if remove:
        client.delete_tags(Resources=[id], Tags=[{"Key": key} for key in remove])


def in_use(operation: str, kind: str, id: str, users: Iterable[str]) -> None:
    """Refuses as AWS does when something still uses the object; names what."""
    named = sorted(set(users))
    if named:
        raise ProviderError(f"An error occurred (DependencyViolation) when calling the {operation} operation: "
                            f"The {kind} '{id}' has dependencies and cannot be deleted. Used by: {', '.join(named)}")
