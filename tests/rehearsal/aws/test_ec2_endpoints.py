"""VPC endpoints and flow logs on the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest

import rehearsal.aws.services.ec2_endpoints
import rehearsal.aws.services.ec2_network
import rehearsal.aws.services.ec2_routes
import rehearsal.aws.services.ec2_security
import rehearsal.aws.services.iam  # noqa: F401
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import dangling, made, network

pytestmark = pytest.mark.rehearsal
ENDPOINT, FLOW_LOG = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/flowLog:FlowLog"
GROUP, TABLE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/routeTable:RouteTable"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]})


def test_a_gateway_endpoint_moves_between_route_tables(aws: Any) -> None:
    vpc, _ = network(aws)
    tables = [made(aws, TABLE, {"vpcId": vpc}).id for _ in range(2)]
    endpoint = made(aws, ENDPOINT, {"vpcId": vpc, "serviceName": "com.amazonaws.us-east-1.s3",
                                    "routeTableIds": tables[:1]})
    assert endpoint.outputs["prefixListId"].startswith("pl-")
    endpoint.change(routeTableIds=tables).change(routeTableIds=tables[1:]).change(policy=POLICY)
    routes = aws.client("ec2").describe_route_tables(RouteTableIds=tables)["RouteTables"]
    with_endpoint = [table["RouteTableId"] for table in routes
                     if any(route.get("GatewayId") == endpoint.id for route in table["Routes"])]
    assert with_endpoint == tables[1:]
    endpoint.change(tags={"a": "b"}).delete_twice()


def test_an_interface_endpoint_changes_subnets_and_groups_and_leaves_no_interface(aws: Any) -> None:
    vpc, subnets = network(aws)
    groups = [made(aws, GROUP, {"vpcId": vpc, "name": name, "description": "d"}).id for name in ("one", "two")]
    endpoint = made(aws, ENDPOINT, {
        "vpcId": vpc, "serviceName": "com.amazonaws.us-east-1.sts", "vpcEndpointType": "Interface",
        "privateDnsEnabled": True, "subnetIds": subnets[:1], "securityGroupIds": groups[:1]})
    endpoint.change(subnetIds=subnets).change(securityGroupIds=groups[1:]).change(privateDnsEnabled=False)
    endpoint.delete_twice()
    assert not aws.client("ec2").describe_network_interfaces(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]


def test_endpoints_refuse_what_aws_refuses(aws: Any) -> None:
    vpc = made(aws, "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}).id
    assert dangling(aws, ENDPOINT, {"vpcId": vpc, "serviceName": "com.amazonaws.us-east-1.nosuch",
                                    "securityGroupIds": ["sg-12"]}) == ["securityGroupIds", "serviceName"]
    with pytest.raises(ProviderError, match="Gateway is not supported"):
        made(aws, ENDPOINT, {"vpcId": vpc, "serviceName": "com.amazonaws.us-east-1.sts"})
    with pytest.raises(ProviderError, match="enableDnsHostnames"):
        made(aws, ENDPOINT, {"vpcId": vpc, "serviceName": "com.amazonaws.us-east-1.sts",
                             "vpcEndpointType": "Interface", "privateDnsEnabled": True})


def test_a_flow_log_to_cloudwatch_is_the_emulators(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    aws.client("logs").create_log_group(logGroupName="flow")
    role = made(aws, "aws:iam/role:Role", {"name": "flow", "assumeRolePolicy": json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}}]})})
    log = made(aws, FLOW_LOG, {
        "vpcId": vpc, "trafficType": "ALL", "maxAggregationInterval": 60, "iamRoleArn": role.outputs["arn"],
        "logDestination": f"arn:aws:logs:us-east-1:{aws.account}:log-group:flow"})
    log.change(tags={"a": "b"}).delete_twice()


def test_a_flow_log_to_s3_is_kept_and_its_bucket_must_exist(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    inputs = {"vpcId": vpc, "trafficType": "REJECT", "logDestinationType": "s3",
              "logDestination": f"arn:aws:s3:::flow-{aws.account}/vpc"}
    assert dangling(aws, FLOW_LOG, inputs) == ["logDestination"]
    aws.client("s3").create_bucket(Bucket=f"flow-{aws.account}")
    made(aws, FLOW_LOG, inputs).change(tags={"a": "b"}).delete_twice()
