"""The VPC of a stack (N1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import policies, subnets
from infra.settings import model

_ANYWHERE = "0.0.0.0/0"
_GATEWAY_ENDPOINTS = ("s3", "dynamodb")


@dataclass(frozen=True)
class NetworkArgs:
    """`zone_names` are plain strings in the order of the subnets: their last letter goes into logical names."""

    settings: model.Network
    region: str
    zone_names: Sequence[str]
    logs_key_arn: pulumi.Input[str]


class Network(Component):
    """A VPC with public, private and isolated data subnets over the zones, NAT, endpoints and flow logs.

    The subnet ids are outputs that resolve only once the subnet has its route table and routes, so whatever is
    placed in a subnet waits for its way out without naming it. `bare_private_subnet_ids` don't wait: for what needs no
    way out, so that it is made beside the NAT gateways.
    """

    module = "network"

    vpc_id: pulumi.Output[str]
    vpc_cidr: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[Sequence[str]]
    private_subnet_ids: pulumi.Output[Sequence[str]]
    bare_private_subnet_ids: pulumi.Output[Sequence[str]]
    data_subnet_ids: pulumi.Output[Sequence[str]]
    zone_names: Sequence[str]
    nat_addresses: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        plan = subnets.plan(args.settings.cidr, len(args.zone_names))
        self.zone_names = tuple(args.zone_names)
        self._name = name
        self._suffixes = [zone[-1] for zone in args.zone_names]

        vpc = aws.ec2.Vpc(
            f"{name}-vpc", cidr_block=str(args.settings.cidr), enable_dns_support=True, enable_dns_hostnames=True,
            tags={"Name": name}, opts=self.child())
        aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, opts=self.child())
        self.vpc_id, self.vpc_cidr = vpc.id, vpc.cidr_block

        public = self._subnets("public", vpc, plan.public, {"kubernetes.io/role/elb": "1"})
        private = self._subnets("private", vpc, plan.private, {"kubernetes.io/role/internal-elb": "1"})
        data = self._subnets("data", vpc, plan.data, {})

        gateway = aws.ec2.InternetGateway(f"{name}-internet", vpc_id=vpc.id, tags={"Name": name}, opts=self.child())
        public_table = self._route_table("public", vpc)
        public_route = aws.ec2.Route(f"{name}-public", route_table_id=public_table.id,
                                     destination_cidr_block=_ANYWHERE, gateway_id=gateway.id, opts=self.child())
        self.public_subnet_ids = self._routed("public", public, [public_table] * len(public),
                                              [public_route] * len(public))

        nat = self._nat_gateways(args.settings.nat_gateway_count, public, public_route)
        tables = [self._route_table(f"private-{suffix}", vpc) for suffix in self._suffixes]
        routes = [
            aws.ec2.Route(f"{name}-private-{suffix}", route_table_id=table.id, destination_cidr_block=_ANYWHERE,
                          nat_gateway_id=nat[index % len(nat)].id, opts=self.child())
            for index, (suffix, table) in enumerate(zip(self._suffixes, tables, strict=True))]
        self.private_subnet_ids = self._routed("private", private, tables, routes)
        self.bare_private_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in private]).apply(list)
        self.nat_addresses = pulumi.Output.all(*[gateway.public_ip for gateway in nat])

        data_table = self._route_table("data", vpc)
        self.data_subnet_ids = self._routed("data", data, [data_table] * len(data), [])

        for service in _GATEWAY_ENDPOINTS:
            aws.ec2.VpcEndpoint(
                f"{name}-{service}", vpc_id=vpc.id, vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{args.region}.{service}",
                route_table_ids=[table.id for table in (*tables, data_table)],
                tags={"Name": f"{name}-{service}"}, opts=self.child())
        if args.settings.interface_endpoints:
            self._interface_endpoints(args, vpc, private)
        self._flow_logs(args, vpc)

        self.register_outputs({
            "vpcId": self.vpc_id, "vpcCidr": self.vpc_cidr, "publicSubnetIds": self.public_subnet_ids,
            "privateSubnetIds": self.private_subnet_ids, "dataSubnetIds": self.data_subnet_ids,
            "barePrivateSubnetIds": self.bare_private_subnet_ids,
            "zoneNames": self.zone_names, "natAddresses": self.nat_addresses})

    def _subnets(self, kind: str, vpc: aws.ec2.Vpc, blocks: Sequence[IPv4Network],
                 tags: Mapping[str, str]) -> list[aws.ec2.Subnet]:
        return [
            aws.ec2.Subnet(
                f"{self._name}-{kind}-{suffix}", vpc_id=vpc.id, cidr_block=str(block), availability_zone=zone,
                map_public_ip_on_launch=False, tags={"Name": f"{self._name}-{kind}-{suffix}", **tags},
                opts=self.child())
            for suffix, zone, block in zip(self._suffixes, self.zone_names, blocks, strict=True)]

    def _route_table(self, kind: str, vpc: aws.ec2.Vpc) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(f"{self._name}-{kind}", vpc_id=vpc.id, tags={"Name": f"{self._name}-{kind}"},
                                  opts=self.child())

    def _routed(self, kind: str, members: Sequence[aws.ec2.Subnet], tables: Sequence[aws.ec2.RouteTable],
                routes: Sequence[aws.ec2.Route]) -> pulumi.Output[Sequence[str]]:
        """The subnets' ids, known once their tables are associated and routed."""
        associations = [
            aws.ec2.RouteTableAssociation(f"{self._name}-{kind}-{suffix}", subnet_id=subnet.id,
                                          route_table_id=table.id, opts=self.child())
            for suffix, subnet, table in zip(self._suffixes, members, tables, strict=True)]
        return pulumi.Output.all(
            ids=[subnet.id for subnet in members],
            ready=[resource.id for resource in (*associations, *routes)]).apply(lambda known: list(known["ids"]))

    def _nat_gateways(self, count: int, public: Sequence[aws.ec2.Subnet],
                      way_out: aws.ec2.Route) -> list[aws.ec2.NatGateway]:
        gateways = []
        for suffix, subnet in list(zip(self._suffixes, public, strict=True))[:count]:
            address = aws.ec2.Eip(f"{self._name}-nat-{suffix}", domain="vpc",
                                  tags={"Name": f"{self._name}-nat-{suffix}"}, opts=self.child())
            gateways.append(aws.ec2.NatGateway(
                f"{self._name}-{suffix}", subnet_id=subnet.id, allocation_id=address.id,
                tags={"Name": f"{self._name}-{suffix}"}, opts=self.child(depends_on=[way_out])))
        return gateways

    def _interface_endpoints(self, args: NetworkArgs, vpc: aws.ec2.Vpc, private: Sequence[aws.ec2.Subnet]) -> None:
        group = aws.ec2.SecurityGroup(
            f"{self._name}-endpoints", vpc_id=vpc.id, description="Interface endpoints of AWS services",
            tags={"Name": f"{self._name}-endpoints"}, opts=self.child())
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-endpoints", security_group_id=group.id, description="HTTPS from inside the VPC",
            ip_protocol="tcp", from_port=443, to_port=443, cidr_ipv4=vpc.cidr_block, opts=self.child())
        for service in args.settings.interface_endpoints:
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service.replace('.', '-')}", vpc_id=vpc.id, vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{args.region}.{service}", private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in private], security_group_ids=[group.id],
                tags={"Name": f"{self._name}-{service}"}, opts=self.child())

    def _flow_logs(self, args: NetworkArgs, vpc: aws.ec2.Vpc) -> None:
        group = aws.cloudwatch.LogGroup(
            f"{self._name}-flow-logs", retention_in_days=args.settings.flow_log_retention_days,
            kms_key_id=args.logs_key_arn, opts=self.child())
        role = aws.iam.Role(
            f"{self._name}-flow-logs", description="VPC flow logs write to their log group",
            assume_role_policy=json.dumps(policies.service_trust("vpc-flow-logs.amazonaws.com")), opts=self.child())
        permission = aws.iam.RolePolicy(
            f"{self._name}-flow-logs", role=role.id, policy=rendered(policies.flow_logs, log_group_arn=group.arn),
            opts=self.child())
        aws.ec2.FlowLog(
            f"{self._name}-flow-logs", vpc_id=vpc.id, traffic_type="ALL", log_destination_type="cloud-watch-logs",
            log_destination=group.arn, iam_role_arn=role.arn, max_aggregation_interval=600,
            tags={"Name": self._name}, opts=self.child(depends_on=[permission]))
