"""Resources by type token and the inputs as the wire spells them: the same registrations as the SDK's classes make,
without the seconds that importing those classes takes."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from infra.plans.replacement import DELETED_FIRST

PHASE = pulumi.Config("faults").require("phase")
REGION = "us-east-1"
ACCOUNT = "000000000000"


def step(first: Any, second: Any) -> Any:
    """The value of the first phase, and that of the later ones."""
    return first if PHASE == "first" else second


def kept() -> bool:
    """Whether the resources that the third phase deletes are still wanted."""
    return PHASE != "third"


def tags(**more: str) -> dict[str, str]:
    return {"Owner": step("platform", "operations"), **more}


class Raw(pulumi.CustomResource):
    """`outputs`: the computed properties that the program refers to."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, token: str, name: str, inputs: dict[str, Any], *outputs: str,
                 opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(token, name, {**dict.fromkeys(outputs), **inputs}, opts)


def aws(token: str, name: str, inputs: dict[str, Any], *outputs: str,
        opts: pulumi.ResourceOptions | None = None) -> Any:
    """`token`: "ec2/vpc:Vpc"."""
    if f"aws:{token}" in DELETED_FIRST:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
    return Raw(f"aws:{token}", name, inputs, *outputs, opts=opts)


def assumed_by(service: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": service}}]})


def role(name: str, service: str) -> Any:
    return aws("iam/role:Role", name, {"assumeRolePolicy": assumed_by(service), "description": step("first", "second"),
                                       "tags": tags()}, "arn", "name")


def network(prefix: str) -> tuple[Any, list[Any]]:
    """A VPC and two subnets for what needs them."""
    vpc = aws("ec2/vpc:Vpc", prefix, {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True,
                                      "enableDnsHostnames": True, "tags": {"Name": prefix}})
    subnets = [aws("ec2/subnet:Subnet", f"{prefix}-{zone}", {
        "vpcId": vpc.id, "cidrBlock": f"10.0.{index}.0/24", "availabilityZone": f"{REGION}{zone}",
        "tags": {"Name": f"{prefix}-{zone}"}}) for index, zone in enumerate("ab")]
    return vpc, subnets
