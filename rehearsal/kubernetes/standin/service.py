"""The service of one container: what its paths answer. The wire is `protocol`."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from rehearsal.kubernetes.standin import behaviour as knobs
from rehearsal.kubernetes.standin.telemetry import Telemetry

OWN_PATHS = "/-/"  # the node's own questions; refused when they came through a load balancer
FRONT_DOOR_HEADERS = ("x-forwarded-for", "x-amzn-trace-id")
PROBE_HEADER = "x-standin-probe"  # which probe asks, as two of them may share a path


@dataclass(frozen=True)
class Identity:
    service: str
    version: str
    color: str
    pod: str


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def maintenance_page(image: str, environment: Mapping[str, str]) -> Answer | None:
    """What an image of the name `maintenance` answers to everything but its probes, as images/maintenance does."""
    if image.split("@")[0].rsplit("/", 1)[-1].split(":")[0] != "maintenance":
        return None
    return Answer(503, b"<h1>Back soon</h1>", "text/html",
                  (("Retry-After", environment.get("RETRY_AFTER_SECONDS", "")), ("Cache-Control", "no-store")))


@dataclass
class Service:
    identity: Identity
    behaviour: knobs.Behaviour
    probe_paths: dict[str, list[str]]  # "readiness" → paths
    drain_paths: list[str] = field(default_factory=list)  # a preStop hook that asks the service to drain
    log: TextIO = sys.stdout
    page: Answer | None = None  # instead of a service
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        who = self.identity
        seed = random.Random(f"{self.behaviour.seed}:{who.pod}").getrandbits(32)
        self.telemetry = Telemetry({"service": who.service, "version": who.version, "color": who.color}, seed)
        self._random = random.Random(seed)

    def write(self, level: str, message: str, **more: Any) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        print(json.dumps({"time": f"{stamp}Z", "level": level, "message": message, **more}), file=self.log, flush=True)

    async def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path = target.split("?", 1)[0]
        started = time.monotonic()
        if path.startswith(OWN_PATHS) and not any(name in headers for name in FRONT_DOOR_HEADERS):
            return self._own(method, path, body)
        if path in self.drain_paths:
            self.draining.set()
            return self._say({"draining": True})
        kind = self._probe(path, headers)
        if kind is not None:
            return self._say({"status": "failing"}, 503) if self._failing(kind) else self._say({"status": "ok"})
        if path in ("/api/metrics", "/metrics"):
            return Answer(200, self.telemetry.prometheus(self.behaviour).encode(), "text/plain; version=0.0.4")
        answer = self.page or await self._public(path)
        self.telemetry.count(method, answer.status, time.monotonic() - started)
        return answer

    async def _public(self, path: str) -> Answer:
        active = self.telemetry.age_seconds >= self.behaviour.fail_after_seconds
        if active and self.behaviour.latency_ms:
            factor = self._random.lognormvariate(0, self.behaviour.latency_sigma)
            await asyncio.sleep(self.behaviour.latency_ms * factor / 1000)
        if active and self._random.random() < self.behaviour.error_rate:
            self.write("error", "request failed", path=path)
            return self._say({"error": "internal error"}, 500)
        if path == "/api/animation/status":
            healthy = not active or self.behaviour.animation_status == "healthy"
            return self._say({"status": "healthy" if healthy else self.behaviour.animation_status,
                              "fps": round(self.telemetry.fps(self.behaviour), 1)}, 200 if healthy else 503)
        return self._say({})

    def _say(self, more: dict[str, Any], status: int = 200) -> Answer:
        who = self.identity
        return Answer(status, json.dumps({"service": who.service, "version": who.version, "color": who.color,
                                          "pod": who.pod, **more}).encode())

    def _own(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/-/usage":
            return Answer(200, json.dumps({
                "cpuMillicores": self.telemetry.cpu_millicores(self.behaviour),
                "memoryMebibytes": self.telemetry.memory_mib(self.behaviour)}).encode())
        if path == "/-/behaviour" and method in ("GET", "PUT"):
            if method == "PUT":
                try:
                    self.behaviour = knobs.changed(self.behaviour, json.loads(body))
                except ValueError as error:
                    return Answer(400, json.dumps({"error": str(error)}).encode())
            return Answer(200, json.dumps(vars(self.behaviour)).encode())
        return Answer(404, b'{"error": "not one of /-/usage, /-/behaviour"}')

    def _probe(self, path: str, headers: dict[str, str]) -> str | None:
        asked = headers.get(PROBE_HEADER)
        if asked is not None:
            return asked
        kinds = [kind for kind, paths in self.probe_paths.items() if path in paths]
        return next((kind for kind in kinds if self._failing(kind)), kinds[0] if kinds else None)

    def _failing(self, kind: str) -> bool:
        return (kind in self.behaviour.fail_probes
                and self.telemetry.age_seconds >= self.behaviour.fail_after_seconds)
