"""VPCs, subnets, network ACLs, and the data sources that find them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, data_source, resource
from rehearsal.aws.services._stores import in_subnet
from rehearsal.aws.services.ec2_common import in_use, look_up, refers, replace_tags, search, tag_specifications
from rehearsal.aws.services.shapes import absent_is_fine, chosen, tags_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_VPC_SWITCHES = {
    "enableDnsSupport": "EnableDnsSupport",
    "enableDnsHostnames": "EnableDnsHostnames",
    "enableNetworkAddressUsageMetrics": "EnableNetworkAddressUsageMetrics",
}
_VPC_SWITCH_DEFAULTS = {"enableDnsSupport": True, "enableDnsHostnames": False,
                        "enableNetworkAddressUsageMetrics": False}


@resource
class Vpc(Handler):
    type = "aws:ec2/vpc:Vpc"
    kept = ("ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId", "ipv6NetmaskLength",
            "ipv6CidrBlockNetworkBorderGroup")
    defaults = {**_VPC_SWITCH_DEFAULTS, "instanceTenancy": "default", "assignGeneratedIpv6CidrBlock": False}

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("ec2")
        vpc = client.create_vpc(
            **chosen(inputs, {"cidrBlock": "CidrBlock", "instanceTenancy": "InstanceTenancy",
                              "assignGeneratedIpv6CidrBlock": "AmazonProvidedIpv6CidrBlock"}),
            **tag_specifications(call, "vpc"))["Vpc"]["VpcId"]
        self._switch(call, vpc, {name: inputs[name] for name in _VPC_SWITCHES
                                 if inputs.get(name, _VPC_SWITCH_DEFAULTS[name]) != _VPC_SWITCH_DEFAULTS[name]})
        return str(vpc)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        vpc = look_up(call, "vpc", id)
        if vpc is None:
            return None
        client = call.client("ec2")
        switches = {
            name: client.describe_vpc_attribute(VpcId=id, Attribute=name)[api]["Value"]
            for name, api in _VPC_SWITCHES.items()}
        tables = search(call, "route-table", vpc_id=id)
        main = next((table["RouteTableId"] for table in tables
                     if any(a.get("Main") for a in table["Associations"])), "")
        groups = client.describe_security_groups(Filters=[
            {"Name": "vpc-id", "Values": [id]}, {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
        acls = search(call, "network-acl", vpc_id=id, default="true")
        ipv6 = [block for block in vpc.get("Ipv6CidrBlockAssociationSet", ())
                if block["Ipv6CidrBlockState"]["State"] == "associated"]
        return {
            "arn": call.arn("ec2", f"vpc/{id}"), "cidrBlock": vpc["CidrBlock"], "ownerId": vpc["OwnerId"],
            "instanceTenancy": vpc["InstanceTenancy"], "dhcpOptionsId": vpc["DhcpOptionsId"], **switches,
            "assignGeneratedIpv6CidrBlock": bool(ipv6),
            "ipv6CidrBlock": ipv6[0]["Ipv6CidrBlock"] if ipv6 else "",
            "ipv6AssociationId": ipv6[0]["AssociationId"] if ipv6 else "",
            "mainRouteTableId": main, "defaultRouteTableId": main,
            "defaultSecurityGroupId": groups[0]["GroupId"] if groups else "",
            "defaultNetworkAclId": acls[0]["NetworkAclId"] if acls else "",
            "tags": tags_of(vpc.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._switch(call, id, {name: new.get(name, _VPC_SWITCH_DEFAULTS[name])
                                for name in _VPC_SWITCHES if name in changed})
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if look_up(call, "vpc", id) is None:
            return
        in_use("DeleteVpc", "vpc", id, [
            *(subnet["SubnetId"] for subnet in search(call, "subnet", vpc_id=id)),
            *(gateway["InternetGatewayId"] for gateway in
              search(call, "internet-gateway", **{"attachment.vpc_id": id})),
            *(group["GroupId"] for group in search(call, "security-group", vpc_id=id)
              if group["GroupName"] != "default"),
            *(end["VpcEndpointId"] for end in search(call, "endpoint", vpc_id=id)
              if end["State"].lower() not in ("deleted", "deleting")),
        ])
        with absent_is_fine():
            call.client("ec2").delete_vpc(VpcId=id)

    def _switch(self, call: Call, id: str, values: dict[str, bool]) -> None:
        for name, value in values.items():  # one attribute a call: more are refused
            call.client("ec2").modify_vpc_attribute(VpcId=id, **{_VPC_SWITCHES[name]: {"Value": value}})


_SUBNET_SWITCHES = {
    "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
    "assignIpv6AddressOnCreation": "AssignIpv6AddressOnCreation",
    "enableDns64": "EnableDns64",
    "enableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch": "EnableResourceNameDnsAAAARecordOnLaunch",
}


@resource
class Subnet(Handler):
    type = "aws:ec2/subnet:Subnet"
    kept = ("customerOwnedIpv4Pool", "enableLniAtDeviceIndex", "ipv4IpamPoolId", "ipv4NetmaskLength",
            "ipv6IpamPoolId", "ipv6NetmaskLength", "mapCustomerOwnedIpOnLaunch", "outpostArn", "enableDns64",
            "privateDnsHostnameTypeOnLaunch")
    defaults = {**dict.fromkeys(_SUBNET_SWITCHES, False), "ipv6Native": False,
                "privateDnsHostnameTypeOnLaunch": "ip-name"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))
        zone = inputs.get("availabilityZone")
        if zone:
            yield Reference("availabilityZone", zone, lambda call: zone in _zones(call))

    def create(self, call: Call, inputs: Properties) -> str:
        subnet = call.client("ec2").create_subnet(
            **chosen(inputs, {"vpcId": "VpcId", "cidrBlock": "CidrBlock", "availabilityZone": "AvailabilityZone",
                              "availabilityZoneId": "AvailabilityZoneId", "ipv6CidrBlock": "Ipv6CidrBlock",
                              "ipv6Native": "Ipv6Native", "outpostArn": "OutpostArn"}),
            **tag_specifications(call, "subnet"))["Subnet"]["SubnetId"]
        self._switch(call, subnet, inputs, frozenset(name for name in _SUBNET_SWITCHES if inputs.get(name)) | (
            {"privateDnsHostnameTypeOnLaunch"} if inputs.get("privateDnsHostnameTypeOnLaunch") else frozenset()))
        return str(subnet)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        subnet = look_up(call, "subnet", id)
        if subnet is None:
            return None
        names = subnet.get("PrivateDnsNameOptionsOnLaunch", {})
        ipv6 = [block for block in subnet.get("Ipv6CidrBlockAssociationSet", ())
                if block["Ipv6CidrBlockState"]["State"] == "associated"]
        return {
            "arn": call.arn("ec2", f"subnet/{id}"), "vpcId": subnet["VpcId"], "cidrBlock": subnet["CidrBlock"],
            "availabilityZone": subnet["AvailabilityZone"], "availabilityZoneId": subnet["AvailabilityZoneId"],
            "ownerId": subnet["OwnerId"], "mapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
            "assignIpv6AddressOnCreation": subnet.get("AssignIpv6AddressOnCreation", False),
            "ipv6Native": subnet.get("Ipv6Native", False),
            "ipv6CidrBlock": ipv6[0]["Ipv6CidrBlock"] if ipv6 else "",
            "ipv6CidrBlockAssociationId": ipv6[0]["AssociationId"] if ipv6 else "",
            "privateDnsHostnameTypeOnLaunch": names.get("HostnameType", "ip-name"),
            "enableResourceNameDnsARecordOnLaunch": names.get("EnableResourceNameDnsARecord", False),
            "enableResourceNameDnsAaaaRecordOnLaunch": names.get("EnableResourceNameDnsAAAARecord", False),
            "tags": tags_of(subnet.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._switch(call, id, new, changed)
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if look_up(call, "subnet", id) is None:
            return
        in_use("DeleteSubnet", "subnet", id, _subnet_users(call, id))
        with absent_is_fine():
            call.client("ec2").delete_subnet(SubnetId=id)

    def _switch(self, call: Call, id: str, inputs: Properties, changed: frozenset[str]) -> None:
        client = call.client("ec2")
        for name, api in _SUBNET_SWITCHES.items():
            if name in changed:
                client.modify_subnet_attribute(SubnetId=id, **{api: {"Value": bool(inputs.get(name))}})
        if "privateDnsHostnameTypeOnLaunch" in changed:
            client.modify_subnet_attribute(
                SubnetId=id, PrivateDnsHostnameTypeOnLaunch=inputs.get("privateDnsHostnameTypeOnLaunch", "ip-name"))


def _zones(call: Call) -> list[str]:
    return [zone["ZoneName"] for zone in call.client("ec2").describe_availability_zones()["AvailabilityZones"]]


def _subnet_users(call: Call, id: str) -> Iterable[str]:
    """Network interfaces, NAT gateways, endpoints, load balancers, data stores, and the clusters whose control plane
    is there."""
    yield from in_subnet(call, id)
    for interface in search(call, "network-interface", subnet_id=id):
        yield interface["NetworkInterfaceId"]
    for nat in call.client("ec2").describe_nat_gateways(
            Filters=[{"Name": "subnet-id", "Values": [id]}])["NatGateways"]:
        if nat["State"] not in ("deleted", "deleting"):
            yield nat["NatGatewayId"]
    for balancer in call.client("elbv2").describe_load_balancers()["LoadBalancers"]:
        if any(zone["SubnetId"] == id for zone in balancer["AvailabilityZones"]):
            yield balancer["LoadBalancerName"]
    eks = call.client("eks")
    for name in eks.list_clusters()["clusters"]:
        if id in eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]["subnetIds"]:
            yield f"EKS cluster {name}"


def filters_of(arguments: Properties, **fixed: str | None) -> list[dict[str, Any]]:
    """A data source's `filters` and `tags`, and fixed ones (`_` stands for `-`), as the API takes them."""
    filters = [{"Name": f["name"], "Values": f["values"]} for f in arguments.get("filters") or ()]
    filters += [{"Name": f"tag:{key}", "Values": [value]} for key, value in (arguments.get("tags") or {}).items()]
    return filters + [{"Name": name.replace("_", "-"), "Values": [value]}
                      for name, value in fixed.items() if value is not None]


def the_one(found: list[dict[str, Any]], what: str, arguments: Properties) -> dict[str, Any]:
    """The only match; a data source that finds none, or several, is an error as with the real provider."""
    if len(found) != 1:
        asked = {key: value for key, value in arguments.items() if value is not None}
        raise ProviderError(f"{'no' if not found else len(found)} matching {what} found for {asked}; "
                            "exactly one must match")
    return found[0]


@data_source("aws:ec2/getVpc:getVpc")
def get_vpc(call: Call, arguments: Properties) -> Properties:
    default = arguments.get("default")
    filters = filters_of(arguments, vpc_id=arguments.get("id"), cidr=arguments.get("cidrBlock"),
                         state=arguments.get("state"), isDefault=None if default is None else str(default).lower())
    vpc = the_one(call.client("ec2").describe_vpcs(Filters=filters)["Vpcs"], "EC2 VPC", arguments)
    state = Vpc().read(call, vpc["VpcId"], {}) or {}
    return {
        **{name: state[name] for name in (
            "arn", "cidrBlock", "dhcpOptionsId", "enableDnsHostnames", "enableDnsSupport", "instanceTenancy",
            "enableNetworkAddressUsageMetrics", "mainRouteTableId", "ownerId", "ipv6AssociationId",
            "ipv6CidrBlock", "tags")},
        "id": vpc["VpcId"], "default": vpc["IsDefault"], "state": vpc["State"], "region": call.region,
        "filters": arguments.get("filters"), "ipv6CidrBlockAssociations": [],
        "cidrBlockAssociations": [
            {"associationId": block["AssociationId"], "cidrBlock": block["CidrBlock"],
             "state": block["CidrBlockState"]["State"]} for block in vpc["CidrBlockAssociationSet"]],
    }


@data_source("aws:ec2/getSubnets:getSubnets")
def get_subnets(call: Call, arguments: Properties) -> Properties:
    pages = call.client("ec2").get_paginator("describe_subnets").paginate(Filters=filters_of(arguments))
    return {"id": call.region, "region": call.region, "filters": arguments.get("filters"),
            "tags": arguments.get("tags") or {},
            "ids": [subnet["SubnetId"] for page in pages for subnet in page["Subnets"]]}
