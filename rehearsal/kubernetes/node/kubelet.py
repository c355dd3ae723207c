"""All pods that are bound to our nodes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.controllers.informer import Informer, Key, key_of
from rehearsal.kubernetes.node.environment import Place
from rehearsal.kubernetes.node.pod import Pod
from rehearsal.kubernetes.node.services import Services, in_background

log = logging.getLogger(__name__)


class Host(Protocol):
    """A node, as far as its pods care."""

    @property
    def address(self) -> str: ...

    @property
    def cidr(self) -> str: ...


class Kubelet:
    """`hosts`: the nodes by name, kept by the fleet. A pod of another node is not ours."""

    def __init__(self, services: Services, pods: Informer, hosts: Mapping[str, Host]) -> None:
        self.pods: dict[str, Pod] = {}  # by uid
        self._services = services
        self._hosts = hosts
        self._informer = pods
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._removed: set[str] = set()  # uids that are deleted, of which late events may still come
        pods.listen(self._changed)

    def adopt(self, node: str) -> None:
        """Takes the pods that were bound to a node before the node was known here."""
        for pod in self.bound_to(node):
            self._changed(key_of(pod), None, pod)

    def bound_to(self, node: str) -> list[Object]:
        """What the API server has on a node, whether it runs or not."""
        return [pod for pod in self._informer.items.values() if pod["spec"].get("nodeName") == node]

    def lose(self, node: str) -> None:
        """Of a host that is gone already: its containers end at once, and nobody tells the API server."""
        for uid in [uid for uid, pod in self.pods.items() if pod.object["spec"].get("nodeName") == node]:
            self._tasks[uid].cancel()

    def of_node(self, node: str) -> list[Pod]:
        return [pod for pod in self.pods.values() if pod.object["spec"].get("nodeName") == node]

    def _changed(self, key: Key, before: Object | None, after: Object | None) -> None:
        if before is not None and (after is None or after["metadata"]["uid"] != before["metadata"]["uid"]):
            task = self._tasks.get(before["metadata"]["uid"])
            if task is not None:
                task.cancel()
            self._removed.discard(before["metadata"]["uid"])
        if after is None:
            return
        uid = after["metadata"]["uid"]
        if uid in self._removed:
            return
        if uid in self.pods:
            self.pods[uid].update(after)
        elif (host := self._hosts.get(after["spec"].get("nodeName", ""))) is not None:
            self._begin(uid, after, host)

    def _begin(self, uid: str, pod: Object, host: Host) -> None:
        if pod["spec"].get("hostNetwork"):
            address = host.address
        else:
            try:
                address = (pod.get("status") or {}).get("podIP") or self._services.addresses.allocate(host.cidr)
            except ValueError as full:
                in_background(self._services.event(pod, "FailedCreatePodSandBox", str(full)))
                return  # stays Pending; its next change tries again
            self._services.addresses.reserve(address)
        started = self.pods[uid] = Pod(pod, self._services, Place(pod["spec"]["nodeName"], host.address, address))
        task = self._tasks[uid] = asyncio.create_task(started.run())

        def done(ended: asyncio.Task[None]) -> None:
            del self._tasks[uid]
            del self.pods[uid]
            if key_of(pod) in self._informer.items and not ended.cancelled() and ended.exception() is None:
                self._removed.add(uid)
            if address != host.address:
                self._services.addresses.release(address)
            if not ended.cancelled() and ended.exception() is not None:
                log.error("pod %s", pod["metadata"]["name"], exc_info=ended.exception())

        task.add_done_callback(done)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
