"""One Node object per desired instance of every node group, as the groups' Auto Scaling groups would have it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError, Object
from rehearsal.kubernetes.controllers.informer import Informer
from rehearsal.kubernetes.node.addresses import Addresses
from rehearsal.kubernetes.node.groups import AwsUnavailable, NodeGroup, NodeGroups, Subnet
from rehearsal.kubernetes.node.kubelet import Kubelet
from rehearsal.kubernetes.node.objects import (
    CIDR_ANNOTATION,
    GROUP_LABEL,
    ZONE_LABEL,
    Instance,
    lease_object,
    name_of,
    node_object,
    node_status,
)

log = logging.getLogger(__name__)

MANAGER = "kubelet"


@dataclass(frozen=True)
class FleetSettings:
    region: str
    kubelet_port: int
    version: str
    poll_seconds: float = 0.5
    settled_poll_seconds: float = 2.0  # once nothing has changed for `settled_after_seconds`
    settled_after_seconds: float = 30.0
    lease_seconds: float = 4.0  # a kubelet renews each 10 s; the rehearsal's grace period is shorter too
    drain_seconds: float = 900.0  # how long an EKS update waits for evictions that a disruption budget refuses
    replace_seconds: float = 15.0  # until the Auto Scaling group takes an instance for lost; on AWS minutes


class Fleet:
    """`nodes` is shared with the kubelet: the nodes that exist, by name."""

    def __init__(self, api: Api, groups: NodeGroups, nodes: dict[str, Instance], kubelet: Kubelet,
                 addresses: Addresses, node_objects: Informer, settings: FleetSettings) -> None:
        self._api, self._groups, self._nodes, self._kubelet = api, groups, nodes, kubelet
        self._addresses, self._objects, self._settings = addresses, node_objects, settings
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._left: set[str] = set()  # removed; the informer may still show them for a moment
        self._zones: frozenset[str] = frozenset()  # that are lost
        self._dark: dict[str, tuple[Instance, float]] = {}  # instances of those, and since when; nobody else knows yet

    def lose(self, zones: Collection[str]) -> None:
        """The instances of these zones end as when the power fails, and none comes up there. No zone: all are back."""
        self._zones = frozenset(zones)
        for node in [each for each in self._nodes.values() if each.subnet.zone in self._zones]:
            del self._nodes[node.name]
            self._dark[node.name] = node, asyncio.get_running_loop().time()
            self._kubelet.lose(node.name)

    async def run(self) -> None:
        await self._objects.synced.wait()
        leases = asyncio.create_task(self._renew())
        told = ""
        clock = asyncio.get_running_loop().time
        before, changed = None, clock()
        try:
            while True:
                try:
                    groups = await asyncio.to_thread(self._groups.groups)
                    if groups != before or self._leaving or self._dark:
                        before, changed = groups, clock()
                    await self._step(groups)
                    told = ""
                except (ApiError, *UNREACHABLE, OSError, ValueError, AwsUnavailable) as error:
                    if str(error) != told:
                        told = str(error)
                        log.warning("nodes: %s", error)
                settled = clock() - changed > self._settings.settled_after_seconds
                await asyncio.sleep(self._settings.settled_poll_seconds if settled else self._settings.poll_seconds)
        finally:
            leases.cancel()
            for task in self._leaving.values():
                task.cancel()

    async def _step(self, groups: list[NodeGroup]) -> None:
        for node, since in list(self._dark.values()):
            if asyncio.get_running_loop().time() - since > self._settings.replace_seconds:
                await self._forget(node)
                del self._dark[node.name]
        wanted = {group.name: group for group in groups}
        for known in list(self._objects.items.values()):
            metadata = known["metadata"]
            group = wanted.get((metadata.get("labels") or {}).get(GROUP_LABEL, ""))
            if group is not None and metadata["name"] not in {*self._nodes, *self._left, *self._dark}:
                await self._adopt(known, group)
        for group in groups:
            present = [node for node in self._present() if node.group.name == group.name]
            lost = sum(node.group.name == group.name for node, _ in self._dark.values())
            subnets = [subnet for subnet in group.subnets if subnet.zone not in self._zones]
            await asyncio.gather(*(self._join(group, self._next_subnet(subnets, present, extra))
                                   for extra in range(group.desired - len(present) - lost if subnets else 0)))
            for node in self._surplus(present, len(present) - group.desired):
                self._leave(node)
        for node in self._present():
            if node.group.name not in wanted:
                self._leave(node)

    def _present(self) -> list[Instance]:
        return [node for node in self._nodes.values() if node.name not in self._leaving]

    @staticmethod
    def _next_subnet(order: list[Subnet], present: list[Instance], extra: int) -> Subnet:
        """The zones with the fewest instances first, as an Auto Scaling group balances them."""
        count = Counter(node.subnet.zone for node in present)
        for _ in range(extra):
            count[min(order, key=lambda subnet: count[subnet.zone]).zone] += 1
        return min(order, key=lambda subnet: count[subnet.zone])

    @staticmethod
    def _surplus(present: list[Instance], count: int) -> list[Instance]:
        """From the zone with the most instances, the latest first."""
        left, chosen = list(present), []
        for _ in range(max(0, count)):
            zones = Counter(node.subnet.zone for node in left)
            node = max(reversed(left), key=lambda each: zones[each.subnet.zone])
            left.remove(node)
            chosen.append(node)
        return chosen

    async def _join(self, group: NodeGroup, subnet: Subnet) -> None:
        address = self._addresses.allocate(subnet.cidr)
        await self._register(self._instance(group, subnet, address, group.instance_types[0]))

    async def _adopt(self, node: Object, group: NodeGroup) -> None:
        """A node that was there before this program: it keeps its name, address and zone."""
        metadata = node["metadata"]
        address = next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")
        self._addresses.reserve(address)
        subnet = Subnet(metadata["labels"][ZONE_LABEL], metadata["annotations"][CIDR_ANNOTATION])
        await self._register(self._instance(group, subnet, address,
                                            metadata["labels"]["node.kubernetes.io/instance-type"]))

    def _instance(self, group: NodeGroup, subnet: Subnet, address: str, instance_type: str) -> Instance:
        return Instance(name_of(address, self._settings.region), address, group, subnet, self._settings.region,
                        instance_type, self._settings.kubelet_port, self._settings.version)

    async def _register(self, node: Instance) -> None:
        await self._api.apply(f"/api/v1/nodes/{node.name}", node_object(node), MANAGER)
        await self._lease(node)
        await self._api.strategic(f"/api/v1/nodes/{node.name}/status", {"status": node_status(node)})
        self._nodes[node.name] = node
        self._left.discard(node.name)
        self._kubelet.adopt(node.name)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds)
            for node in list(self._nodes.values()):
                try:
                    await self._lease(node)
                except (ApiError, *UNREACHABLE) as error:
                    log.warning("lease of %s not renewed: %s", node.name, error)

    async def _lease(self, node: Instance) -> None:
        await self._api.apply(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node.name}",
                              lease_object(node), MANAGER)

    def _leave(self, node: Instance) -> None:
        task = self._leaving[node.name] = asyncio.create_task(self._drain(node))

        def done(ended: asyncio.Task[None]) -> None:
            del self._leaving[node.name]
            if not ended.cancelled() and ended.exception() is not None:
                log.error("removing %s failed", node.name, exc_info=ended.exception())

        task.add_done_callback(done)

    async def _drain(self, node: Instance) -> None:
        """Cordon, evict within the disruption budgets, remove; pods that are left by then die with the instance."""
        await self._api.strategic(f"/api/v1/nodes/{node.name}", {"spec": {"unschedulable": True}})
        try:
            async with asyncio.timeout(self._settings.drain_seconds):
                while pods := [pod.object for pod in self._kubelet.of_node(node.name) if not _of_daemon(pod.object)]:
                    for pod in pods:
                        if "deletionTimestamp" not in pod["metadata"]:
                            await self._evict(pod)
                    await asyncio.sleep(self._settings.poll_seconds)
        except TimeoutError:
            log.warning("%s goes with pods on it: their disruption budgets allowed no eviction", node.name)
        await self._forget(node)

    async def _forget(self, node: Instance) -> None:
        """The instance is gone, and what Kubernetes knows of it goes too."""
        self._left.add(node.name)
        await self._api.delete(f"/api/v1/nodes/{node.name}")
        await self._api.delete(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node.name}")
        self._nodes.pop(node.name, None)
        self._addresses.release(node.address)
        for left in self._kubelet.bound_to(node.name):
            metadata = left["metadata"]
            await self._api.delete(f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}",
                                   {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0})

    async def _evict(self, pod: Object) -> None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        try:
            await self._api.create(f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body)
        except ApiError as error:
            if error.status not in (404, 429):  # gone already; refused by a disruption budget for now
                raise


def _of_daemon(pod: Object) -> bool:
    return any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or ())
