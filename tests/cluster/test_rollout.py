"""Blue/green on a real API server with pods, autoscalers, a load balancer and traffic that is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import pytest

from kube.client import Client, Conflict
from operations.errors import Contested, OperationError
from operations.rollout import lease
from operations.rollout.bluegreen import BlueGreen
from operations.rollout.cluster import Cluster
from operations.rollout.gates import Open
from operations.rollout.lease import Lease, Owned
from operations.rollout.model import Phase, Record, Result, Target
from operations.rollout.runner import Runner
from operations.rollout.shares import weights
from operations.rollout.waits import Waits
from rehearsal.kubernetes.controlplane import Running
from tests.cluster.agent_world import (
    World,
    world_fixture,  # noqa: F401  registers the fixture `world`
)
from tests.cluster.rollout_world import NEW, OLD, PROMPT_SECONDS, Traffic, build, host, runner, target
from tests.eventually import eventually

pytestmark = pytest.mark.cluster


@pytest.fixture
def aim(world: World, namespace: str) -> Iterator[Target]:
    found = target(namespace)
    build(world, found)
    yield found
    world.client.delete("networking.k8s.io/v1", "Ingress", found.name, namespace)
    eventually("the ingress gone", lambda: f"{namespace}/{found.name}" not in world.state()["loadBalancers"])


def busy(client: Client, aim: Target) -> set[str]:
    """Colours with pods, each with the minimum at least; the autoscaler may have added some."""
    counts = {colour: client.get("apps/v1", "Deployment", f"{aim.name}-{colour}", aim.namespace)["spec"]["replicas"]
              for colour in ("blue", "green")}
    assert all(count == 0 or count >= aim.service.replicas.minimum for count in counts.values())
    return {colour for colour, count in counts.items() if count}


def test_a_release_there_and_back_loses_no_request(world: World, client: Client, aim: Target) -> None:
    with Traffic(world.agent.front_door_url, host(aim)).running() as traffic:
        there = runner(world, client, aim).start(NEW)
        assert there.reason == ""
        assert (there.result, there.revision, there.live, there.idle) == (Result.PROMOTED, 1, "blue", "green")
        assert busy(client, aim) == {"green"}
        assert world.get(host(aim)).json()["version"] == "2.0"
        back = runner(world, client, aim).rollback(None)
        assert (back.result, back.image, back.idle) == (Result.PROMOTED, OLD, "blue")
    assert traffic.failures == []
    assert sum(traffic.statuses.values()) > 300
    assert set(traffic.colours) == {"blue", "green"}
    assert [entry["image"] for entry in runner(world, client, aim).history()] == [NEW, OLD]


def test_a_release_that_does_not_start_goes_back_and_says_why(world: World, client: Client, aim: Target) -> None:
    said: list[str] = []
    with Traffic(world.agent.front_door_url, host(aim)).running() as traffic:
        record = runner(world, client, aim, said).start("example/website:3.0--crash-after-seconds-0.3")
    assert record.result is Result.ROLLED_BACK
    assert "green became ready and restarted" in record.reason or "CrashLoopBackOff" in record.reason
    assert busy(client, aim) == {"blue"}
    assert traffic.failures == []
    assert set(traffic.colours) == {"blue"}


def held(world: World, client: Client, aim: Target, cluster: Running) -> tuple[threading.Thread, list[Any]]:
    """A rollout that is in its hold, at work in a thread; the list gets what comes of it."""
    outcome: list[Any] = []

    def work() -> None:
        with Client.from_kubeconfig(cluster.kubeconfig) as own:
            try:
                outcome.append(runner(world, own, aim, hold=600).start(NEW))
            except OperationError as error:
                outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    at = runner(world, client, aim)
    eventually("the hold", lambda: (current := at.journal.load().current) and current.phase is Phase.HOLD, 120)
    return thread, outcome


def test_in_the_hold_another_process_promotes_it(
        world: World, client: Client, aim: Target, cluster: Running) -> None:
    thread, outcome = held(world, client, aim, cluster)
    with pytest.raises(Owned, match="is at work on website"):
        runner(world, client, aim).start("example/website:9.0")
    record = runner(world, client, aim).promote()
    thread.join(timeout=60)
    assert (record.result, [each.result for each in outcome]) == (Result.PROMOTED, [Result.PROMOTED])
    assert busy(client, aim) == {"green"}


def test_in_the_hold_the_way_back_is_asked_for(
        world: World, client: Client, aim: Target, cluster: Running) -> None:
    thread, outcome = held(world, client, aim, cluster)
    with Traffic(world.agent.front_door_url, host(aim)).running() as traffic:
        record = runner(world, client, aim).abort()
        thread.join(timeout=60)
    assert (record.result, [each.result for each in outcome]) == (Result.ABORTED, [Result.ABORTED])
    assert 0 < record.returned - record.decided < PROMPT_SECONDS
    assert traffic.failures == []
    assert world.get(host(aim)).json()["color"] == "blue"
    assert busy(client, aim) == {"blue"}


def test_the_way_back_is_written_within_half_a_second(world: World, client: Client, aim: Target) -> None:
    """Counted from the decision, the journal's write included; the bad version's last answer within a second. Medians,
    as the machine may have other things to do."""
    run = runner(world, client, aim)
    build_both(run)
    milliseconds, late = [], []
    with Traffic(world.agent.front_door_url, host(aim)).running(1) as traffic:
        for _ in range(20):
            run.cluster.move(run.cluster.weights, weights("green"))
            run.cluster.move(run.cluster.selector, "green")
            eventually("green answers", lambda: world.get(host(aim)).json()["color"] == "green")
            work = BlueGreen(run.cluster, run.journal, run.front, Waits(lambda: None), Open(), lambda line: None, 0.0)
            run.journal.note(replace(work.record, phase=Phase.BACK, decided=time.time(), returned=0.0))
            work.back()
            milliseconds.append(1000 * (work.record.returned - work.record.decided))
            late.append(traffic.last["green"] - work.record.decided)
    assert traffic.failures == []
    assert median(milliseconds) < 500, sorted(milliseconds)
    assert median(late) < 1.0, late


def build_both(run: Runner) -> None:
    """Both colours have pods, and the journal a rollout that is in its hold."""
    cluster = run.cluster
    cluster.move(cluster.replicas("green"), 2)
    run.journal.begin(Record(1, "blue-green", NEW, OLD, "blue", "green", began=time.time(), phase=Phase.HOLD))
    eventually("green is healthy", lambda: run.front.waiting("green", ()) == "", 60)


def test_a_hand_on_the_selector_is_seen_and_the_old_colour_stays(
        world: World, client: Client, aim: Target, cluster: Running) -> None:
    thread, outcome = held(world, client, aim, cluster)
    client.patch("v1", "Service", aim.name, aim.namespace, {"spec": {"selector": {"color": "blue"}}},
                 field_manager="kubectl-edit")
    thread.join(timeout=10)
    assert isinstance(outcome[0], Contested)
    assert "kubectl-edit" in str(outcome[0])
    assert busy(client, aim) == {"blue", "green"}
    assert runner(world, client, aim).abort().result is Result.ABORTED


@pytest.mark.parametrize("phase", ["deploy", "switch", "hold", "retire"])
def test_a_process_that_ends_anywhere_is_followed_by_another(
        world: World, client: Client, aim: Target, phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is stopped as it enters the phase, without a word."""
    monkeypatch.setattr(lease, "SECONDS", 1)  # how long it counts as alive

    class Died(BaseException):
        pass

    first = runner(world, client, aim)
    note = first.journal.note

    def die(record: Record) -> None:
        note(record)
        if record.phase == phase:
            raise Died

    monkeypatch.setattr(first.journal, "note", die)
    monkeypatch.setattr(Lease, "__exit__", lambda self, *exception: self._stop.set())
    with pytest.raises(Died):
        first.start(NEW)
    monkeypatch.undo()
    monkeypatch.setattr(lease, "SECONDS", 1)
    record = runner(world, client, aim).start(NEW)
    assert (record.result, record.revision) == (Result.PROMOTED, 1)
    assert busy(client, aim) == {"green"}
    at = runner(world, client, aim).cluster
    assert (at.read(at.selector), at.read(at.weights)) == ("green", weights("green"))


def test_what_is_not_possible_is_told(world: World, client: Client, aim: Target) -> None:
    with pytest.raises(OperationError, match="there is no way back"):
        runner(world, client, aim).rollback(None)
    with pytest.raises(OperationError, match="has no revision 7; known are none"):
        runner(world, client, aim).rollback(7)
    with pytest.raises(OperationError, match="no rollout of website is at work"):
        runner(world, client, aim).promote()
    with pytest.raises(OperationError, match="has no tag"):
        runner(world, client, aim).start("example/website")


def test_pods_are_written_only_to_the_object_that_was_read(world: World, client: Client, aim: Target) -> None:
    """The Deployment's controller writes its status whenever it likes: that is a conflict, and looked at again."""
    cluster = Cluster(client, aim)
    field, template = cluster.template("green"), cluster.wanted_pods()
    seen = cluster.deployment("green")
    cluster.move(cluster.replicas("green"), 1)
    with pytest.raises(Conflict):
        cluster._patch(field, seen, template)
    cluster.move(cluster.replicas("green"), 0)
