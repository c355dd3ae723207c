"""Builds the node: informers, runtime, kubelet, fleet, endpoint. `start` runs it as tasks of one group."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

from rehearsal.kubernetes.controllers.api import Api
from rehearsal.kubernetes.controllers.informer import Informer
from rehearsal.kubernetes.node.addresses import Addresses
from rehearsal.kubernetes.node.endpoint import Endpoint
from rehearsal.kubernetes.node.environment import References
from rehearsal.kubernetes.node.fleet import Fleet, FleetSettings
from rehearsal.kubernetes.node.groups import NodeGroups
from rehearsal.kubernetes.node.kubelet import Kubelet
from rehearsal.kubernetes.node.objects import Instance
from rehearsal.kubernetes.node.runtime import Isolation, Runtime
from rehearsal.kubernetes.node.services import KubeletSettings, Services


@dataclass(frozen=True)
class Node:
    pods: Informer
    secrets: Informer
    claims: Informer
    node_objects: Informer
    addresses: Addresses
    kubelet: Kubelet
    fleet: Fleet
    instances: dict[str, Instance]
    runtime: Runtime
    endpoint: Endpoint
    informers: tuple[Informer, ...]

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """The informers are run by the caller."""
        tasks.create_task(self.runtime.run())
        tasks.create_task(self.endpoint.run())
        tasks.create_task(self._after_references())

    async def _after_references(self) -> None:
        # A pod that starts before its secrets are known would report an error that is none.
        for informer in self.informers:
            await informer.synced.wait()
        await self.fleet.run()


def build(api: Api, groups: NodeGroups, fleet: FleetSettings, settings: KubeletSettings, isolation: Isolation,
          tls: ssl.SSLContext, connections: Path | None = None) -> Node:
    pods, secrets = Informer(api, "/api/v1/pods"), Informer(api, "/api/v1/secrets")
    config_maps = Informer(api, "/api/v1/configmaps")
    claims = Informer(api, "/api/v1/persistentvolumeclaims")
    nodes = Informer(api, "/api/v1/nodes")
    addresses, runtime = Addresses(), Runtime(isolation, connections)
    instances: dict[str, Instance] = {}
    services = Services(api, addresses, runtime, References(config_maps, secrets, claims), settings)
    kubelet = Kubelet(services, pods, instances)
    return Node(
        pods=pods, secrets=secrets, claims=claims, node_objects=nodes, addresses=addresses, kubelet=kubelet,
        fleet=Fleet(api, groups, instances, kubelet, addresses, nodes, fleet), instances=instances, runtime=runtime,
        endpoint=Endpoint(kubelet, tls, fleet.kubelet_port),
        informers=(pods, secrets, config_maps, claims, nodes))


def serving_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
