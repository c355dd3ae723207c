"""How much of the cluster is taken, how much more node groups may bring, whether all services fit (K1, K5, K6)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.plans.capacity import both_colours, fit
from infra.plans.kubernetes import COLOUR_LABEL
from infra.plans.names import Names
from infra.plans.quantities import in_mib, in_millis
from infra.settings.model import Settings
from kube.client import Client, Object
from operations.aws import pages
from operations.errors import NotAcceptable, OperationError
from operations.switches.scale import node_pools

GROUP_LABEL = "eks.amazonaws.com/nodegroup"
NODES_SECONDS = 900.0  # an instance boots and joins in about two minutes; spot may have to be asked for again
POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Amount:
    """CPU in thousandths, memory in MiB, pods."""

    cpu_millis: int = 0
    memory_mib: int = 0
    pods: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.cpu_millis + other.cpu_millis, self.memory_mib + other.memory_mib, self.pods + other.pods)

    def document(self) -> dict[str, int]:
        return {"cpuMillis": self.cpu_millis, "memoryMib": self.memory_mib, "pods": self.pods}


@dataclass
class Capacity:
    """Of one stack's cluster. eks: boto3's client. say: progress, a line each."""

    client: Client
    settings: Settings
    eks: Any
    say: Callable[[str], None] = lambda _: None
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic

    @property
    def cluster(self) -> str:
        return Names(self.settings.environment).cluster

    def look(self) -> dict[str, Any]:
        """`{"nodes", "groups", "services", "largest"}`: largest is whether a rollout of every service at its maximum
        fits on the node groups' maximum, and by how much not."""
        taken = requested(self.client.list("v1", "Pod"))
        nodes = [_node(item, taken) for item in self.client.list("v1", "Node")]
        return {"nodes": sorted(nodes, key=lambda node: str(node["name"])), "groups": self._groups(nodes),
                "services": self._services(), "largest": self._largest()}

    def planned(self, group: str, nodes: int) -> list[str]:
        """What `bring` would do, in words; refuses what it refuses."""
        name, sizes = self._chosen(group, nodes)
        return [] if sizes["desiredSize"] == nodes else [f"node group {name}: {sizes['desiredSize']} → {nodes} nodes"]

    def bring(self, group: str, nodes: int) -> dict[str, Any]:
        """Has the group want so many nodes, and waits until they are ready. The autoscaler takes away again what no
        pod needs. Raises NotAcceptable outside of the group's bounds, OperationError when the nodes do not come."""
        name, sizes = self._chosen(group, nodes)
        before, began = sizes["desiredSize"], self.now()
        if before != nodes:
            self.eks.update_nodegroup_config(clusterName=self.cluster, nodegroupName=name,
                                             scalingConfig={"desiredSize": nodes})
            self.say(f"node group {name}: {before} → {nodes} nodes")
        while (ready := self._ready(name)) < nodes:
            if self.now() - began > NODES_SECONDS:
                raise OperationError(f"node group {name} has {ready} of {nodes} nodes ready after {NODES_SECONDS:.0f} "
                                     f"s: aws eks describe-nodegroup --cluster-name {self.cluster} --nodegroup-name "
                                     f"{name} has its health")
            self.pause(POLL_SECONDS)
        return {"group": name, "before": before, "nodes": nodes, "ready": ready,
                "seconds": round(self.now() - began, 1)}

    def _chosen(self, group: str, nodes: int) -> tuple[str, dict[str, int]]:
        found = {name: sizes for name, sizes in self._sizes() if group in ("", name) or f"-{group}-" in f"-{name}-"}
        if len(found) != 1:
            known = ", ".join(name for name, _ in self._sizes()) or "none"
            raise NotAcceptable(f"--group {group!r} names {len(found)} node groups of {self.cluster}; it has {known}")
        ((name, sizes),) = found.items()
        if not sizes["minSize"] <= nodes <= sizes["maxSize"]:
            raise NotAcceptable(
                f"--nodes {nodes} is not within {sizes['minSize']} to {sizes['maxSize']}, the bounds of node group "
                f"{name}; cluster.nodeGroups in the stack file has them, and `up` sets them")
        return name, sizes

    def _sizes(self) -> Iterable[tuple[str, dict[str, int]]]:
        for name in pages(self.eks, "list_nodegroups", "nodegroups", clusterName=self.cluster):
            group = self.eks.describe_nodegroup(clusterName=self.cluster, nodegroupName=name)["nodegroup"]
            yield name, group["scalingConfig"]

    def _ready(self, group: str) -> int:
        return sum(ready(item) for item in self.client.list("v1", "Node", labels=f"{GROUP_LABEL}={group}"))

    def _groups(self, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"name": name, "minimum": sizes["minSize"], "desired": sizes["desiredSize"],
                 "maximum": sizes["maxSize"],
                 "ready": sum(node["group"] == name and node["ready"] for node in nodes)}
                for name, sizes in sorted(self._sizes())]

    def _services(self) -> list[dict[str, Any]]:
        namespace = self.settings.cluster.namespace
        scalers = {item["metadata"]["name"]: item for item in self.client.list(
            "autoscaling/v2", "HorizontalPodAutoscaler", namespace)}
        found = []
        for service in self.settings.services:
            live = self.client.get("v1", "Service", service.name, namespace)["spec"]["selector"][COLOUR_LABEL]
            scaler = scalers.get(f"{service.name}-{live}", {"spec": {}})
            found.append({"service": service.name, "live": live,
                          "pods": scaler.get("status", {}).get("currentReplicas", 0),
                          "minimum": scaler["spec"].get("minReplicas"), "maximum": scaler["spec"].get("maxReplicas"),
                          "each": {"cpuMillis": service.resources.cpu_millis,
                                   "memoryMib": service.resources.memory_mib}})
        return found

    def _largest(self) -> dict[str, Any]:
        pools = node_pools(self.eks, self.cluster)
        demands = [both_colours(each.name, each.resources.cpu_millis, each.resources.memory_mib, each.replicas.maximum)
                   for each in self.settings.services]
        found = fit(demands, list(pools.values()), self.settings.addons.features)
        return {"fits": found.fits, "nodes": found.nodes, "freeCpuMillis": found.cpu_free_millis,
                "freeMemoryMib": found.memory_free_mib, "shortfalls": [
                    {"service": each.service, "pods": each.pods, "cpuMillis": each.cpu_millis,
                     "memoryMib": each.memory_mib} for each in found.shortfalls]}


def requested(pods: Iterable[Object]) -> dict[str, Amount]:
    """Node → what its pods ask for. Those that have ended take nothing; those without a node are under ""."""
    found: dict[str, Amount] = defaultdict(Amount)
    for pod in pods:
        if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            found[pod["spec"].get("nodeName", "")] += _asked(pod["spec"])
    return found


def _asked(spec: Mapping[str, Any]) -> Amount:
    """As the scheduler counts it: containers and sidecars together, or the largest init container if that is more."""
    inits = spec.get("initContainers") or ()
    sidecars = [each for each in inits if each.get("restartPolicy") == "Always"]
    steady = sum((_of(each.get("resources", {}).get("requests") or {}) for each in (*spec["containers"], *sidecars)),
                 _of(spec.get("overhead") or {}))
    first = [_of(each.get("resources", {}).get("requests") or {}) for each in inits if each not in sidecars]
    return Amount(max([steady.cpu_millis, *(each.cpu_millis for each in first)]),
                  max([steady.memory_mib, *(each.memory_mib for each in first)]), 1)


def _of(resources: Mapping[str, str]) -> Amount:
    return Amount(in_millis(resources.get("cpu", "0")), in_mib(resources.get("memory", "0")))


def _node(item: Object, taken: Mapping[str, Amount]) -> dict[str, Any]:
    name, offered = item["metadata"]["name"], item["status"]["allocatable"]
    room = Amount(in_millis(offered["cpu"]), in_mib(offered["memory"]), int(offered["pods"]))
    return {"name": name, "group": item["metadata"].get("labels", {}).get(GROUP_LABEL, ""), "ready": ready(item),
            "allocatable": room.document(),
            "requested": taken.get(name, Amount()).document()}


def ready(node: Object) -> bool:
    """And pods may come to it."""
    return not node.get("spec", {}).get("unschedulable") and any(
        each["type"] == "Ready" and each["status"] == "True" for each in node["status"].get("conditions") or ())
