"""Internet gateways, addresses, NAT gateways and routes on the emulator."""

from __future__ import annotations

from typing import Any

import pytest

import rehearsal.aws.services.ec2_gateways
import rehearsal.aws.services.ec2_network
import rehearsal.aws.services.ec2_routes  # noqa: F401
from rehearsal.aws.handler import HANDLERS
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import Subject, dangling, made, network

pytestmark = pytest.mark.rehearsal
GATEWAY, EIP, NAT = "aws:ec2/internetGateway:InternetGateway", "aws:ec2/eip:Eip", "aws:ec2/natGateway:NatGateway"
TABLE, ROUTE = "aws:ec2/routeTable:RouteTable", "aws:ec2/route:Route"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"


def _ways_out(aws: Any) -> tuple[str, list[str], Subject, Subject, Subject]:
    vpc, subnets = network(aws)
    gateway = made(aws, GATEWAY, {"vpcId": vpc})
    address = made(aws, EIP, {"domain": "vpc"})
    return vpc, subnets, gateway, address, made(aws, NAT, {"subnetId": subnets[0], "allocationId": address.id})


def test_gateways_and_addresses_live_through_their_updates_and_go_in_order(aws: Any) -> None:
    _, _, gateway, address, nat = _ways_out(aws)
    assert nat.outputs["publicIp"] == address.outputs["publicIp"]
    for subject in (gateway, address, nat):
        subject.change(tags={"Owner": "x"})
    nat.delete_twice()
    address.delete_twice()
    gateway.delete_twice()


def test_what_a_nat_gateway_uses_is_not_taken_from_under_it(aws: Any) -> None:
    _, subnets, gateway, address, nat = _ways_out(aws)
    with pytest.raises(ProviderError, match=r"InvalidIPAddress\.InUse"):
        address.delete()
    with pytest.raises(ProviderError, match=f"DependencyViolation.*{nat.id}"):
        gateway.delete()
    with pytest.raises(ProviderError, match=r"Resource\.AlreadyAssociated"):
        made(aws, NAT, {"subnetId": subnets[1], "allocationId": address.id})


def test_a_nat_gateway_that_somebody_deleted_has_given_its_address_back(aws: Any) -> None:
    _, subnets, _, address, nat = _ways_out(aws)
    aws.client("ec2").delete_nat_gateway(NatGatewayId=nat.id)
    made(aws, NAT, {"subnetId": subnets[1], "allocationId": address.id})


def test_an_internet_gateway_moves_to_another_vpc(aws: Any) -> None:
    first, _ = network(aws)
    second, _ = network(aws)
    made(aws, GATEWAY, {"vpcId": first}).change(vpcId=second).delete_twice()


def test_a_route_table_changes_its_inline_routes(aws: Any) -> None:
    vpc, _, gateway, _, nat = _ways_out(aws)
    out = {"cidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}
    table = made(aws, TABLE, {"vpcId": vpc, "routes": [out]})
    table.change(routes=[{"cidrBlock": "0.0.0.0/0", "natGatewayId": nat.id},
                         {"cidrBlock": "192.168.0.0/16", "gatewayId": gateway.id}])
    table.change(routes=[out]).change(tags={"a": "b"})
    table.delete_twice()


def test_a_route_changes_its_target(aws: Any) -> None:
    vpc, _, gateway, _, nat = _ways_out(aws)
    table = made(aws, TABLE, {"vpcId": vpc})
    route = made(aws, ROUTE, {"routeTableId": table.id, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": nat.id})
    route.inputs.pop("natGatewayId")
    route.change(gatewayId=gateway.id)
    assert route.id == f"{table.id}_0.0.0.0/0"
    route.delete_twice()


def test_routes_and_nat_gateways_refuse_what_does_not_exist(aws: Any) -> None:
    assert dangling(aws, ROUTE, {"routeTableId": "rtb-12", "natGatewayId": "nat-12"}) == [
        "routeTableId", "natGatewayId"]
    assert dangling(aws, TABLE, {"routes": [{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-12"}]}) == [
        "routes[0].natGatewayId"]
    assert dangling(aws, NAT, {"subnetId": "subnet-12", "allocationId": "eipalloc-12"}) == [
        "subnetId", "allocationId"]
    assert dangling(aws, GATEWAY, {"vpcId": "vpc-12"}) == ["vpcId"]


def test_an_association_moves_to_another_table_and_is_found_by_its_ends(aws: Any) -> None:
    vpc, subnets = network(aws)
    tables = [made(aws, TABLE, {"vpcId": vpc}) for _ in range(2)]
    association = made(aws, ASSOCIATION, {"subnetId": subnets[0], "routeTableId": tables[0].id})
    with pytest.raises(ProviderError, match="AlreadyAssociated"):
        made(aws, ASSOCIATION, {"subnetId": subnets[0], "routeTableId": tables[1].id})
    association.change(routeTableId=tables[1].id)
    imported = association.handler.read(association.call, f"{subnets[0]}/{tables[1].id}", {})
    assert imported is not None
    assert imported["subnetId"] == subnets[0]
    association.delete_twice()
    for table in tables:
        table.delete_twice()


def test_an_interrupted_creation_that_is_taken_again_makes_nothing_twice(aws: Any) -> None:
    _, subnets = network(aws)
    address = made(aws, EIP, {"domain": "vpc"}).id
    handler, inputs = HANDLERS[NAT], {"subnetId": subnets[0], "allocationId": address}
    ids = {handler.create(aws.call(NAT, tags={"a": "b"}, operation="same"), inputs) for _ in range(2)}
    assert len(ids) == 1
