"""VPCs, subnets and network ACLs on the emulator."""

from __future__ import annotations

from typing import Any

import pytest

import rehearsal.aws.services.ec2_acl
import rehearsal.aws.services.ec2_network  # noqa: F401
from rehearsal.aws.handler import DATA_SOURCES
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import dangling, made, network

pytestmark = pytest.mark.rehearsal
VPC, SUBNET, ACL = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/networkAcl:NetworkAcl"


def test_a_vpc_lives_through_its_updates(aws: Any) -> None:
    vpc = made(aws, VPC, {"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": True})
    assert vpc.outputs["enableDnsSupport"] is True
    for name in ("mainRouteTableId", "defaultSecurityGroupId", "defaultNetworkAclId", "arn"):
        assert vpc.outputs[name]
    vpc.change(enableDnsHostnames=False).change(enableNetworkAddressUsageMetrics=True).change(tags={"Owner": "a"})
    vpc.delete_twice()


def test_a_vpc_with_a_subnet_is_not_deleted(aws: Any) -> None:
    vpc = made(aws, VPC, {"cidrBlock": "10.1.0.0/16"})
    subnet = made(aws, SUBNET, {"vpcId": vpc.id, "cidrBlock": "10.1.0.0/24", "availabilityZone": "us-east-1a"})
    with pytest.raises(ProviderError, match=f"DependencyViolation.*{subnet.id}"):
        vpc.delete()
    subnet.delete_twice()
    vpc.delete_twice()


def test_a_subnet_lives_through_its_updates(aws: Any) -> None:
    vpc = made(aws, VPC, {"cidrBlock": "10.1.0.0/16"})
    subnet = made(aws, SUBNET, {"vpcId": vpc.id, "cidrBlock": "10.1.0.0/24", "availabilityZone": "us-east-1b",
                                "privateDnsHostnameTypeOnLaunch": "resource-name"})
    subnet.change(mapPublicIpOnLaunch=True).change(enableResourceNameDnsARecordOnLaunch=True)
    subnet.change(privateDnsHostnameTypeOnLaunch="ip-name").change(tags={"kubernetes.io/role/elb": "1"})
    subnet.delete_twice()


def test_a_subnet_needs_a_vpc_and_a_zone_that_exist(aws: Any) -> None:
    assert dangling(aws, SUBNET, {"vpcId": "vpc-1234", "availabilityZone": "us-east-1z"}) == [
        "vpcId", "availabilityZone"]


def test_a_network_acl_takes_rules_and_subnets_and_gives_the_subnets_back(aws: Any) -> None:
    vpc, subnets = network(aws)
    rule = {"protocol": "tcp", "ruleNo": 100, "action": "allow", "cidrBlock": "0.0.0.0/0", "fromPort": 1, "toPort": 2}
    acl = made(aws, ACL, {"vpcId": vpc, "subnetIds": sorted(subnets), "ingress": [rule]})
    acl.change(ingress=[{**rule, "toPort": 3}]).change(egress=[{**rule, "protocol": "udp"}])
    acl.change(subnetIds=subnets[:1]).change(tags={"a": "b"})
    acl.delete_twice()
    assert dangling(aws, ACL, {"vpcId": vpc, "subnetIds": ["subnet-1234"]}) == ["subnetIds"]


def test_data_sources_find_the_vpc_and_its_subnets(aws: Any) -> None:
    vpc, subnets = network(aws)
    found = DATA_SOURCES["aws:ec2/getVpc:getVpc"](aws.call("aws:ec2/getVpc:getVpc"), {"id": vpc})
    assert found["cidrBlock"] == "10.0.0.0/16"
    ids = DATA_SOURCES["aws:ec2/getSubnets:getSubnets"](aws.call("aws:ec2/getSubnets:getSubnets"), {
        "filters": [{"name": "vpc-id", "values": [vpc]}]})["ids"]
    assert sorted(ids) == sorted(subnets)
    with pytest.raises(ProviderError, match="no matching EC2 VPC"):
        DATA_SOURCES["aws:ec2/getVpc:getVpc"](aws.call("aws:ec2/getVpc:getVpc"), {"tags": {"no": "such"}})
