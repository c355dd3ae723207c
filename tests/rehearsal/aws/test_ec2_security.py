"""Security groups and their rules, in the three ways that pulumi-aws has for them."""

from __future__ import annotations

from typing import Any

import pytest

import rehearsal.aws.services.ec2_network
import rehearsal.aws.services.ec2_rules
import rehearsal.aws.services.ec2_security  # noqa: F401
from rehearsal.aws.handler import DATA_SOURCES
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import dangling, made, network

pytestmark = pytest.mark.rehearsal
GROUP, DEFAULT = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
HTTPS = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8", "172.16.0.0/12"],
         "description": "in"}


def test_a_group_changes_its_inline_rules_and_has_no_rule_that_was_not_asked_for(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    group = made(aws, GROUP, {"vpcId": vpc, "name": "web", "description": "d", "ingress": [
        HTTPS, {"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}]})
    assert group.outputs["egress"] == []
    group.change(ingress=[{**HTTPS, "cidrBlocks": ["10.0.0.0/8"], "description": "other"}])
    group.change(egress=[{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}])
    group.change(egress=[]).change(tags={"a": "b"}).delete_twice()


def test_a_group_that_a_rule_names_is_not_deleted(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    one, two = (made(aws, GROUP, {"vpcId": vpc, "name": name, "description": "d"}) for name in ("one", "two"))
    rule = made(aws, RULE, {"type": "ingress", "securityGroupId": one.id, "sourceSecurityGroupId": two.id,
                            "protocol": "tcp", "fromPort": 1, "toPort": 2, "description": "x"})
    with pytest.raises(ProviderError, match=f"DependencyViolation.*{one.id}"):
        two.delete()
    rule.change(description="y").delete_twice()
    two.delete_twice()
    one.delete_twice()


def test_a_rule_is_read_back_from_its_id_alone(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    group = made(aws, GROUP, {"vpcId": vpc, "name": "one", "description": "d"})
    rule = made(aws, RULE, {"type": "egress", "securityGroupId": group.id, "protocol": "-1", "fromPort": 0,
                            "toPort": 0, "cidrBlocks": ["0.0.0.0/0"], "description": "all"})
    assert rule.outputs["securityGroupRuleId"].startswith("sgr-")
    imported = rule.handler.read(rule.call, rule.id, {})
    assert imported is not None
    assert imported["cidrBlocks"] == ["0.0.0.0/0"]
    rule.change(description="everything").delete_twice()


def test_rules_with_their_own_id_live_through_their_updates(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    one, two = (made(aws, GROUP, {"vpcId": vpc, "name": name, "description": "d"}) for name in ("one", "two"))
    rule = made(aws, INGRESS, {"securityGroupId": one.id, "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432,
                               "referencedSecurityGroupId": two.id, "description": "database"})
    rule.change(description="postgres", fromPort=5431).change(tags={"a": "b"}).change(referencedSecurityGroupId=one.id)
    out = made(aws, EGRESS, {"securityGroupId": two.id, "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"})
    out.change(description="all")
    rule.delete_twice()
    out.delete_twice()
    with pytest.raises(ProviderError, match="exactly one of"):
        made(aws, EGRESS, {"securityGroupId": two.id, "ipProtocol": "-1"})


def test_the_default_group_is_adopted_stripped_and_let_go(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    group = made(aws, DEFAULT, {"vpcId": vpc})
    assert group.outputs["ingress"] == group.outputs["egress"] == []
    group.change(ingress=[HTTPS]).change(ingress=[]).change(tags={"a": "b"})
    group.delete()
    assert group.read() is not None


def test_unknown_groups_are_found_out(aws: Any) -> None:
    assert dangling(aws, RULE, {"securityGroupId": "sg-12", "sourceSecurityGroupId": "sg-13"}) == [
        "securityGroupId", "sourceSecurityGroupId"]
    assert dangling(aws, INGRESS, {"securityGroupId": "sg-12", "referencedSecurityGroupId": "sg-13"}) == [
        "securityGroupId", "referencedSecurityGroupId"]
    assert dangling(aws, GROUP, {"vpcId": "vpc-12", "ingress": [{"securityGroups": ["sg-12"]}]}) == [
        "vpcId", "ingress[0].securityGroups"]


def test_the_data_source_finds_a_group_by_name(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    group = made(aws, GROUP, {"vpcId": vpc, "name": "web", "description": "d"})
    token = "aws:ec2/getSecurityGroup:getSecurityGroup"
    assert DATA_SOURCES[token](aws.call(token), {"name": "web", "vpcId": vpc})["id"] == group.id
