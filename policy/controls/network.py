"""Network: flow logs, closed security groups, described rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy.model import Holds, Resource, World, control, has, listed, says

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
RULES = ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
         "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "aws:ec2/securityGroupRule:SecurityGroupRule")
ANYWHERE = {"0.0.0.0/0", "::/0"}
PORTS = {"CKV_AWS_24": (22, "SSH"), "CKV_AWS_25": (3389, "RDP"), "CKV_AWS_260": (80, "HTTP"),
         "CKV_AWS_277": (-1, "all ports")}


def _default_group_is_empty(vpc: Resource, world: World) -> object:
    groups = world.users(vpc, DEFAULT_GROUP, "vpcId")
    return groups and not any(group.at("ingress") or group.at("egress") for group in groups)


def _ingress(resource: Resource) -> Iterator[Mapping[str, Any]]:
    if resource.type == GROUP:
        yield from listed(resource.at("ingress"))
    elif resource.type.endswith("IngressRule") or resource.at("type") == "ingress":
        yield resource.inputs


def _is_open(rule: Mapping[str, Any], port: int) -> bool:
    sources = {rule.get("cidrIpv4"), rule.get("cidrIpv6"), *listed(rule.get("cidrBlocks")),
               *listed(rule.get("ipv6CidrBlocks"))}
    if not sources & ANYWHERE:
        return False
    if str(rule.get("ipProtocol", rule.get("protocol"))) == "-1":
        return True
    first, last = int(rule.get("fromPort", 0)), int(rule.get("toPort", 65535))
    return (first, last) == (0, 65535) if port == -1 else first <= port <= last


def _not_open(port: int) -> Holds:
    return lambda resource: not any(_is_open(rule, port) for rule in _ingress(resource))


def _described(resource: Resource) -> object:
    rules = [*listed(resource.at("ingress")), *listed(resource.at("egress"))] if resource.type == GROUP else []
    return resource.at("description") and all(rule.get("description") for rule in rules)


CONTROLS = (
    control("CKV2_AWS_11 EC2.6", "flow logs", VPC, has("aws:ec2/flowLog:FlowLog", "vpcId"),
            "add an aws.ec2.FlowLog with the VPC's id"),
    control("CKV2_AWS_12 EC2.2", "default security group closed", VPC, _default_group_is_empty,
            "add an aws.ec2.DefaultSecurityGroup without rules"),
    control("CKV_AWS_130 EC2.15", "no automatic public address", SUBNET,
            lambda subnet: not says("mapPublicIpOnLaunch")(subnet), "set map_public_ip_on_launch=False"),
    *(control(id, f"no ingress from everywhere to {word}", (GROUP, *RULES), _not_open(port),
              "name the networks or the security group that may come in")
      for id, (port, word) in PORTS.items()),
    control("CKV_AWS_23", "security groups and their rules described", (GROUP, *RULES), _described,
            "say in `description` who needs it and what for"),
)
