"""What a cluster that is gone has left in the network, as its controllers went before they had tidied up: load
balancers with their target groups and security groups, and interfaces of its nodes. They hold subnets, security groups
and at last the VPC: a `destroy` fails on them, and they are paid for.

Of a cluster that is there nothing is left: all of that is in use, or kept warm for the next pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from infra.plans.backup import owned_by
from infra.plans.balancer import TAG_CLUSTER
from operations.aws import code, pages, tags
from operations.recovery.account import Account
from operations.recovery.restoration import Waiting

# How the VPC CNI describes an interface: `"aws-K8S-" + instance` (amazon-vpc-cni-k8s, pkg/awsutils).
_OF_NODES = "aws-K8S-*"
_TAGS_AT_ONCE = 20  # DescribeTags of Elastic Load Balancing


class Kind(StrEnum):
    """In the order in which they can be removed."""

    LOAD_BALANCER = "load balancer"
    TARGET_GROUP = "target group"
    INTERFACE = "network interface"
    SECURITY_GROUP = "security group"


@dataclass(frozen=True)
class Left:
    """id: what the service deletes it by, an ARN or an id."""

    kind: Kind
    id: str


def find(account: Account) -> list[Left]:
    """Empty while the stack's cluster is there."""
    if _there(account):
        return []
    return [Left(kind, id) for kind, ids in _FINDERS.items() for id in sorted(ids(account))]


def remove(account: Account, left: Sequence[Left], waiting: Waiting) -> None:
    """Waits for what is still held: a load balancer's interfaces go some minutes after it. Raises OperationError when
    they do not."""
    for each in sorted(left, key=lambda found: [*Kind].index(found.kind)):
        waiting.until(f"{each.kind} {each.id} is removed", partial(_removed, account, each))


def _removed(account: Account, left: Left) -> bool:
    service, operation, argument = _REMOVE[left.kind]
    try:
        getattr(account.clients(service, account.home), operation)(**{argument: left.id})
    except ClientError as error:
        if code(error) in ("DependencyViolation", "ResourceInUse"):
            return False
        if not code(error).endswith(("NotFound", "NotFoundException")):
            raise
    return True


_REMOVE: Mapping[Kind, tuple[str, str, str]] = {
    Kind.LOAD_BALANCER: ("elbv2", "delete_load_balancer", "LoadBalancerArn"),
    Kind.TARGET_GROUP: ("elbv2", "delete_target_group", "TargetGroupArn"),
    Kind.INTERFACE: ("ec2", "delete_network_interface", "NetworkInterfaceId"),
    Kind.SECURITY_GROUP: ("ec2", "delete_security_group", "GroupId")}


def _there(account: Account) -> bool:
    try:
        account.clients("eks", account.home).describe_cluster(name=account.names.cluster)
    except ClientError as error:
        if code(error) == "ResourceNotFoundException":
            return False
        raise
    return True


def _balancing(operation: str, key: str, arn: str) -> Callable[[Account], Iterator[str]]:
    def found(account: Account) -> Iterator[str]:
        elbv2 = account.clients("elbv2", account.home)
        known = [str(each[arn]) for each in pages(elbv2, operation, key)]
        for first in range(0, len(known), _TAGS_AT_ONCE):
            asked = known[first:first + _TAGS_AT_ONCE]
            for described in elbv2.describe_tags(ResourceArns=asked)["TagDescriptions"]:
                if tags(described["Tags"]).get(TAG_CLUSTER) == account.names.cluster:
                    yield str(described["ResourceArn"])
    return found


def _interfaces(account: Account) -> Iterator[str]:
    """Without an instance, in the stack's own network."""
    ec2 = account.clients("ec2", account.home)
    owner = owned_by(account.settings.ownership.project, account.stack)
    networks = [each["VpcId"] for each in pages(ec2, "describe_vpcs", "Vpcs", Filters=[
        {"Name": f"tag:{key}", "Values": [value]} for key, value in owner.items()])]
    if networks:
        filters: list[Any] = [{"Name": "vpc-id", "Values": networks}, {"Name": "status", "Values": ["available"]},
                              {"Name": "description", "Values": [_OF_NODES]}]
        for each in pages(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=filters):
            yield str(each["NetworkInterfaceId"])


def _security_groups(account: Account) -> Iterator[str]:
    for each in pages(account.clients("ec2", account.home), "describe_security_groups", "SecurityGroups", Filters=[
            {"Name": f"tag:{TAG_CLUSTER}", "Values": [account.names.cluster]}]):
        yield str(each["GroupId"])


_FINDERS: Mapping[Kind, Callable[[Account], Iterator[str]]] = {
    Kind.LOAD_BALANCER: _balancing("describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    Kind.TARGET_GROUP: _balancing("describe_target_groups", "TargetGroups", "TargetGroupArn"),
    Kind.INTERFACE: _interfaces,
    Kind.SECURITY_GROUP: _security_groups}
