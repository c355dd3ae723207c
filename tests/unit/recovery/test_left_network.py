"""What a cluster that is gone has left in the network, and what is not touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.settings.load import load_file
from operations.recovery.account import Account
from operations.recovery.left_network import Kind, find, remove
from operations.recovery.restoration import Waiting

pytestmark = pytest.mark.unit

SETTINGS = load_file(Path(__file__).parents[3] / "Pulumi.development.yaml")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Account("development", SETTINGS, lambda service, region: boto3.client(service, region_name=region))


def _pairs(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def _of(cluster: str) -> list[dict[str, str]]:
    return [{"Key": "elbv2.k8s.aws/cluster", "Value": cluster}]


def _network(account: Account, stack: str, cluster: str) -> None:
    """A network with what a controller and the nodes of a cluster make in it, and an interface of somebody else."""
    ec2, elbv2 = account.clients("ec2", account.home), account.clients("elbv2", account.home)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[
        {"ResourceType": "vpc", "Tags": _pairs(Project="candlefish", Stack=stack)}])["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{account.home}{zone}")[
        "Subnet"]["SubnetId"] for n, zone in enumerate("ab")]
    group = ec2.create_security_group(GroupName=f"k8s-{stack}", Description="[k8s] Managed", VpcId=vpc,
                                      TagSpecifications=[{"ResourceType": "security-group", "Tags": _of(cluster)}])
    elbv2.create_load_balancer(Name=f"k8s-{stack}", Subnets=subnets, SecurityGroups=[group["GroupId"]],
                               Tags=_of(cluster))
    elbv2.create_target_group(Name=f"k8s-{stack}", Protocol="HTTP", Port=80, VpcId=vpc, Tags=_of(cluster))
    for description in ("aws-K8S-i-0a1b2c3d", "somebody else's"):
        ec2.create_network_interface(SubnetId=subnets[0], Description=description)


def test_what_a_cluster_that_is_gone_left_is_found_and_removed_and_all_else_stays(account: Account) -> None:
    _network(account, "development", "candlefish-development")
    _network(account, "staging", "candlefish-staging")
    found = find(account)
    assert Counter(each.kind for each in found) == dict.fromkeys(Kind, 1)
    remove(account, found[::-1], Waiting())
    assert find(account) == []
    assert [each["LoadBalancerName"] for each in account.clients("elbv2", account.home).describe_load_balancers()[
        "LoadBalancers"]] == ["k8s-staging"]
    left = account.clients("ec2", account.home).describe_network_interfaces()["NetworkInterfaces"]
    assert Counter(each["Description"] for each in left)["aws-K8S-i-0a1b2c3d"] == 1  # staging's
    remove(account, found, Waiting())  # whoever else removed them meanwhile


def test_nothing_of_a_cluster_that_is_there_is_left_over(account: Account) -> None:
    _network(account, "development", "candlefish-development")
    account.clients("eks", account.home).create_cluster(
        name="candlefish-development", roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig={})
    assert find(account) == []


def test_what_is_still_held_is_waited_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer's interfaces go some minutes after it, and hold its security group until then."""
    _network(account, "development", "candlefish-development")
    ec2, refusals, pauses = account.clients("ec2", account.home), [1, 1], list[float]()
    delete = ec2.delete_security_group

    def refused(**asked: Any) -> Any:
        if refusals:
            refusals.pop()
            raise ClientError({"Error": {"Code": "DependencyViolation", "Message": "held"}}, "DeleteSecurityGroup")
        return delete(**asked)

    monkeypatch.setattr(ec2, "delete_security_group", refused)
    clients = account.clients
    again = Account("development", SETTINGS,
                    lambda service, region: ec2 if service == "ec2" else clients(service, region))
    remove(again, find(again), Waiting(pause=pauses.append))
    assert (find(again), len(pauses)) == ([], 2)
