"""Pods on our nodes, placed by the real scheduler and judged by real probes."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from infra.plans.jobs import UPKEEP
from infra.settings.load import load_file
from kube.client import Object
from kube.portforward import Forward
from operations.cluster import Objects
from operations.connect import relay, targets
from operations.connect.session import connected, listening
from operations.connect.targets import Place, Target
from operations.errors import OperationError
from rehearsal.kubernetes.node.instances import shape_of
from tests.cluster.agent_world import (
    ZONES,
    World,
    condition,
    container,
    deployment,
    pod,
    world_fixture,  # noqa: F401  registers the fixture `world`
)
from tests.eventually import eventually

pytestmark = pytest.mark.cluster
SETTINGS = load_file(Path(__file__).parents[2] / "Pulumi.development.yaml")


def waiting(found: Object) -> str:
    states = [each["state"].get("waiting", {}).get("reason", "")
              for each in found["status"].get("containerStatuses") or ()]
    return next((reason for reason in states if reason), "")


def warnings(world: World, namespace: str, name: str) -> dict[str, str]:
    return {each["reason"]: each["message"] for each in world.client.list(
        "v1", "Event", namespace, fields=f"involvedObject.name={name},type=Warning")}


def test_a_node_offers_what_its_instance_type_does(world: World) -> None:
    node = world.nodes()[0]
    shape = shape_of("t3.large")
    assert node["status"]["capacity"]["cpu"] == "2"
    assert node["status"]["allocatable"]["cpu"] == "1930m"
    assert node["status"]["allocatable"]["memory"] == f"{shape.allocatable_memory_mib}Mi"
    assert node["status"]["allocatable"]["pods"] == "35"
    assert node["spec"]["providerID"].startswith(f"aws:///{node['metadata']['labels']['topology.kubernetes.io/zone']}")
    assert {each["metadata"]["labels"]["topology.kubernetes.io/zone"] for each in world.nodes()} == set(ZONES)


def test_a_deployment_becomes_available_with_its_pods_spread_over_the_zones(world: World, namespace: str) -> None:
    spread = [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
               "labelSelector": {"matchLabels": {"app": "site"}}}]
    began = time.monotonic()
    world.apply(deployment(namespace, "site", 6, container(), topologySpreadConstraints=spread))
    world.available(namespace, "site", 6)
    assert time.monotonic() - began < 15
    pods = world.pods(namespace)
    zone = {node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
            for node in world.nodes()}
    assert Counter(zone[each["spec"]["nodeName"]] for each in pods) == dict.fromkeys(ZONES, 2)
    assert len({each["status"]["podIP"] for each in pods}) == 6
    assert all(each["status"]["podIP"].startswith("10.0.") for each in pods)
    assert all(each["status"]["containerStatuses"][0]["imageID"].startswith("example/site@sha256:") for each in pods)


def test_a_failing_readiness_probe_keeps_a_pod_unready_and_running(world: World, namespace: str) -> None:
    world.apply(pod(namespace, "bad", container("example/site:1.0--fail-probes-readiness")))
    eventually("the Unhealthy event", lambda: "Unhealthy" in warnings(world, namespace, "bad"))
    found = world.client.get("v1", "Pod", "bad", namespace)
    assert found["status"]["phase"] == "Running"
    assert condition(found, "Ready") == "False"
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_pod_that_asks_for_more_than_a_node_has_stays_pending(world: World, namespace: str) -> None:
    world.apply(pod(namespace, "large", container(resources={"requests": {"cpu": "3"}})))
    message = eventually("FailedScheduling", lambda: warnings(world, namespace, "large").get("FailedScheduling"))
    assert "Insufficient cpu" in message
    assert world.client.get("v1", "Pod", "large", namespace)["status"]["phase"] == "Pending"


def test_a_failing_liveness_probe_restarts_the_container(world: World, namespace: str) -> None:
    probe = {"httpGet": {"path": "/live", "port": 3000}, "periodSeconds": 1, "failureThreshold": 2}
    world.apply(pod(namespace, "stuck", container("example/site:1.0--fail-probes-liveness", livenessProbe=probe)))
    eventually("a restart", lambda: world.client.get("v1", "Pod", "stuck", namespace)["status"].get(
        "containerStatuses", [{"restartCount": 0}])[0]["restartCount"] >= 1)
    assert "Killing" in warnings(world, namespace, "stuck")


def test_a_startup_probe_holds_the_others_back_while_a_slow_start_lasts(world: World, namespace: str) -> None:
    startup = {"httpGet": {"path": "/health", "port": 3000}, "periodSeconds": 1, "failureThreshold": 10}
    liveness = {"httpGet": {"path": "/live", "port": 3000}, "periodSeconds": 1, "failureThreshold": 1}
    world.apply(pod(namespace, "slow", container("example/site:1.0--start-seconds-2.5", startupProbe=startup,
                                                 livenessProbe=liveness)))
    eventually("the slow pod ready", lambda: condition(world.client.get("v1", "Pod", "slow", namespace),
                                                       "Ready") == "True")
    assert world.client.get("v1", "Pod", "slow", namespace)["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_crashing_container_backs_off(world: World, namespace: str) -> None:
    world.apply(pod(namespace, "crash", container("example/site:1.0--crash-after-seconds-0.1--exit-code-3")))
    found = eventually("CrashLoopBackOff", lambda: next(
        (each for each in world.pods(namespace) if waiting(each) == "CrashLoopBackOff"), None))
    assert found["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 3


def test_a_missing_secret_is_a_configuration_error_until_it_exists(world: World, namespace: str) -> None:
    world.apply(pod(namespace, "needy", container(envFrom=[{"secretRef": {"name": "later"}}])))
    eventually("CreateContainerConfigError", lambda: waiting(
        world.client.get("v1", "Pod", "needy", namespace)) == "CreateContainerConfigError")
    world.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "later", "namespace": namespace},
                 "stringData": {"STANDIN_SEED": "7"}})
    eventually("the pod ready", lambda: condition(world.client.get("v1", "Pod", "needy", namespace), "Ready") == "True")
    behaviour = world.http.get(f"{world.pod_url(namespace, 'needy')}/-/behaviour").json()
    assert behaviour["seed"] == 7


def test_an_image_that_the_registry_lacks_is_not_pulled(world: World, namespace: str) -> None:
    world.apply(pod(namespace, "absent", container("example/site:9.9--missing")))
    eventually("ImagePullBackOff", lambda: waiting(
        world.client.get("v1", "Pod", "absent", namespace)) == "ImagePullBackOff")


def test_memory_growth_ends_in_an_out_of_memory_kill(world: World, namespace: str) -> None:
    growing = container("example/site:1.0--memory-mib-per-minute-6000", resources={"limits": {"memory": "128Mi"}})
    world.apply(pod(namespace, "leak", growing))

    def last_end() -> str:
        status = world.client.get("v1", "Pod", "leak", namespace)["status"].get("containerStatuses", [{}])[0]
        return str(status.get("lastState", {}).get("terminated", {}).get("reason", ""))

    eventually("an OOMKilled end", lambda: last_end() == "OOMKilled")


def test_jobs_run_init_containers_first_and_end_with_their_commands_code(world: World, namespace: str) -> None:
    def job(name: str, command: list[str]) -> Object:
        init = {"name": "wait", "image": "busybox:1", "command": ["sh", "-c", "sleep 0.2 && echo waited"]}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": namespace},
                "spec": {"backoffLimit": 0, "template": {"spec": {
                    "restartPolicy": "Never", "initContainers": [init],
                    "containers": [{"name": "main", "image": "example/tool:1", "command": command}]}}}}

    world.apply(job("migrate", ["alembic", "upgrade", "head"]), job("broken", ["sh", "-c", "echo no; exit 4"]))
    for name, kind in (("migrate", "Complete"), ("broken", "Failed")):
        eventually(f"{name} {kind}", lambda name=name, kind=kind: condition(  # type: ignore[misc]
            world.client.get("batch/v1", "Job", name, namespace), kind) == "True")
    ended = world.pods(namespace, "job-name=broken")[0]
    assert ended["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 4


def test_prestop_runs_before_the_container_ends_and_within_the_grace(world: World, namespace: str) -> None:
    hook = {"preStop": {"sleep": {"seconds": 2}}}
    world.apply(pod(namespace, "polite", container(lifecycle=hook), terminationGracePeriodSeconds=20))
    eventually("the pod ready", lambda: condition(world.client.get("v1", "Pod", "polite", namespace),
                                                  "Ready") == "True")
    url = world.pod_url(namespace, "polite")
    began = time.monotonic()
    world.client.delete("v1", "Pod", "polite", namespace)
    assert world.http.get(url).status_code == 200

    def gone() -> bool:
        return not [each for each in world.pods(namespace) if each["metadata"]["name"] == "polite"]

    eventually("the pod gone", gone)
    assert 2.0 <= time.monotonic() - began < 10


def test_logs_come_through_the_api_server(world: World, namespace: str) -> None:
    world.apply(pod(namespace, "chatty", container()))
    eventually("the pod ready", lambda: condition(world.client.get("v1", "Pod", "chatty", namespace),
                                                  "Ready") == "True")
    path = f"/api/v1/namespaces/{namespace}/pods/chatty/log"
    lines = world.client.transport.request("GET", path).text.splitlines()
    assert json.loads(lines[0])["message"] == "listening"


def test_a_port_of_a_pod_is_reached_through_the_api_server_and_one_that_is_none_is_told(
        world: World, namespace: str) -> None:
    world.apply(pod(namespace, "reached", container()))
    eventually("the pod ready", lambda: condition(world.client.get("v1", "Pod", "reached", namespace),
                                                  "Ready") == "True")
    for port, answer, fault in ((3000, 200, ""), (4000, 0, "the container declares no port 4000")):
        said: list[str] = []
        with (socket.create_server(("127.0.0.1", 0)) as listener,
              Forward(world.client, namespace, lambda: "reached", port, listener, said.append)):
            found = 0
            with suppress(httpx.TransportError):
                found = world.http.get(f"http://127.0.0.1:{listener.getsockname()[1]}/health").status_code
        assert found == answer, said
        assert fault in "".join(said)


def test_a_port_of_this_machine_leads_through_a_relay_to_a_database_until_it_is_closed(
        world: World, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`candlefish connect database` but for the account: the Job, the port-forward, PostgreSQL's first answer."""
    class Database(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(8) == targets.SSL_REQUEST:
                self.request.sendall(b"S")

    world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": UPKEEP, "namespace": namespace}})
    kind = replace(targets.KINDS[Target.DATABASE], find=lambda *_: Place("db.example", 5432, True, "", None))
    monkeypatch.setitem(targets.KINDS, Target.DATABASE, kind)  # type: ignore[arg-type]
    here = SETTINGS.model_copy(update={"cluster": SETTINGS.cluster.model_copy(update={"namespace": namespace})})
    with (socketserver.ThreadingTCPServer(("127.0.0.1", 0), Database) as database,
          listening(Target.DATABASE, 0) as listener):
        threading.Thread(target=database.serve_forever, daemon=True).start()
        world.databases.write_text(f"[db.example]\nhost=127.0.0.1\nport={database.server_address[1]}\n")
        with connected("test", here, Target.DATABASE, world.client, None, listener, print) as found:
            assert found.pod().startswith("connect-database-")
            assert kind.answers(found.port)
        database.shutdown()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", found.port), 5)
    eventually("the relay gone", lambda: world.pods(namespace) == [])


def test_a_relay_whose_host_is_nobodys_ends_and_is_told(world: World, namespace: str) -> None:
    world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": UPKEEP, "namespace": namespace}})
    objects = Objects(world.client, namespace)
    with pytest.raises(OperationError, match="does not start"), relay.relay(
            objects, SETTINGS, "database", "nowhere.example", 5432, print):
        raise AssertionError("it is not ready")
    eventually("its Job gone", lambda: not [
        each for each in world.client.list("batch/v1", "Job", namespace)
        if not each["metadata"].get("deletionTimestamp")])


def test_exec_is_refused_with_the_reason(world: World, namespace: str) -> None:
    world.apply(pod(namespace, "closed", container()))
    eventually("the pod ready", lambda: condition(world.client.get("v1", "Pod", "closed", namespace),
                                                  "Ready") == "True")
    port = world.nodes()[0]["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    with httpx.Client(verify=False, trust_env=False) as kubelet:
        answer = kubelet.post(f"https://127.0.0.1:{port}/exec/{namespace}/closed/main?command=ls")
    assert answer.status_code == 501
    assert "stand-in processes" in answer.text


def test_a_rolling_update_replaces_every_pod(world: World, namespace: str) -> None:
    world.apply(deployment(namespace, "site", 4, container("example/site:1.0")))
    world.available(namespace, "site", 4)
    world.apply(deployment(namespace, "site", 4, container("example/site:2.0")))
    world.available(namespace, "site", 4)
    eventually("only new pods", lambda: {each["spec"]["containers"][0]["image"] for each in world.pods(namespace)}
               == {"example/site:2.0"})


def test_scaling_a_node_group_down_drains_the_node_first(world: World, namespace: str) -> None:
    world.apply(deployment(namespace, "site", 6, container()))
    world.available(namespace, "site", 6)
    before = {node["metadata"]["name"] for node in world.nodes()}
    try:
        world.scale_nodes(2)
        world.available(namespace, "site", 6)
        left = {node["metadata"]["name"] for node in world.nodes()}
        assert left < before
        assert {each["spec"]["nodeName"] for each in world.pods(namespace)} <= left
    finally:
        world.scale_nodes(3)


def test_the_pods_of_a_lost_zone_run_in_the_others_which_get_a_node_for_the_lost_one(
        world: World, namespace: str) -> None:
    lost = ZONES[1]
    world.apply(deployment(namespace, "site", 6, container()))
    world.available(namespace, "site", 6)

    def zones() -> Counter[str]:
        return Counter(each["metadata"]["labels"]["topology.kubernetes.io/zone"] for each in world.ready_nodes())

    try:
        world.http.put(f"{world.agent.control_url}/zones", json={"lost": [lost]}).raise_for_status()
        assert lost not in {each["zone"] for each in world.state()["nodes"].values()}
        eventually("Kubernetes notices", lambda: zones()[lost] == 0)
        eventually("another node comes", lambda: zones().total() == 3 and len(world.nodes()) == 3)
        world.available(namespace, "site", 6)
        assert zones()[lost] == 0
    finally:
        world.http.put(f"{world.agent.control_url}/zones", json={"lost": []}).raise_for_status()
        world.scale_nodes(2)
        world.scale_nodes(3)
    assert zones()[lost] == 1  # it takes instances again


def test_forty_pods_are_ready_soon_and_small(world: World, namespace: str) -> None:
    began = time.monotonic()
    world.apply(deployment(namespace, "many", 40, container()))
    world.available(namespace, "many", 40)
    seconds = time.monotonic() - began
    agent = psutil.Process(world.agent.pid)
    hosts = agent.children()
    sizes = []
    for each in [child for host in hosts for child in host.children()]:
        with suppress(psutil.NoSuchProcess):  # a probe that has ended meanwhile
            sizes.append(each.memory_full_info().uss)
    print(f"\n40 pods ready in {seconds:.1f} s; {sum(sizes) / len(sizes) / 2**20:.1f} MiB a container of its own, "
          f"{agent.memory_info().rss / 2**20:.0f} MiB the agent, {hosts[0].memory_info().rss / 2**20:.0f} MiB the host")
    assert seconds < 30
    assert len(sizes) >= 40
    assert sum(sizes) / len(sizes) < 10 * 2**20
