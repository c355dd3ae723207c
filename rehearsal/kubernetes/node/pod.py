"""One pod: init containers, containers, conditions, termination; its status in the API."""

from __future__ import annotations

import asyncio
import logging

from rehearsal.kubernetes.controllers.api import UNREACHABLE, ApiError, Object
from rehearsal.kubernetes.node.container import Container
from rehearsal.kubernetes.node.environment import NotReady, Place, check_volumes
from rehearsal.kubernetes.node.services import Services, now

log = logging.getLogger(__name__)

VOLUME_RETRY_SECONDS = 0.5
PUBLISH_DELAY_SECONDS = 0.02  # gathers changes that come together into one request


class Pod:
    """Give it each new version of the object by `update`; `run` returns when the pod is gone from the API."""

    def __init__(self, pod: Object, services: Services, place: Place) -> None:
        self.object = pod
        self._services = services
        self._place = place
        self._dirty = asyncio.Event()
        self._leaving = asyncio.Event()
        self._sent: Object = {}
        self._since: dict[str, tuple[bool, str]] = {}
        before = pod.get("status") or {}
        self._started_at = before.get("startTime") or now()
        previous = {each["name"]: each for field in ("containerStatuses", "initContainerStatuses")
                    for each in before.get(field) or ()}
        spec = pod["spec"]
        self._policy: str = spec.get("restartPolicy", "Always")
        self._ended: str | None = before["phase"] if before.get("phase") in ("Succeeded", "Failed") else None
        self._inits = [self._container(each, each.get("restartPolicy") != "Always", previous)
                       for each in spec.get("initContainers") or ()]
        self._mains = [self._container(each, self._policy != "Always", previous) for each in spec["containers"]]
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def _container(self, spec: Object, ends: bool, previous: dict[str, Object]) -> Container:
        return Container(self.object, spec, self._services, self._place, ends, self._dirty.set,
                         previous.get(spec["name"]))

    def container(self, name: str) -> Container | None:
        return next((each for each in (*self._mains, *self._inits) if each.name == name or not name), None)

    @property
    def containers(self) -> tuple[Container, ...]:
        """Those that serve: the main ones and sidecars."""
        return (*self._mains, *(each for each in self._inits if each.sidecar))

    @property
    def address(self) -> str:
        return self._place.pod_address

    def update(self, pod: Object) -> None:
        self.object = pod
        if "deletionTimestamp" in pod["metadata"]:
            self._leaving.set()

    async def run(self) -> None:
        publishing = asyncio.create_task(self._publish())
        life = asyncio.create_task(self._live())
        leaving = asyncio.create_task(self._leaving.wait())
        try:
            if "deletionTimestamp" in self.object["metadata"]:
                self._leaving.set()
            await asyncio.wait((life, leaving), return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                life.result()
            await leaving
            await self._terminate(life)
            publishing.cancel()
            await self._send(self._status())
            await self._remove()
        finally:
            for task in (publishing, life, leaving, *self._tasks.values()):
                task.cancel()
            for container in (*self._mains, *self._inits):
                container.kill()

    async def _live(self) -> None:
        if self._ended is not None:
            return
        self._dirty.set()
        await self._volumes()
        for container in self._inits:
            task = self._begin(container, "Always" if container.sidecar else
                               "OnFailure" if self._policy == "Always" else self._policy)
            if container.sidecar:
                while not container.started:
                    await asyncio.sleep(PUBLISH_DELAY_SECONDS)
                continue
            await task
            if container.finished:
                self._ended = "Failed"
                self._dirty.set()
                return
        await asyncio.gather(*(self._begin(container, self._policy) for container in self._mains))
        if not self._leaving.is_set():
            self._ended = "Failed" if any(container.finished for container in self._mains) else "Succeeded"
            await self._stop_sidecars(30)
            self._dirty.set()

    def _begin(self, container: Container, policy: str) -> asyncio.Task[None]:
        task = self._tasks[container.name] = asyncio.create_task(container.run(policy))
        return task

    async def _volumes(self) -> None:
        told = ""
        while True:
            try:
                check_volumes(self.object, self._services.references)
                return
            except NotReady as missing:
                if missing.message != told:
                    told = missing.message
                    await self._services.event(self.object, missing.reason, told)
                await asyncio.sleep(VOLUME_RETRY_SECONDS)

    async def _terminate(self, life: asyncio.Task[None]) -> None:
        grace = float(self.object["metadata"].get("deletionGracePeriodSeconds") or 0)
        clock = asyncio.get_running_loop().time
        deadline = clock() + grace
        await asyncio.gather(*(container.stop(grace) for container in (*self._mains, *self._inits)
                               if not container.sidecar))
        await self._stop_sidecars(max(0.0, deadline - clock()))
        life.cancel()
        for task in self._tasks.values():
            if not task.done():
                task.cancel()  # those that waited for a backoff, a secret or an image
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._ended is None:
            clean = all(container.state.get("terminated", {}).get("exitCode") == 0 for container in self._mains)
            self._ended = "Succeeded" if clean else "Failed"

    async def _stop_sidecars(self, grace: float) -> None:
        for container in reversed([each for each in self._inits if each.sidecar]):
            await container.stop(grace)

    async def _remove(self) -> None:
        metadata = self.object["metadata"]
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
                "preconditions": {"uid": metadata["uid"]}}
        while True:
            try:
                await self._services.api.delete(self._path, body)
                return
            except ApiError as error:
                if error.status == 409:
                    return  # another pod of that name: ours is gone
                log.warning("%s", error)
            except UNREACHABLE as error:
                log.warning("deleting %s: %r; trying again", self._path, error)
            await asyncio.sleep(1.0)

    @property
    def _path(self) -> str:
        metadata = self.object["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    async def _publish(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(PUBLISH_DELAY_SECONDS)
            self._dirty.clear()
            await self._send(self._status())

    async def _send(self, status: Object) -> None:
        while status != self._sent:
            try:
                await self._services.api.strategic(f"{self._path}/status", {
                    "metadata": {"uid": self.object["metadata"]["uid"]}, "status": status})
                self._sent = status
            except ApiError as error:
                if error.status in (404, 409):
                    return  # gone, or another pod of that name
                log.warning("%s", error)
                await asyncio.sleep(1.0)
            except UNREACHABLE as error:
                log.warning("status of %s: %r; trying again", self._path, error)
                await asyncio.sleep(1.0)

    def _status(self) -> Object:
        initialized = all(each.finished == 0 or (each.sidecar and bool(each.started)) for each in self._inits)
        ready = bool(self._mains) and initialized and all(each.ready for each in self._mains)
        ready = ready and all(each.ready for each in self._inits if each.sidecar)
        gates = [gate["conditionType"] for gate in self.object["spec"].get("readinessGates") or ()]
        met = {each["type"]: each["status"] == "True"
               for each in (self.object.get("status") or {}).get("conditions") or ()}
        started = any(each.state.get("waiting") is None for each in (*self._mains, *self._inits))
        phase = self._ended or ("Running" if initialized and any(
            each.running or each.restarts or "terminated" in each.state for each in self._mains) else "Pending")
        return {
            "phase": phase, "startTime": self._started_at, "hostIP": self._place.host_address,
            "hostIPs": [{"ip": self._place.host_address}], "podIP": self._place.pod_address,
            "podIPs": [{"ip": self._place.pod_address}],
            "conditions": [
                self._condition("PodReadyToStartContainers", started and self._ended is None),
                self._condition("Initialized", initialized, "ContainersNotInitialized"),
                self._condition("Ready", ready and all(met.get(gate, False) for gate in gates),
                                "PodCompleted" if self._ended == "Succeeded" else "ContainersNotReady"),
                self._condition("ContainersReady", ready, "ContainersNotReady")],
            "containerStatuses": [each.status for each in self._mains],
            **({"initContainerStatuses": [each.status for each in self._inits]} if self._inits else {})}

    def _condition(self, kind: str, true: bool, reason: str = "") -> Object:
        before = self._since.get(kind)
        if before is None or before[0] != true:
            self._since[kind] = (true, now())
        shown: Object = {"type": kind, "status": "True" if true else "False",
                         "lastTransitionTime": self._since[kind][1]}
        # An empty reason would otherwise keep the last one in a merge.
        shown["reason"] = None if true or not reason else reason
        return shown
