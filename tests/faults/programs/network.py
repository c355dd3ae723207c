"""EC2 networking, flow logs and a launch template."""

import pulumi

from tests.faults.programs.raw import REGION, aws, kept, network, role, step, tags

vpc, (public, private) = network("network")
aws("ec2/defaultSecurityGroup:DefaultSecurityGroup", "default", {"vpcId": vpc.id, "tags": tags()})
internet = aws("ec2/internetGateway:InternetGateway", "internet", {"vpcId": vpc.id, "tags": tags(Name="internet")})
address = aws("ec2/eip:Eip", "nat", {"domain": "vpc", "tags": tags(Name="nat")})
nat = aws("ec2/natGateway:NatGateway", "nat", {
    "subnetId": public.id, "allocationId": address.id, "tags": tags(Name="nat")},
    opts=pulumi.ResourceOptions(depends_on=[internet]))
tables = {}
for name, subnet, target in (("public", public, {"gatewayId": internet.id}),
                             ("private", private, {"natGatewayId": nat.id})):
    tables[name] = aws("ec2/routeTable:RouteTable", name, {"vpcId": vpc.id, "tags": tags(Name=name)})
    aws("ec2/routeTableAssociation:RouteTableAssociation", name, {
        "subnetId": subnet.id, "routeTableId": tables[name].id})
    aws("ec2/route:Route", name, {"routeTableId": tables[name].id, "destinationCidrBlock": "0.0.0.0/0", **target})
endpoints = aws("ec2/securityGroup:SecurityGroup", "endpoints", {
    "vpcId": vpc.id, "description": "endpoints", "tags": tags(Name="endpoints"),
    "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]})
aws("vpc/securityGroupIngressRule:SecurityGroupIngressRule", "endpoints", {
    "securityGroupId": endpoints.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/16",
    "description": step("first", "second"), "tags": tags(Name="endpoints")})
aws("ec2/vpcEndpoint:VpcEndpoint", "s3", {
    "vpcId": vpc.id, "serviceName": f"com.amazonaws.{REGION}.s3", "vpcEndpointType": "Gateway",
    "routeTableIds": step([tables["private"].id], [tables["private"].id, tables["public"].id]),
    "tags": tags(Name="s3")})
if kept():
    aws("ec2/vpcEndpoint:VpcEndpoint", "logs", {
        "vpcId": vpc.id, "serviceName": f"com.amazonaws.{REGION}.logs", "vpcEndpointType": "Interface",
        "privateDnsEnabled": True, "subnetIds": [private.id], "securityGroupIds": [endpoints.id],
        "tags": tags(Name="logs")})
    group = aws("cloudwatch/logGroup:LogGroup", "flow", {"retentionInDays": step(30, 90), "tags": tags()}, "arn")
    aws("ec2/flowLog:FlowLog", "flow", {
        "vpcId": vpc.id, "trafficType": "ALL", "iamRoleArn": role("flow", "vpc-flow-logs.amazonaws.com").arn,
        "logDestination": group.arn, "logDestinationType": "cloud-watch-logs", "tags": tags(Name="flow")})
aws("ec2/launchTemplate:LaunchTemplate", "nodes", {
    "description": step("first", "second"), "updateDefaultVersion": True, "tags": tags(),
    "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
    "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeType": "gp3", "volumeSize": step(50, 60)}}]})
