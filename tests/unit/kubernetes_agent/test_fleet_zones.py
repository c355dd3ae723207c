"""Nodes of a zone that is lost: they end at once, are replaced elsewhere when they are noticed, and may come again."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.kubernetes.node.addresses import Addresses
from rehearsal.kubernetes.node.fleet import Fleet, FleetSettings
from rehearsal.kubernetes.node.groups import NodeGroup, Subnet
from rehearsal.kubernetes.node.objects import Instance

pytestmark = pytest.mark.unit

SUBNETS = (Subnet("us-east-1a", "10.0.0.0/20"), Subnet("us-east-1b", "10.0.16.0/20"))
GROUP = NodeGroup("general", 2, ("t3.large",), SUBNETS)


class Api:
    """Notes what is deleted."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def apply(self, path: str, item: Any, manager: str) -> None: ...

    async def strategic(self, path: str, item: Any) -> None: ...

    async def delete(self, path: str, body: Any = None) -> bool:
        self.deleted.append(path)
        return True


class Kubelet:
    """One pod is bound to each node."""

    def __init__(self) -> None:
        self.lost: list[str] = []

    def adopt(self, node: str) -> None: ...

    def bound_to(self, node: str) -> list[Any]:
        return [{"metadata": {"namespace": "n", "name": f"pod-of-{node}"}}]

    def lose(self, node: str) -> None:
        self.lost.append(node)


class World:
    def __init__(self, replace_seconds: float) -> None:
        self.api, self.kubelet, self.nodes = Api(), Kubelet(), dict[str, Instance]()
        informer: Any = SimpleNamespace(items={})
        api: Any = self.api
        kubelet: Any = self.kubelet
        groups: Any = None
        self.fleet = Fleet(api, groups, self.nodes, kubelet, Addresses(), informer,
                           FleetSettings("us-east-1", 10250, "v1.34.0", replace_seconds=replace_seconds))

    async def step(self) -> None:
        await self.fleet._step([GROUP])

    def zones(self) -> Counter[str]:
        return Counter(node.subnet.zone for node in self.nodes.values())


def test_a_lost_zones_nodes_end_and_are_replaced_in_the_others_once_they_are_noticed() -> None:
    async def life(noticed: bool) -> World:
        world = World(-1.0 if noticed else 60.0)
        await world.step()
        assert world.zones() == {"us-east-1a": 1, "us-east-1b": 1}
        world.fleet.lose(["us-east-1a"])
        await world.step()
        return world

    early, late = asyncio.run(life(noticed=False)), asyncio.run(life(noticed=True))
    assert (early.zones(), len(early.kubelet.lost), early.api.deleted) == ({"us-east-1b": 1}, 1, [])
    gone = late.kubelet.lost[0]
    assert late.zones() == {"us-east-1b": 2}
    assert late.api.deleted == [
        f"/api/v1/nodes/{gone}", f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{gone}",
        f"/api/v1/namespaces/n/pods/pod-of-{gone}"]


def test_no_node_comes_while_every_zone_is_lost_and_all_come_when_they_are_back() -> None:
    async def life() -> list[Counter[str]]:
        world, seen = World(-1.0), []
        await world.step()
        for lost in (["us-east-1a", "us-east-1b"], []):
            world.fleet.lose(lost)
            await world.step()
            seen.append(world.zones())
        return seen

    assert asyncio.run(life()) == [Counter(), Counter({"us-east-1a": 1, "us-east-1b": 1})]
