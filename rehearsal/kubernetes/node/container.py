"""One container of a pod through its starts, probes and ends."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.node import probes
from rehearsal.kubernetes.node.environment import NotReady, Place, environment_of
from rehearsal.kubernetes.node.quantities import bytes_of
from rehearsal.kubernetes.node.runtime import Exit, Running
from rehearsal.kubernetes.node.services import Services, backoff, in_background, now
from rehearsal.kubernetes.standin.behaviour import tag_of
from rehearsal.kubernetes.standin.container import Start

RESET_SECONDS = 600.0  # a container that ran that long starts its backoff anew
CONFIG_RETRY_SECONDS = 1.0
UNPULLABLE = "--missing"  # a tag that ends so stands for an image that the registry does not have
REPLACED = "--replaced"  # one that ends so stands for a node that runs another digest than the one asked for
SERVICE_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
COLOR_LABEL = "color"


class Container:
    """`status` is what the API shows. `changed` is called whenever it changed."""

    def __init__(self, pod: Object, spec: Object, services: Services, place: Place, ends: bool,
                 changed: Callable[[], None], previous: Object | None) -> None:
        self.name: str = spec["name"]
        self.spec = spec
        self.sidecar = spec.get("restartPolicy") == "Always"
        self.state: Object = {"waiting": {"reason": "ContainerCreating" if not ends else "PodInitializing"}}
        self.last_state: Object = {}
        self.ready = False
        self.started: bool | None = None
        self.finished: int | None = None  # exit code of a container that will not be started again
        self.restarts = 0
        self._id = ""
        if previous and previous.get("containerID"):  # from before a restart of this program, as after a reboot
            self.restarts = int(previous.get("restartCount", 0)) + 1
        self._pod, self._services, self._place, self._ends, self._changed = pod, services, place, ends, changed
        self._running: Running | None = None
        self._target: probes.Target | None = None
        self._stopping = False
        self._probes: dict[str, asyncio.Task[None]] = {}
        self._first_start: float | None = None

    @property
    def status(self) -> Object:
        shown: Object = {
            "name": self.name, "image": self.spec["image"], "imageID": image_id(self.spec["image"]) if self._id else "",
            "state": self.state, "lastState": self.last_state, "ready": self.ready, "restartCount": self.restarts}
        if self._id:
            shown["containerID"] = self._id
        if self.started is not None:
            shown["started"] = self.started
        return shown

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def loopback_ports(self) -> dict[int, int]:
        """Container port → port on 127.0.0.1, while it runs."""
        return self._running.ports if self._running is not None else {}

    def log_file(self, restart: int) -> Path:
        metadata = self._pod["metadata"]
        folder = f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
        return self._services.settings.logs / folder / self.name / f"{restart}.log"

    async def run(self, restart_policy: str) -> None:
        """Until it ends for good (see `finished`), which a service under policy Always never does."""
        crashes = 0
        while not self._stopping:
            await self._wait_for_image()
            environment = await self._environment()
            began = asyncio.get_running_loop().time()
            ended = await self._once(environment)
            again = restart_policy == "Always" or (restart_policy == "OnFailure" and ended.code != 0)
            if self._stopping or not again:
                self.finished = ended.code
                return
            lasted = asyncio.get_running_loop().time() - began
            crashes = 1 if lasted >= RESET_SECONDS else crashes + 1
            delay = backoff(crashes - 1, self._services.settings)
            self.last_state = self.state
            if delay:
                message = f"back-off {delay:g}s restarting failed container={self.name}"
                self.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
                self._changed()
                await self._services.event(self._pod, "BackOff", message, container=self.name)
                await asyncio.sleep(delay)
            self.restarts += 1

    async def _wait_for_image(self) -> None:
        attempt = 0
        while tag_of(self.spec["image"]).endswith(UNPULLABLE):
            message = f'Failed to pull image "{self.spec["image"]}": not found'
            await self._services.event(self._pod, "Failed", message, container=self.name)
            reason = "ErrImagePull" if attempt == 0 else "ImagePullBackOff"
            self.state = {"waiting": {"reason": reason, "message": message}}
            self._changed()
            await asyncio.sleep(1.0 if attempt == 0 else backoff(attempt, self._services.settings))
            attempt += 1

    async def _environment(self) -> dict[str, str]:
        told = ""
        while True:
            try:
                values = environment_of(self._pod, self.spec, self._services.references, self._place)
            except NotReady as missing:
                if missing.message != told:
                    told = missing.message
                    self.state = {"waiting": {"reason": "CreateContainerConfigError", "message": told}}
                    self._changed()
                    await self._services.event(self._pod, "Failed", f"Error: {told}", container=self.name)
                await asyncio.sleep(CONFIG_RETRY_SECONDS)
                continue
            if self._services.settings.proxy_url:
                namespace = self._pod["metadata"]["namespace"]
                values.setdefault("HTTP_PROXY", self._services.settings.proxy_url.replace("://", f"://{namespace}:-@"))
            return values

    async def _once(self, environment: dict[str, str]) -> Exit:
        file = self.log_file(self.restarts)
        file.parent.mkdir(parents=True, exist_ok=True)
        running = await self._services.runtime.start(self._start(environment, file))
        self._running, self._id = running, f"containerd://{hashlib.sha256(running.id.encode()).hexdigest()}"
        started_at = now()
        self._services.addresses.publish(self._place.pod_address, running.ports)
        ports = {port["name"]: port["containerPort"] for port in self.spec.get("ports") or () if "name" in port}
        self._target = probes.Target(self._place.pod_address, ports, environment, self._services.addresses)
        self.state = {"running": {"startedAt": started_at}}
        self.started = "startupProbe" not in self.spec
        self.ready = self.started and "readinessProbe" not in self.spec
        self._first_start = asyncio.get_running_loop().time()
        self._changed()
        hook = (self.spec.get("lifecycle") or {}).get("postStart")
        if hook:
            await self._hook("PostStartHook", hook, self._target)
        self._probe("startup" if not self.started else "both")
        try:
            ended = await asyncio.shield(running.exited)
        finally:
            for task in self._probes.values():
                task.cancel()
            self._probes.clear()
        self._services.addresses.withdraw(self._place.pod_address, running.ports)
        self._running, self.ready, self.started = None, False, False
        reason = "OOMKilled" if ended.out_of_memory else "Completed" if ended.code == 0 else "Error"
        self.state = {"terminated": {"exitCode": ended.code, "reason": reason, "startedAt": started_at,
                                     "finishedAt": now(), "containerID": self._id,
                                     **({"signal": ended.signal} if ended.signal else {})}}
        self._changed()
        return ended

    def _start(self, environment: dict[str, str], file: Path) -> Start:
        labels = self._pod["metadata"].get("labels") or {}
        limit = ((self.spec.get("resources") or {}).get("limits") or {}).get("memory")
        paths = {kind: [self.spec[f"{kind}Probe"]["httpGet"].get("path", "/")]
                 for kind in ("startup", "readiness", "liveness") if "httpGet" in (self.spec.get(f"{kind}Probe") or {})}
        hook = ((self.spec.get("lifecycle") or {}).get("preStop") or {}).get("httpGet")
        return Start(
            id=uuid.uuid4().hex, image=self.spec["image"], log=str(file), ends=self._ends, ports=ports_of(self.spec),
            command=[*(self.spec.get("command") or ()), *(self.spec.get("args") or ())], environment=environment,
            pod=self._pod["metadata"]["name"], color=labels.get(COLOR_LABEL, ""),
            service=next((labels[label] for label in SERVICE_LABELS if label in labels), self.name),
            probe_paths=paths, drain_paths=[hook.get("path", "/")] if hook else [],
            memory_limit_bytes=bytes_of(limit) if limit else None)

    def _probe(self, which: str) -> None:
        kinds = ("startup",) if which == "startup" else ("readiness", "liveness")
        for kind in kinds:
            probe = self.spec.get(f"{kind}Probe")
            if probe is None:
                continue
            assert self._target is not None
            assert self._first_start is not None
            until = self._first_start + self._services.settings.first_probe_grace_seconds
            self._probes[kind] = asyncio.create_task(
                probes.watch(kind, probe, self._target, self._reporter(kind, probe), self._failed(kind), until))

    def _reporter(self, kind: str, probe: dict[str, Any]) -> Callable[[probes.Result], Any]:
        async def report(result: probes.Result) -> None:
            if kind == "readiness":
                self.ready = result.success
                self._changed()
            elif kind == "startup" and result.success:
                self.started = True
                self.ready = "readinessProbe" not in self.spec
                self._changed()
                self._probe("both")
                self._probes.pop("startup").cancel()
            elif not result.success:
                grace = probe.get("terminationGracePeriodSeconds",
                                  self._pod["spec"].get("terminationGracePeriodSeconds", 30))
                await self._services.event(self._pod, "Killing", f"Container {self.name} failed {kind} probe, "
                                                                 f"will be restarted", container=self.name)
                await self._end(grace)
        return report

    def _failed(self, kind: str) -> Callable[[probes.Result], None]:
        told: set[str] = set()

        def failed(result: probes.Result) -> None:
            # An event for each kind of failure, not for each failure: kubelets count, we don't repeat.
            if result.message not in told:
                told.add(result.message)
                in_background(self._services.event(self._pod, "Unhealthy",
                                                    f"{kind.capitalize()} probe failed: {result.message}",
                                                    container=self.name))
        return failed

    async def stop(self, grace_seconds: float) -> None:
        """For good: preStop, SIGTERM, after the grace SIGKILL; returns when it has ended."""
        self._stopping = True
        for kind in ("startup", "liveness"):
            if kind in self._probes:
                self._probes.pop(kind).cancel()
        await self._end(grace_seconds)

    async def _end(self, grace_seconds: float) -> None:
        running = self._running
        if running is None:
            return
        deadline = asyncio.get_running_loop().time() + grace_seconds
        hook = (self.spec.get("lifecycle") or {}).get("preStop")
        if hook and self._target is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._hook("PreStopHook", hook, self._target)
        self._services.runtime.signal(running, "TERM")
        # A kubelet leaves two seconds after a hook that used up the grace.
        left = max(2.0 if hook else 0.0, deadline - asyncio.get_running_loop().time())
        _, pending = await asyncio.wait((running.exited,), timeout=left)
        if pending:
            self._services.runtime.signal(running, "KILL")
            await asyncio.wait((running.exited,))

    def kill(self) -> None:
        """At once, without asking: the pod is gone from the API."""
        self._stopping = True
        if self._running is not None:
            self._services.runtime.signal(self._running, "KILL")

    async def _hook(self, kind: str, hook: dict[str, Any], target: probes.Target) -> None:
        result = await probes.execute("hook", {**hook, "timeoutSeconds": 3600}, target)
        if not result.success:
            await self._services.event(self._pod, f"Failed{kind}", result.message, container=self.name)


def ports_of(spec: Object) -> list[int]:
    """What the stand-in listens on: declared TCP ports and the numbers that probes and hooks ask for."""
    ports = {int(port["containerPort"]) for port in spec.get("ports") or () if port.get("protocol", "TCP") == "TCP"}
    asked = [spec.get(f"{kind}Probe") or {} for kind in ("startup", "readiness", "liveness")]
    for probe in asked:
        for kind in ("httpGet", "tcpSocket", "grpc"):
            port = (probe.get(kind) or {}).get("port")
            if isinstance(port, int):
                ports.add(port)
    return sorted(ports)


def image_id(image: str) -> str:
    """By digest; without one in the reference, the hash of the reference stands for it."""
    name, _, digest = image.partition("@")
    repository = name.rsplit(":", 1)[0] if ":" in name.rsplit("/", 1)[-1] else name
    if tag_of(image).endswith(REPLACED):
        digest = ""
    return f"{repository}@{digest or f'sha256:{hashlib.sha256(image.encode()).hexdigest()}'}"
