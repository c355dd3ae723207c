"""The cluster of a soak, its load generator, and services in it that are rolled out."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kube.client import Client
from operations.rollout.cluster import Weights
from operations.rollout.judging.sources import Source
from operations.rollout.model import Target
from operations.rollout.runner import Runner
from rehearsal.kubernetes.controlplane import ControlPlane, Running
from tests.cluster.agent_world import World, running
from tests.cluster.rollout_world import Door, build, host, target
from tests.eventually import eventually
from tests.soak.load import Aim

ROOT = Path(__file__).parents[2]
NODES, NODE_TYPE = 3, "m5.4xlarge"  # 234 pods each


SHORT = {"stages_percent": (25, 50, 100), "stage_minutes": 0.02, "batch_minutes": 0.02}


class Front(Door):
    """As ELBv2's API tells it: rules as they were set, whichever node has them already. What a node that lags still
    sends to the old colour, no API says."""

    def following(self, weights: Weights) -> str:
        balancer = self.world.state()["loadBalancers"].get(f"{self.aim.namespace}/{self.aim.name}", {})
        wanted = dict(zip(("blue", "green"), weights, strict=True))
        rules = [{id.rpartition(":")[0].rpartition("-")[2]: weight for id, weight in each.items()}
                 for each in balancer.get("forwards", ())]
        wrong = [rule for rule in rules if rule != wanted]
        return "" if rules and not wrong else f"{len(wrong)} of {len(rules)} rules have other weights"


class Load:
    """The load generator's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "tests.soak.load"], cwd=ROOT, text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()

    def start(self, aim: Aim) -> None:
        self._say({"start": asdict(aim)})

    def stop(self, name: str) -> None:
        """What is under way ends first."""
        self._say({"stop": name})

    def look(self) -> dict[str, dict[str, Any]]:
        """Lane → counts, see `load.Counts`. After everything that was ordered before."""
        with self._lock:
            self._say_alone({"look": 0})
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator ended with {self._process.wait()}; its words are above")
        found: dict[str, dict[str, Any]] = json.loads(line)["lanes"]
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _say(self, order: Mapping[str, Any]) -> None:
        with self._lock:
            self._say_alone(order)

    def _say_alone(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()


@dataclass
class Soak:
    cluster: Running
    plane: ControlPlane | None  # None: it is somebody else's
    world: World
    load: Load

    def client(self) -> Client:
        return Client.from_kubeconfig(self.cluster.kubeconfig)

    def requests(self) -> int:
        """Of all lanes so far."""
        return sum(int(counts["requests"]) for counts in self.load.look().values())

    def runner(self, client: Client, aim: Target, said: Callable[[str], None], hold: float = 0.0,
               settle: float = 0.2, source: Source | None = None) -> Runner:
        return Runner(client, aim, Front(self.world, aim), said, hold, settle_seconds=settle,
                      sources=None if source is None else lambda readings, url: source)

    @contextmanager
    def service(self, name: str, *, minimum: int, maximum: int = 0, drain_seconds: int = 1,
                lag_seconds: float = 0.0, **rollout: Any) -> Iterator[Target]:
        """A service in two colours in a namespace of its own, and a load balancer whose slowest node lags. rollout:
        settings of it, beside those that make stages and batches as short as they can be."""
        client, namespace = self.world.client, f"{name}-{uuid.uuid4().hex[:6]}"
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        accounts = client.path("v1", "ServiceAccount", None, namespace)
        next(event for event in client.watch(accounts) if event.object["metadata"]["name"] == "default")
        aim = target(namespace, minimum=minimum, maximum=maximum or minimum, drain_seconds=drain_seconds,
                     **{**SHORT, **rollout})
        build(self.world, aim)
        eventually(f"{minimum} pods of {namespace}", lambda: Front(self.world, aim).waiting("blue", ()) == ""
                   and self.world.replicas(namespace, f"{aim.name}-blue") >= minimum, 120)
        self.world.http.put(f"{self.world.agent.control_url}/lag", json={f"{namespace}/{aim.name}": lag_seconds})
        try:
            yield aim
        finally:
            client.delete("networking.k8s.io/v1", "Ingress", aim.name, namespace)
            eventually("the ingress gone", lambda: f"{namespace}/{aim.name}" not in self.world.state()["loadBalancers"])
            client.delete("v1", "Namespace", namespace)

    @contextmanager
    def loaded(self, aim: Target, **more: Any) -> Iterator[Callable[[], dict[str, Any]]]:
        """Load on a service's front door; what is given back looks at the counts. At the end all is answered."""
        name = f"{aim.namespace} {uuid.uuid4().hex[:6]}"
        port = int(self.world.agent.front_door_url.rpartition(":")[2])
        self.load.start(Aim(name, port, host(aim), **more))
        began = time.monotonic()
        try:
            yield lambda: {**self.load.look()[name], "seconds": time.monotonic() - began}
        finally:
            self.load.stop(name)


@contextmanager
def soaking(home: Path, cluster: Running | None = None, isolation: str = "task") -> Iterator[Soak]:
    """Everything on this machine, gone again afterwards. cluster: one that is there."""
    with ExitStack() as stack:
        plane = None
        if cluster is None:
            plane = ControlPlane(home / "plane", "soak", node_grace_seconds=50)  # Kubernetes' own default
            stack.callback(plane.stop)
            cluster = plane.ensure()
        client = stack.enter_context(Client.from_kubeconfig(cluster.kubeconfig))
        world = stack.enter_context(running(cluster, client, home, isolation, NODES, NODE_TYPE))
        load = Load()
        stack.callback(load.close)
        yield Soak(cluster, plane, world, load)
