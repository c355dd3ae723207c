"""Differences between inputs, where the provider holds a list as a set."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.aws.provider_diff import differences, same
from rehearsal.engine.provider import Change
from rehearsal.engine.values import UNKNOWN
from rehearsal.sdk import replacements

pytestmark = pytest.mark.unit

TABLES = replacements.installed()
GROUP, RULES = "aws:ec2/securityGroup:SecurityGroup", [
    {"protocol": "tcp", "fromPort": 80, "toPort": 80, "securityGroups": ["sg-1", "sg-2"]},
    {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}]


def found(type: str, old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Change, bool]]:
    return [(each.path, each.change, each.replaces) for each in differences(type, old, new, {}, TABLES)]


@pytest.mark.parametrize(("type", "old", "new"), [
    ("aws:rds/subnetGroup:SubnetGroup", {"subnetIds": ["a", "b"]}, {"subnetIds": ["b", "a"]}),
    ("aws:eks/nodeGroup:NodeGroup", {"subnetIds": ["a", "b", "c"]}, {"subnetIds": ["c", "a", "b"]}),
    ("aws:eks/cluster:Cluster", {"vpcConfig": {"subnetIds": ["a", "b"]}}, {"vpcConfig": {"subnetIds": ["b", "a"]}}),
    ("aws:cloudfront/distribution:Distribution",
     {"orderedCacheBehaviors": [{"pathPattern": "/a", "allowedMethods": ["GET", "HEAD"]}]},
     {"orderedCacheBehaviors": [{"pathPattern": "/a", "allowedMethods": ["HEAD", "GET"]}]}),
    (GROUP, {"ingress": RULES}, {"ingress": [RULES[1], {**RULES[0], "securityGroups": ["sg-2", "sg-1"]}]})])
def test_another_order_in_a_set_is_no_difference(type: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert found(type, old, new) == []


def test_another_order_in_a_list_is_a_difference() -> None:
    assert [path for path, _, _ in found("aws:eks/nodeGroup:NodeGroup", {"instanceTypes": ["a", "b"]},
                                         {"instanceTypes": ["b", "a"]})] == ["instanceTypes[0]", "instanceTypes[1]"]


def test_only_the_items_that_come_and_go_are_told_of_a_set() -> None:
    type = "aws:rds/instance:Instance"
    assert found(type, {"vpcSecurityGroupIds": ["a", "b"]}, {"vpcSecurityGroupIds": ["c", "b", "a"]}) == [
        ("vpcSecurityGroupIds[0]", Change.ADD, False)]
    assert found(type, {"vpcSecurityGroupIds": ["a", "b"]}, {"vpcSecurityGroupIds": ["b"]}) == [
        ("vpcSecurityGroupIds[0]", Change.DELETE, False)]
    assert found(type, {"vpcSecurityGroupIds": ["a", "b"]}, {"vpcSecurityGroupIds": ["a", "c"]}) == [
        ("vpcSecurityGroupIds[1]", Change.UPDATE, False)]


def test_an_item_of_a_set_that_is_not_known_yet_differs() -> None:
    assert found("aws:rds/subnetGroup:SubnetGroup", {"subnetIds": ["a", "b"]}, {"subnetIds": [UNKNOWN, "a"]}) == [
        ("subnetIds[0]", Change.ADD, False), ("subnetIds[1]", Change.DELETE, False)]


def test_another_item_in_a_set_that_replaces_does_so() -> None:
    assert found("aws:eks/nodeGroup:NodeGroup", {"subnetIds": ["a", "b"]}, {"subnetIds": ["b", "c"]}) == [
        ("subnetIds[0]", Change.DELETE, True), ("subnetIds[1]", Change.ADD, True)]


def test_values_are_the_same_whatever_the_order_of_the_sets_within_them() -> None:
    before, now = {"subnetIds": ["a", "b"]}, {"subnetIds": ["b", "a"]}
    assert same(before, now, "vpcConfig", {"vpcConfig.subnetIds"})
    assert not same(before, now)
