"""A resource's life on the embedded AWS, as the tests of its handler tell it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from rehearsal.aws.handler import HANDLERS
from rehearsal.engine.provider import ProviderError

Inputs = dict[str, Any]


@dataclass(frozen=True)
class World:
    """What resources point at: a network, a role, a key, a topic, a queue and a log group, as ids and ARNs."""

    vpc: str
    subnets: list[str]
    security_group: str
    role: str
    key: str
    topic: str
    queue: str
    log_group: str


def world(aws: Any, region: str = "us-east-1") -> World:
    ec2, iam = aws.client("ec2", region), aws.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"][
            "SubnetId"
        ]
        for index, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    if region == "us-east-1":
        iam.create_role(RoleName="r", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    aws.client("sqs", region).create_queue(QueueName="q")
    aws.client("logs", region).create_log_group(logGroupName="/logs")
    return World(
        vpc,
        sorted(subnets),
        group,
        f"arn:aws:iam::{aws.account}:role/r",
        aws.client("kms", region).create_key()["KeyMetadata"]["Arn"],
        aws.client("sns", region).create_topic(Name="t")["TopicArn"],
        f"arn:aws:sqs:{region}:{aws.account}:q",
        "/logs",
    )


def made(aws: Any, type: str, inputs: Inputs, region: str = "us-east-1") -> tuple[str, Inputs]:
    """Checked as the engine does, and created."""
    context = aws.context(type, config={"region": region})
    checked = aws.provider.check(context, None, inputs)
    assert not checked.failures, checked.failures
    id, outputs = aws.provider.create(context, checked.inputs)
    return id, outputs


def refused(aws: Any, type: str, inputs: Inputs, message: str, region: str = "us-east-1") -> None:
    context = aws.context(type, config={"region": region})
    checked = aws.provider.check(context, None, inputs)
    with pytest.raises(ProviderError, match=message):
        aws.provider.create(context, checked.inputs)


def lives(
    aws: Any,
    type: str,
    first: Inputs,
    *changes: Inputs,
    region: str = "us-east-1",
    stays: bool = False,
    imports: Callable[[str], str] | None = lambda id: id,
) -> Inputs:
    """Made, read back as sent, changed property by property, imported, deleted, deleted again. A change to None takes
    the property away. `stays`: what AWS itself leaves behind when it is deleted. Returns the outputs of the creation.
    """
    provider, context = aws.provider, aws.context(type, config={"region": region})
    handler = HANDLERS[type]
    tagged = handler.tags_property is not None
    inputs = provider.check(context, None, {**first, **({"tags": {"a": "1"}} if tagged else {})}).inputs
    id, outputs = provider.create(context, inputs)
    created = outputs
    _held(aws, type, id, inputs, region)
    for change in (*changes, *([{"tags": {"b": "2"}}] if tagged else [])):
        wanted = {name: value for name, value in {**inputs, **change}.items() if value is not None}
        again = aws.context(type, config={"region": region})
        new = provider.check(again, inputs, wanted).inputs
        assert provider.diff(again, id, inputs, outputs, new).changed, change
        outputs = provider.update(again, id, inputs, outputs, new, ())
        inputs = new
        _held(aws, type, id, inputs, region)
    assert not provider.diff(context, id, inputs, outputs, inputs).changed
    if imports is not None:
        found = provider.read(aws.context(type, config={"region": region}), imports(id), None, None)
        assert found is not None
    for _ in range(2):
        provider.delete(aws.context(type, config={"region": region}), id, inputs, outputs)
    remaining = provider.read(aws.context(type, config={"region": region}), id, inputs, outputs)
    assert stays or remaining is None
    return created


def _held(aws: Any, type: str, id: str, inputs: Inputs, region: str) -> None:
    """What the handler reads holds what was sent, but for what it declares as kept."""
    handler = HANDLERS[type]
    call = aws.call(type, region=handler.global_region or region)
    read = handler.read(call, id, {name: value for name, value in inputs.items() if not name.startswith("__")})
    assert read is not None
    for name, value in inputs.items():
        if name in handler.kept or name in ("tags", "region") or name.startswith("__"):
            continue
        assert within(value, read.get(name)), f"{name}: sent {value!r}, read {read.get(name)!r}"
    if handler.tags_property is not None:
        assert read.get("tags", {}) == inputs.get("tags", {})


def within(sent: Any, read: Any) -> bool:
    """Everything that was sent was read: the order of a list and what a service adds do not matter."""
    if isinstance(sent, dict):
        return isinstance(read, dict) and all(
            value is None or within(value, read.get(key)) for key, value in sent.items()
        )
    if isinstance(sent, list):
        return (
            isinstance(read, list)
            and len(sent) == len(read)
            and all(any(within(each, other) for other in read) for each in sent)
        )
    return bool(sent == read)
