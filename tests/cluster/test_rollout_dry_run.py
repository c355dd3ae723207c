"""A dry run tells every write of a rollout, and makes none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import groupby

import httpx
import pytest

from infra.plans.ingress import action_annotation
from kube import transport
from kube.client import Client, NotFound
from operations.errors import OperationError
from operations.rollout.choice import Choice
from operations.rollout.dry_run import Recorder
from operations.rollout.model import Result, Strategy, Target
from tests.cluster.agent_world import (
    World,
    world_fixture,  # noqa: F401  registers the fixture `world`
)
from tests.cluster.rollout_world import NEW, Counted, build, runner, target

pytestmark = pytest.mark.cluster
Call = tuple[str, str]


@pytest.fixture
def aim(world: World, namespace: str) -> Iterator[Target]:
    made = target(namespace)
    fixed = made.service.replicas.model_copy(update={"maximum": 2})  # or the autoscaler's pods would be followed
    found = Target(made.stack, made.settings, made.service.model_copy(update={"replicas": fixed}))
    build(world, found)
    yield found
    world.client.delete("networking.k8s.io/v1", "Ingress", found.name, namespace)


@pytest.fixture
def calls() -> Iterator[list[Call]]:
    """Writes of this process but for the Lease, whose renewals come with time."""
    made: list[Call] = []

    def interposer(method: str, path: str) -> Callable[[transport.Send], httpx.Response]:
        if method != "GET" and "/leases" not in path:
            made.append((method, path))
        return lambda send: send()

    before = transport._interposer
    transport.interpose(interposer)
    yield made
    transport.interpose(before)


def told(recorder: Recorder) -> list[Call]:
    made = [(write.method, write.path) for write in recorder.writes if "/leases" not in write.path]
    return [call for call, _ in groupby(made)]


def test_a_dry_run_tells_in_order_what_the_rollout_then_writes(
        world: World, client: Client, aim: Target, calls: list[Call]) -> None:
    recorder = Recorder(client.transport.access)
    runner(world, recorder, aim).start(NEW)
    assert calls == []
    for kind, version in (("ConfigMap", "v1"), ("Lease", "coordination.k8s.io/v1")):
        with pytest.raises(NotFound):
            client.get(version, kind, aim.journal, aim.namespace)
    assert runner(world, client, aim).start(NEW).result is Result.PROMOTED
    assert told(recorder) == [call for call, _ in groupby(calls)]  # without repetitions after a conflict
    assert {method for method, _ in calls} == {"POST", "PUT", "PATCH", "DELETE"}


def test_a_dry_run_of_a_canary_tells_each_stage_s_weights(
        world: World, client: Client, aim: Target, calls: list[Call]) -> None:
    recorder = Recorder(client.transport.access)
    runner(world, recorder, aim, source=Counted(world, aim)).start(NEW, Choice(Strategy.CANARY))
    assert calls == []
    actions = [json.loads(write.body["metadata"]["annotations"][action_annotation(aim.name)])
               for write in recorder.writes if "/ingresses/" in write.path]
    assert [[group["weight"] for group in action["forwardConfig"]["targetGroups"]] for action in actions] == [
        [90, 10], [75, 25], [50, 50], [0, 100]]


def test_a_dry_run_is_refused_as_the_rollout_would_be(world: World, client: Client, aim: Target) -> None:
    recorder = Recorder(client.transport.access)
    with pytest.raises(OperationError, match="there is no way back"):
        runner(world, recorder, aim).rollback(None)
    client.patch("apps/v1", "Deployment", f"{aim.name}-blue", aim.namespace, {"spec": {"replicas": 0}})
    with pytest.raises(OperationError, match="blue is live and has no pods"):
        runner(world, recorder, aim).start(NEW)
