"""The network component: who can reach what, and by which way out."""

from __future__ import annotations

from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest

from infra.components.network import Network, NetworkArgs
from infra.settings import model
from tests.unit.components.recording import REGION, ZONES, Registrations, foundation, record

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def network() -> Registrations:
    return foundation()


def small(nat_gateways: int) -> Registrations:
    def program() -> SimpleNamespace:
        settings = model.Network(cidr=IPv4Network("10.9.0.0/20"), zone_count=2, nat_gateway_count=nat_gateways)
        return SimpleNamespace(network=Network("small", NetworkArgs(settings, REGION, ZONES[:2], "logs-key")))

    return record(program)


def test_there_is_a_subnet_of_each_kind_in_each_zone_and_none_gives_out_public_addresses(
        network: Registrations) -> None:
    subnets = network.of("aws:ec2/subnet:Subnet")
    assert {(subnet.name, subnet.inputs["availabilityZone"]) for subnet in subnets} == {
        (f"network-{kind}-{zone[-1]}", zone) for kind in ("public", "private", "data") for zone in ZONES}
    assert not any(subnet.inputs["mapPublicIpOnLaunch"] for subnet in subnets)


def test_the_load_balancer_controller_finds_public_and_private_subnets_by_their_tags(network: Registrations) -> None:
    tags = {subnet.name: subnet.inputs["tags"] for subnet in network.of("aws:ec2/subnet:Subnet")}
    assert tags["network-public-a"]["kubernetes.io/role/elb"] == "1"
    assert tags["network-private-a"]["kubernetes.io/role/internal-elb"] == "1"
    assert set(tags["network-data-a"]) == {"Name"}


def test_the_default_security_group_has_no_rules(network: Registrations) -> None:
    group = network.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "network-default")
    assert set(group.inputs) == {"vpcId"}


def test_every_private_subnet_leaves_through_the_gateway_of_its_own_zone(network: Registrations) -> None:
    for zone in "abc":
        route = network.one("aws:ec2/route:Route", f"network-private-{zone}")
        assert route.inputs["natGatewayId"] == f"network-{zone}-id"


def test_with_one_nat_gateway_all_private_subnets_share_it() -> None:
    recorded = small(nat_gateways=1)
    assert [gateway.name for gateway in recorded.of("aws:ec2/natGateway:NatGateway")] == ["small-a"]
    routes = {route.name: route.inputs.get("natGatewayId") for route in recorded.of("aws:ec2/route:Route")}
    assert routes == {"small-public": None, "small-private-a": "small-a-id", "small-private-b": "small-a-id"}


def test_data_subnets_have_no_way_out_but_the_gateway_endpoints(network: Registrations) -> None:
    tables = {association.inputs["routeTableId"] for association in
              network.of("aws:ec2/routeTableAssociation:RouteTableAssociation") if "-data-" in association.name}
    assert tables == {"network-data-id"}
    assert not any(route.inputs["routeTableId"] in tables for route in network.of("aws:ec2/route:Route"))
    for service in ("s3", "dynamodb"):
        endpoint = network.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"network-{service}")
        assert endpoint.inputs["vpcEndpointType"] == "Gateway"
        assert "network-data-id" in endpoint.inputs["routeTableIds"]


def test_interface_endpoints_answer_only_https_from_inside_and_only_where_asked_for(network: Registrations) -> None:
    interfaces = [endpoint for endpoint in network.of("aws:ec2/vpcEndpoint:VpcEndpoint")
                  if endpoint.inputs["vpcEndpointType"] == "Interface"]
    assert {endpoint.inputs["serviceName"] for endpoint in interfaces} == {
        f"com.amazonaws.{REGION}.ecr.api", f"com.amazonaws.{REGION}.sts"}
    rule = network.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "network-endpoints").inputs
    assert (rule["fromPort"], rule["toPort"], rule["cidrIpv4"]) == (443, 443, "10.20.0.0/16")
    assert not small(1).of("aws:ec2/securityGroup:SecurityGroup")


def test_flow_logs_of_all_traffic_go_to_an_encrypted_group_with_retention(network: Registrations) -> None:
    group = network.one("aws:cloudwatch/logGroup:LogGroup", "network-flow-logs").inputs
    assert group["kmsKeyId"] == "arn:aws:kms:::keys-logs"
    assert group["retentionInDays"] == 365
    assert network.one("aws:ec2/flowLog:FlowLog", "network-flow-logs").inputs["trafficType"] == "ALL"


def test_every_rule_of_every_security_group_says_what_it_is_for_and_none_is_open(network: Registrations) -> None:
    rules = [*network.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
             *network.of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")]
    assert rules
    assert all(rule.inputs["description"] for rule in rules)
    assert not any(rule.inputs.get("cidrIpv4") == "0.0.0.0/0" for rule in rules)
    assert not any("ingress" in group.inputs for group in network.of("aws:ec2/securityGroup:SecurityGroup"))


def test_a_subnet_is_handed_out_only_with_its_route_so_that_nodes_can_reach_the_cluster(network: Registrations) -> None:
    cluster = network.one("eks:index:Cluster", "cluster")
    assert cluster.inputs["privateSubnetIds"] == [f"network-private-{zone}-id" for zone in "abc"]
    for zone in "abc":
        route = network.one("aws:ec2/route:Route", f"network-private-{zone}").urn
        assert all(route in group.dependencies for group in network.of("aws:eks/nodeGroup:NodeGroup"))
