"""Ingresses of class alb in front of real pods: routing, weights, draining, WebSockets, removal."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
import pytest

from kube.client import NotFound, Object
from tests.cluster.agent_world import (
    World,
    container,
    deployment,
    ingress,
    service,
    weighted,
    world_fixture,  # noqa: F401  registers the fixture `world`
)
from tests.eventually import eventually

pytestmark = pytest.mark.cluster

HOST = "site.test"
DRAIN = {"preStop": {"sleep": {"seconds": 2}}}


def colours(world: World, namespace: str, blue: int = 2, green: int = 2, **more: Any) -> None:
    for colour, replicas, version in (("blue", blue, "1.0"), ("green", green, "2.0")):
        world.apply(service(namespace, f"site-{colour}", {"app": f"site-{colour}", "color": colour}),
                    deployment(namespace, f"site-{colour}", replicas,
                               container(f"example/site:{version}", lifecycle=DRAIN, **more),
                               labels={"color": colour}))
    for colour, replicas in (("blue", blue), ("green", green)):
        world.available(namespace, f"site-{colour}", replicas)


def front(world: World, namespace: str, **annotations: str) -> str:
    """Applies the Ingress `site` for a host of its own; returns the host."""
    host = f"{namespace}.{HOST}"
    given = {"actions.site": weighted(site_blue=100, site_green=0),
             "actions.closed": json.dumps({"type": "fixed-response", "fixedResponseConfig": {
                 "contentType": "text/html", "statusCode": "503", "messageBody": "back soon"}}),
             **{key.replace("_", "-").replace("--", "."): value for key, value in annotations.items()}}
    world.apply(ingress(namespace, "site", host, given, ("/closed", "closed"), ("/", "site")))
    eventually("healthy targets", lambda: healthy(world, namespace))
    return host


def groups(world: World, namespace: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = world.state()["loadBalancers"].get(f"{namespace}/site", {}).get(
        "targetGroups", {})
    return found


def healthy(world: World, namespace: str) -> bool:
    """Whether every available pod of a colour is a healthy target of its group: EndpointSlices come after the pods."""
    found = groups(world, namespace)
    return bool(found) and all(list(each["targets"].values()) == ["healthy"] * world.replicas(
        namespace, name.split("/")[1].removeprefix("site-").partition(":")[0]) for name, each in found.items())


@pytest.fixture
def balanced(world: World, namespace: str) -> Iterator[str]:
    """The namespace, whose Ingress is removed afterwards: its finalizer would outlive the agent otherwise."""
    yield namespace
    try:
        world.client.delete("networking.k8s.io/v1", "Ingress", "site", namespace)
    except NotFound:
        return
    eventually("the ingress gone", lambda: f"{namespace}/site" not in world.state()["loadBalancers"])


@contextmanager
def traffic(world: World, host: str, statuses: Counter[str]) -> Iterator[None]:
    """Eight clients with kept-alive connections, half of them sending POST, until the block ends."""
    stop = threading.Event()

    async def client(session: aiohttp.ClientSession, method: str) -> None:
        while not stop.is_set():
            try:
                async with session.request(method, f"{world.agent.front_door_url}/", headers={"Host": host},
                                           data=b"x" if method == "POST" else None) as answer:
                    await answer.read()
                    statuses[str(answer.status)] += 1
            except aiohttp.ClientError as error:
                statuses[type(error).__name__] += 1
            await asyncio.sleep(0.02)

    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(client(session, method) for method in ("GET", "POST") * 4))

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=20)


def test_the_front_door_reaches_the_colour_with_all_the_weight(world: World, balanced: str) -> None:
    colours(world, balanced)
    host = front(world, balanced)
    answer = world.get(host)
    assert answer.status_code == 200
    assert answer.json()["color"] == "blue"
    status = world.client.get("networking.k8s.io/v1", "Ingress", "site", balanced)["status"]
    assert status["loadBalancer"]["ingress"][0]["hostname"].endswith(".elb.amazonaws.com")
    assert world.get(host, "/closed").status_code == 503
    assert world.get(host, "/closed").text == "back soon"


def test_weights_divide_requests_and_follow_the_annotation(world: World, balanced: str) -> None:
    colours(world, balanced)
    host = front(world, balanced, actions__site=weighted(site_blue=90, site_green=10))
    seen = Counter(world.get(host).json()["color"] for _ in range(600))
    assert 25 <= seen["green"] <= 105  # 60 ± 6 standard deviations
    world.client.patch("networking.k8s.io/v1", "Ingress", "site", balanced, {"metadata": {"annotations": {
        "alb.ingress.kubernetes.io/actions.site": weighted(site_blue=0, site_green=100)}}})
    eventually("all requests on green", lambda: {world.get(host).json()["color"] for _ in range(20)} == {"green"})


def test_no_request_is_lost_while_the_live_colour_is_restarted_and_then_switched(world: World, balanced: str) -> None:
    colours(world, balanced)
    host = front(world, balanced)
    statuses: Counter[str] = Counter()
    with traffic(world, host, statuses):
        world.client.patch("apps/v1", "Deployment", "site-blue", balanced, {"spec": {"template": {"metadata": {
            "annotations": {"restarted": "once"}}}}})
        world.available(balanced, "site-blue", 2)
        world.client.patch("networking.k8s.io/v1", "Ingress", "site", balanced, {"metadata": {"annotations": {
            "alb.ingress.kubernetes.io/actions.site": weighted(site_blue=0, site_green=100)}}})
        eventually("green answers", lambda: world.get(host).json()["color"] == "green")
        world.client.patch("apps/v1", "Deployment", "site-blue", balanced, {"spec": {"replicas": 0}})
        eventually("blue gone", lambda: not world.pods(balanced, "color=blue"))
    assert set(statuses) == {"200"}
    assert statuses["200"] > 200


def test_a_target_group_without_targets_answers_503(world: World, balanced: str) -> None:
    colours(world, balanced, blue=1, green=1)
    host = front(world, balanced, actions__site=weighted(site_blue=1, site_green=0))
    world.client.patch("apps/v1", "Deployment", "site-blue", balanced, {"spec": {"replicas": 0}})
    eventually("503", lambda: world.get(host).status_code == 503)
    assert world.get(host).headers["Server"] == "awselb/2.0"


def test_a_broken_target_counts_as_its_own_errors_and_shows_its_status(world: World, balanced: str) -> None:
    colours(world, balanced, blue=1, green=1)
    host = front(world, balanced)
    name = world.pods(balanced, "color=blue")[0]["metadata"]["name"]
    world.http.put(f"{world.pod_url(balanced, name)}/-/behaviour", json={"error_rate": 1.0})
    assert {world.get(host).status_code for _ in range(10)} == {500}
    found = groups(world, balanced)[f"{balanced}/site-site-blue:80"]
    assert found["statuses"] == {"5XX": 10}
    assert world.get(host, "/-/behaviour").status_code == 500  # the node's own paths are closed to the outside


def test_stickiness_keeps_a_client_with_its_pod(world: World, balanced: str) -> None:
    colours(world, balanced, blue=3, green=1)
    sticky = "stickiness.enabled=true,stickiness.lb_cookie.duration_seconds=60,deregistration_delay.timeout_seconds=3"
    host = front(world, balanced, target_group_attributes=sticky)
    with httpx.Client(base_url=world.agent.front_door_url, headers={"Host": host}, trust_env=False) as one:
        first = one.get("/")
        kept = {"Cookie": f"AWSALB={first.cookies['AWSALB']}"}
        assert {one.get("/", headers=kept).json()["pod"] for _ in range(12)} == {first.json()["pod"]}
    assert len({world.get(host).json()["pod"] for _ in range(12)}) == 3


def test_a_websocket_echoes_and_is_told_to_come_again_when_its_pod_drains(world: World, balanced: str) -> None:
    colours(world, balanced, blue=1, green=1)
    host = front(world, balanced)

    async def talk() -> int | None:
        url = f"{world.agent.front_door_url.replace('http', 'ws')}/ws"
        async with aiohttp.ClientSession() as session, session.ws_connect(url, headers={"Host": host}) as socket:
            await socket.send_str("hello")
            assert (await socket.receive(timeout=5)).data == "hello"
            await asyncio.to_thread(world.client.patch, "apps/v1", "Deployment", "site-blue", balanced,
                                    {"spec": {"replicas": 0}})
            message = await socket.receive(timeout=15)
            assert message.type is aiohttp.WSMsgType.CLOSE
            return int(message.data)

    assert asyncio.run(talk()) == 1012


def test_a_wrong_annotation_is_told_in_an_event_and_changes_nothing(world: World, balanced: str) -> None:
    colours(world, balanced, blue=1, green=1)
    host = front(world, balanced)
    world.client.patch("networking.k8s.io/v1", "Ingress", "site", balanced, {"metadata": {"annotations": {
        "alb.ingress.kubernetes.io/actions.site": "{not json"}}})

    def told() -> list[Object]:
        return [each for each in world.client.list("v1", "Event", balanced, fields="involvedObject.name=site")
                if each["reason"] == "FailedBuildModel"]

    assert "actions.site is not JSON" in eventually("FailedBuildModel", told)[0]["message"]
    assert world.get(host).json()["color"] == "blue"


def test_removing_the_ingress_removes_the_load_balancer(world: World, namespace: str) -> None:
    colours(world, namespace, blue=1, green=1)
    front(world, namespace)
    world.client.delete("networking.k8s.io/v1", "Ingress", "site", namespace)
    eventually("the ingress gone", lambda: not world.client.list("networking.k8s.io/v1", "Ingress", namespace))
    assert f"{namespace}/site" not in world.state()["loadBalancers"]
