"""What every resource type is put through: made, read back as sent, updated property by property, deleted twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.aws.handler import HANDLERS, Call, Handler
from rehearsal.aws.provider_diff import document
from rehearsal.engine.values import Properties


def assert_holds(observed: Any, sent: Any, where: str = "") -> None:
    """Everything that was sent is there; what the service adds inside of mappings is its own business."""
    if isinstance(sent, Mapping):
        for key, value in sent.items():
            assert key in observed, f"{where}.{key} is missing in {observed}"
            assert_holds(observed[key], value, f"{where}.{key}")
    elif isinstance(sent, list):
        assert len(observed) == len(sent), f"{where}: sent {sent}, read {observed}"
        for index, (is_read, is_sent) in enumerate(zip(observed, sent, strict=True)):
            assert_holds(is_read, is_sent, f"{where}[{index}]")
    else:
        assert observed == sent, f"{where}: sent {sent!r}, read {observed!r}"


@dataclass
class Subject:
    """One resource under test."""

    aws: Any
    handler: Handler
    id: str
    inputs: Properties
    outputs: Properties
    tags: dict[str, str]

    @property
    def call(self) -> Call:
        call: Call = self.aws.call(self.handler.type, tags=self.tags)
        return call

    def read(self) -> Properties | None:
        return self.handler.read(self.call, self.id, self.inputs)

    def change(self, **properties: Any) -> Subject:
        """Updates the properties (`tags` replaces all tags) and checks that they are read back."""
        new = {**self.inputs, **properties}
        if "tags" in properties:
            self.tags = dict(properties["tags"])
        old = {**self.outputs, **self.inputs}
        self.handler.update(self.call, self.id, old, new, frozenset(properties))
        self.inputs = new
        self._check()
        return self

    def delete(self) -> None:
        self.handler.delete(self.call, self.id, {**self.outputs, **self.inputs})

    def delete_twice(self) -> None:
        self.delete()
        assert self.read() is None
        self.delete()

    def _check(self) -> None:
        outputs = self.read()
        assert outputs is not None
        self.outputs = outputs
        for name, value in self.inputs.items():
            if name in self.handler.documents:
                assert document(outputs[name]) == document(value), name
            elif name not in self.handler.kept:
                assert_holds(outputs[name], value, name)
        if self.handler.tags_property:
            assert outputs["tags"] == self.tags


def made(aws: Any, type: str, inputs: Properties, tags: Mapping[str, str] | None = None) -> Subject:
    """Creates it and checks that it is read back as it was sent, tags included."""
    handler = HANDLERS[type]
    own = {"Project": "lifecycle"} if tags is None else dict(tags)
    own = own if handler.tags_property else {}
    call = aws.call(type, tags=own)
    for reference in handler.references(inputs):
        assert reference.exists(call), f"{reference.property}: {reference.value} does not exist"
    subject = Subject(aws, handler, handler.create(call, inputs), dict(inputs), {}, own)
    subject._check()
    return subject


def dangling(aws: Any, type: str, inputs: Properties) -> list[str]:
    """The properties whose references point at nothing."""
    call = aws.call(type)
    return [reference.property for reference in HANDLERS[type].references(inputs) if not reference.exists(call)]


def network(aws: Any, subnets: int = 2) -> tuple[str, list[str]]:
    """A VPC with subnets in as many zones; their ids."""
    vpc = made(aws, "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True}).id
    return vpc, [made(aws, "aws:ec2/subnet:Subnet", {
        "vpcId": vpc, "cidrBlock": f"10.0.{index}.0/24", "availabilityZone": f"us-east-1{'abc'[index]}"}).id
        for index in range(subnets)]
