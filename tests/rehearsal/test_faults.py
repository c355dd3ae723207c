"""A few positions of each kind by seed; `make faults` hits all of them."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.aws.provider import AwsProvider
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.execution import Limits
from rehearsal.engine.provider import Context, ProviderError
from rehearsal.engine.store import StateFile
from rehearsal.faults import Fault, Plan, Site
from rehearsal.kubernetes.provider import KubernetesProvider
from rehearsal.random.provider import RandomProvider
from tests.faults.lives import PROGRAMS as LIVES
from tests.faults.runs import ROOT, Kind, prepare
from tests.faults.sweep import Task, summary, sweep
from tests.faults.world import World
from tests.stacks import BY_TYPE, STACKS

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(300)]

SHARE = 0.02


def used_types() -> set[str]:
    """Custom resource types of all stacks, without providers."""
    return {type for stack in STACKS for type in BY_TYPE[stack] if type.startswith(("aws:", "kubernetes:", "random:"))}


def test_every_resource_type_of_the_stacks_occurs_in_a_program_of_the_sweep(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    world = World.start(tmp_path, kubernetes=False)
    try:
        world.reset()
        found = set().union(*(previewed(world, program) for program in LIVES))
    finally:
        world.stop()
    assert used_types() - found == set()


def previewed(world: World, program: str) -> set[str]:
    prepare(world.home / program, program)
    config = StackConfig({"faults:phase": "first", "faults:kubeconfig": "{}", "aws:region": "us-east-1"})
    engine = Engine(Project.load(world.home / program), "test", config,
                    [AwsProvider(world.endpoint), KubernetesProvider(), RandomProvider()],
                    StateFile(world.home / program / "state.json", "faults"),
                    limits=Limits(environment={"PYTHONPATH": str(ROOT)}))
    return {step.type for step in engine.preview().steps}


@pytest.mark.parametrize(("program", "rounds"), [("identity", 0), ("kubernetes", 0)])
def test_what_a_fault_leaves_behind_converges_by_seed(program: str, rounds: int) -> None:
    """One of the worst three kinds is drawn. `rounds`: lives that are destroyed half-made."""
    seed = int(os.environ.get("CANDLEFISH_FAULTS_SEED", time.time_ns() % 1_000_000))
    kind = random.Random(seed).choice((Kind.KILL_AFTER, Kind.TIMED_OUT, Kind.ERROR))
    print(f"CANDLEFISH_FAULTS_SEED={seed}: {kind}")
    found = summary(sweep([Task(program, (kind,), seed, SHARE, seconds=math.inf, rounds=rounds)], workers=1), seed, 0.0)
    assert found["lives"] >= 1
    assert found["failed"] == [], f"seed {seed}"


def test_a_plan_hits_the_same_positions_for_the_same_seed() -> None:
    sites = [Site(f"urn:{number}", 1, "ec2", "CreateVpc", True) for number in range(200)]
    first, second, other = (Plan(seed=seed, rate=0.3) for seed in (1, 1, 2))
    drawn = [first.choose(site) for site in sites]
    assert drawn == [second.choose(site) for site in reversed(sites)][::-1]
    assert drawn != [other.choose(site) for site in sites]
    assert {fault for fault in drawn if fault} == {Fault.ERROR, Fault.THROTTLE, Fault.TIMEOUT}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World.start(tmp_path_factory.mktemp("world"), kubernetes=False)
    yield world
    world.stop()


def creation(type: str, operation: str) -> Context:
    return Context(urn=f"urn:pulumi:test::test::{type}::subject", type=type, name="subject", seed=1,
                   config={"region": "us-east-1"}, operation=operation, preview=False, timeout_seconds=60)


@pytest.mark.parametrize("type", ["aws:s3/bucket:Bucket", "aws:elasticache/subnetGroup:SubnetGroup"])
def test_an_interrupted_creation_finds_its_own_resource_and_another_operation_is_refused(
        world: World, type: str) -> None:
    ec2 = world.clients.shared("ec2", "us-east-1", "000000000000")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    provider = AwsProvider(world.endpoint)
    inputs = {"bucket": "interrupted"} if "s3" in type else {"name": "interrupted", "subnetIds": [subnet]}
    first, _ = provider.create(creation(type, "one"), inputs)
    assert provider.create(creation(type, "one"), inputs)[0] == first
    with pytest.raises(ProviderError, match="Already"):
        provider.create(creation(type, "two"), inputs)


def test_a_nat_gateway_deleted_half_is_deleted_wholly_the_next_time(world: World) -> None:
    ec2 = world.clients.shared("ec2", "us-east-1", "000000000000")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    provider, type = AwsProvider(world.endpoint), "aws:ec2/natGateway:NatGateway"
    inputs = {"subnetId": subnet, "allocationId": address}
    id, outputs = provider.create(creation(type, "made"), inputs)
    ec2.delete_nat_gateway(NatGatewayId=id)  # as far as the first attempt came
    provider.delete(creation(type, "deleted"), id, inputs, outputs)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.release_address(AllocationId=address)
