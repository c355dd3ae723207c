"""A cluster with nodes: the fixture of the tests of node, load balancer and controllers, and small manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from kube.client import Client, Object
from rehearsal.kubernetes.agent import Agent, RunningAgent, Wanted
from rehearsal.kubernetes.controlplane import Running
from tests.eventually import eventually

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
MANAGER = "test"


@dataclass
class World:
    agent: RunningAgent
    client: Client
    groups: Path
    http: httpx.Client
    databases: Path = Path()  # libpq's service file, which a test may write: host name → where it answers

    def scale_nodes(self, desired: int, instance_type: str = "t3.large") -> None:
        self.groups.write_text(json.dumps([{
            "name": "general", "desired": desired, "instanceType": instance_type, "zones": ZONES}]))
        eventually(f"{desired} ready nodes", lambda: len(self.ready_nodes()) == desired == len(self.nodes()))

    def nodes(self) -> list[Object]:
        return self.client.list("v1", "Node", labels="eks.amazonaws.com/nodegroup=general")

    def ready_nodes(self) -> list[Object]:
        return [node for node in self.nodes() if not node["spec"].get("taints")
                and condition(node, "Ready") == "True"]

    def pods(self, namespace: str, labels: str = "") -> list[Object]:
        return self.client.list("v1", "Pod", namespace, labels=labels)

    def apply(self, *objects: Object) -> None:
        for each in objects:
            self.client.apply(each, field_manager=MANAGER, force=True)

    def available(self, namespace: str, name: str, replicas: int) -> None:
        def ready() -> bool:
            found = self.client.get("apps/v1", "Deployment", name, namespace)
            status = found["status"]
            counts = {status.get(field, 0) for field in ("availableReplicas", "updatedReplicas", "replicas")}
            return bool(status.get("observedGeneration") == found["metadata"]["generation"] and counts == {replicas})

        eventually(f"{replicas} available replicas of {name}", ready)

    def replicas(self, namespace: str, name: str) -> int:
        """Available ones of the Deployment."""
        return int(self.client.get("apps/v1", "Deployment", name, namespace)["status"].get("availableReplicas", 0))

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{self.agent.control_url}/state").json()
        return found

    def get(self, host: str, path: str = "/", **more: Any) -> httpx.Response:
        """Through the front door, as a client without cookies."""
        self.http.cookies.clear()
        return self.http.get(f"{self.agent.front_door_url}{path}", headers={"Host": host, **more.pop("headers", {})},
                             **more)

    def pod_url(self, namespace: str, name: str) -> str:
        """Where a pod's first port really is."""
        ports = self.state()["pods"][f"{namespace}/{name}"]["ports"]
        return f"http://127.0.0.1:{next(iter(ports.values()))}"


@contextmanager
def running(cluster: Running, client: Client, home: Path, isolation: str = "process", nodes: int = 3,
            instance_type: str = "t3.large") -> Iterator[World]:
    """Nodes in three zones, without AWS; they are gone again afterwards."""
    groups = home / "groups.json"
    groups.write_text("[]")
    agent = Agent(home / "home")
    found = agent.ensure(Wanted(
        kubeconfig=cluster.kubeconfig, cluster="test", account="000000000001", region="us-east-1", node_groups=groups,
        authority=cluster.home / "pki", backoff_seconds=1.0, isolation=isolation,
        database_connections=home / "databases.conf"))
    with httpx.Client(trust_env=False, timeout=10) as http:
        made = World(found, client, groups, http, home / "databases.conf")
        try:
            made.scale_nodes(nodes, instance_type)
            yield made
        finally:
            agent.stop()
            for node in made.nodes():
                client.delete("v1", "Node", node["metadata"]["name"])


@pytest.fixture(name="world", scope="module")
def world_fixture(cluster: Running, client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three nodes; each container is a process."""
    with running(cluster, client, tmp_path_factory.mktemp("agent")) as made:
        yield made


def condition(item: Object, kind: str) -> str:
    return str(next((each["status"] for each in (item.get("status") or {}).get("conditions") or ()
                     if each["type"] == kind), ""))


def container(image: str = "example/site:1.0", **more: Any) -> Object:
    return {"name": "main", "image": image, "ports": [{"name": "http", "containerPort": 3000}],
            "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 1}, **more}


def deployment(namespace: str, name: str, replicas: int, *containers: Object, labels: dict[str, str] | None = None,
               **spec: Any) -> Object:
    chosen = {"app": name, **(labels or {})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
            "spec": {"replicas": replicas, "selector": {"matchLabels": chosen},
                     "template": {"metadata": {"labels": chosen},
                                  "spec": {"terminationGracePeriodSeconds": 10, "containers": list(containers),
                                           **spec}}}}


def pod(namespace: str, name: str, *containers: Object, **spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace,
                                                            "labels": {"app": name}},
            "spec": {"containers": list(containers), **spec}}


def service(namespace: str, name: str, selector: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": selector, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}


def weighted(**weights: int) -> str:
    """The annotation of an action that forwards to Services by weight."""
    return json.dumps({"type": "forward", "forwardConfig": {"targetGroups": [
        {"serviceName": name.replace("_", "-"), "servicePort": "80", "weight": weight}
        for name, weight in weights.items()]}})


def ingress(namespace: str, name: str, host: str, annotations: dict[str, str], *paths: tuple[str, str]) -> Object:
    """`paths`: path and the action or service behind it; an action is one of which there is an annotation."""
    prefix = "alb.ingress.kubernetes.io/"
    given = {f"{prefix}{key}": value for key, value in {
        "target-type": "ip", "scheme": "internet-facing", "healthcheck-path": "/health",
        "healthcheck-interval-seconds": "5", "healthcheck-timeout-seconds": "2",
        "target-group-attributes": "deregistration_delay.timeout_seconds=3", **annotations}.items()}
    rules = [{"path": path, "pathType": "Prefix", "backend": {"service": {"name": behind, "port": (
        {"name": "use-annotation"} if f"{prefix}actions.{behind}" in given else {"number": 80})}}}
        for path, behind in paths]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "namespace": namespace, "annotations": given},
            "spec": {"ingressClassName": "alb", "rules": [{"host": host, "http": {"paths": rules}}]}}
