"""Maintenance, switches and manual scaling on a real API server, with traffic that is counted."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import httpx
import pytest

from infra.plans import ingress, kubernetes, maintenance
from infra.plans.capacity import NodePool
from infra.plans.instances import INSTANCE_TYPES
from kube.client import Client, Object
from operations.errors import OperationError
from operations.rollout.journal import Journal
from operations.rollout.model import Record, Target
from operations.switches.maintenance import Maintenance
from operations.switches.scale import Scaling
from operations.switches.switch import PROGRAM, Switching, chosen
from tests.cluster.agent_world import (
    World,
    world_fixture,  # noqa: F401  registers the fixture `world`
)
from tests.cluster.rollout_world import Traffic, build, host, target
from tests.eventually import eventually

pytestmark = pytest.mark.cluster

SWITCH = "ANIMATION_FALLBACK"
ROOM = {"general": NodePool(INSTANCE_TYPES["t3.large"], 4)}


@pytest.fixture
def aim(world: World, namespace: str) -> Iterator[Target]:
    plain = target(namespace)
    service = plain.service.model_copy(update={"switches": {SWITCH: "false"}, "health_paths": ("/health",)})
    found = replace(plain, service=service,
                    settings=plain.settings.model_copy(update={"services": (service,)}))
    build_more(world, found)
    build(world, found, whole_door=True)
    yield found
    for name in (ingress.NAME, ingress.MAINTENANCE, service.name):
        world.client.delete("networking.k8s.io/v1", "Ingress", name, namespace)
    eventually("the ingresses gone", lambda: namespace not in world.state()["loadBalancers"])


def build_more(world: World, aim: Target) -> None:
    deployment = maintenance.deployment(aim.settings.workloads, aim.namespace, "")
    del deployment["spec"]["template"]["spec"]["priorityClassName"]
    for version, kind, manifest in (("v1", "ServiceAccount", maintenance.account(aim.namespace)),
                                    ("apps/v1", "Deployment", deployment),
                                    ("v1", "Service", maintenance.service(aim.namespace))):
        world.apply({"apiVersion": version, "kind": kind, **manifest})
    switch = kubernetes.switch(aim.service, SWITCH, aim.namespace)
    world.client.apply({"apiVersion": "v1", "kind": "ConfigMap", **switch}, field_manager=f"{PROGRAM}-1234")


def is_page(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and answer.headers.get("Retry-After") == "600"


@dataclass
class PageDoor:
    """As the agent's data plane shows it, in place of ELBv2."""

    world: World
    aim: Target

    def waiting(self, addresses: Iterable[str]) -> str:
        groups = self.world.state()["loadBalancers"][self.aim.namespace]["targetGroups"]
        targets = next(group["targets"] for key, group in groups.items() if "maintenance-maintenance" in key)
        health = {address.partition(":")[0]: state for address, state in targets.items()}
        wrong = [address for address in addresses if health.get(address) != "healthy"]
        return f"{', '.join(wrong)} not healthy" if wrong else ""

    def following(self, on: bool) -> str:
        answers = [self.world.get(host(self.aim)) for _ in range(5)]
        return "" if {is_page(answer) for answer in answers} == {on} else "not all answers follow"


def page(world: World, client: Client, aim: Target) -> Maintenance:
    return Maintenance(client, aim.settings, PageDoor(world, aim), print)


def pods(client: Client, aim: Target, name: str) -> list[Object]:
    return client.list("v1", "Pod", aim.namespace, labels=f"app.kubernetes.io/name={name}")


def test_maintenance_comes_and_goes_without_an_answer_that_is_neither_the_sites_nor_the_pages(
        world: World, client: Client, aim: Target) -> None:
    at = page(world, client, aim)
    with Traffic(world.agent.front_door_url, host(aim), lambda answer: answer.status_code == 200 or is_page(
            answer)).running() as traffic:
        assert at.planned(True) == ["pods of the maintenance page: 0 → 2", "front door: services → maintenance page"]
        assert at.status()["maintenance"] == "off"
        assert at.on() == {"maintenance": "on", "pods": 2, "ready": 2, "retryAfterSeconds": 600}
        assert is_page(world.get(host(aim), "/anything"))
        assert world.get(host(aim), "/health").status_code == 200
        assert at.planned(True) == []
        before = traffic.statuses["503"]
        eventually("traffic gets the page", lambda: traffic.statuses["503"] > before + 50)
        assert at.off()["maintenance"] == "off"
        served = traffic.statuses["200"]
        eventually("traffic gets the site", lambda: traffic.statuses["200"] > served + 50)
    assert traffic.failures == []
    assert pods(client, aim, ingress.MAINTENANCE) == []


def test_maintenance_stays_while_a_service_has_no_pod(world: World, client: Client, aim: Target) -> None:
    at = page(world, client, aim)
    at.on()
    client.patch("apps/v1", "Deployment", f"{aim.name}-blue", aim.namespace, {"spec": {"replicas": 0}})
    eventually("no pods", lambda: not pods(client, aim, aim.name))
    with pytest.raises(OperationError, match="website has no ready pod"):
        at.off()
    assert is_page(world.get(host(aim)))
    assert at.off(whatever=True)["maintenance"] == "off"


def test_a_switch_reaches_every_pod_and_no_request_is_lost(world: World, client: Client, aim: Target) -> None:
    switch, at = chosen(aim.settings, "animation-fallback"), Switching(client, aim.settings, print)
    before = {pod["metadata"]["uid"] for pod in pods(client, aim, aim.name)}
    shown = at.status(switch)
    assert (shown["switch"], shown["service"], shown["value"]) == ("animation-fallback", "website", "false")
    assert shown["with"] == shown["pods"] >= 2  # the autoscaler may have added some
    value, replaced = at.planned(switch, True)
    assert value == "ANIMATION_FALLBACK: false → true"
    assert replaced.endswith(" pods of website-blue replaced")
    with Traffic(world.agent.front_door_url, host(aim)).running() as traffic:
        found = at.turn(switch, True)
    assert traffic.failures == []
    assert (found["value"], found["pods"]) == ("true", found["with"])
    after = {pod["metadata"]["uid"] for pod in pods(client, aim, aim.name)}
    assert not before & after
    at.turn(switch, True)
    assert {pod["metadata"]["uid"] for pod in pods(client, aim, aim.name)} == after


def test_a_switch_whose_command_ended_after_the_first_write_is_finished_by_the_next(
        world: World, client: Client, aim: Target) -> None:
    switch, at = chosen(aim.settings, SWITCH), Switching(client, aim.settings, print)
    client.patch("v1", "ConfigMap", "website-animation-fallback", aim.namespace, {"data": {SWITCH: "true"}},
                 field_manager="kubectl-edit")
    assert at.status(switch)["with"] == 0
    (replaced,) = at.planned(switch, True)
    assert replaced.endswith(" pods of website-blue replaced")
    found = at.turn(switch, True)
    assert found["with"] == found["pods"] >= 2


def test_scaling_moves_the_autoscalers_minimum_and_brings_the_pods(world: World, client: Client, aim: Target) -> None:
    at = Scaling(client, aim, lambda: ROOM, print)
    assert at.planned(3)[0] == "autoscaler of blue: at least 2 → 3"
    found = at.to(3)
    assert (found["minimum"], found["maximum"], found["settings"]) == (3, 4, 2)
    assert min(found["pods"], found["ready"]) >= 3
    assert at.to(2)["minimum"] == 2  # the autoscaler takes the third away in its own time


def test_scaling_waits_for_the_rollout_that_is_not_finished(world: World, client: Client, aim: Target) -> None:
    journal = Journal(client, aim)
    began = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
    journal.begin(Record(7, "blue-green", "a:2", "a:1", "blue", "green", began))
    with pytest.raises(OperationError, match="revision 7 of website is not finished"):
        Scaling(client, aim, lambda: ROOM, print).to(3)
    assert Scaling(client, aim, lambda: ROOM, print).status()["minimum"] == 2


def test_what_finds_no_room_on_the_nodes_is_refused_before_anything_is_written(
        world: World, client: Client, aim: Target) -> None:
    little = {"general": NodePool(INSTANCE_TYPES["t3.medium"], 1)}
    with pytest.raises(OperationError, match=r"--min 4 does not fit .* short of \d+m CPU and \d+ MiB"):
        Scaling(client, aim, lambda: little, print).to(4)
    assert Scaling(client, aim, lambda: little, print).status()["minimum"] == 2
