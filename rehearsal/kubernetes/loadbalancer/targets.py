"""The targets of one target group: registration, health, draining."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from rehearsal.kubernetes.loadbalancer.model import HealthCheck, TargetGroup

log = logging.getLogger(__name__)

Endpoint: TypeAlias = tuple[str, int]  # address of the pod range, port
DEREGISTRATION_SECONDS = "300"  # ELBv2's default


class Loopback(Protocol):
    def loopback(self, address: str, port: int) -> int | None: ...


class Health(StrEnum):
    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


@dataclass(eq=False)
class Target:
    endpoint: Endpoint
    registered: float  # the loop's clock
    deregistered: float | None = None
    health: Health = Health.INITIAL
    in_flight: int = 0
    requests: set[asyncio.Task[object]] = field(default_factory=set)
    checking: asyncio.Task[None] | None = None
    reason: str = ""

    def visible(self, now: float, lag: float) -> bool:
        """Whether a load balancer node that is `lag` seconds behind takes it for a target."""
        return self.registered + lag <= now and (self.deregistered is None or now < self.deregistered + lag)


class TargetSet:
    """Call `set_endpoints` with what should be registered. `changed` is called when a target's health changed; `lag`
    says how many seconds the slowest node is behind."""

    def __init__(self, group: TargetGroup, loopback: Loopback, changed: Callable[[], None],
                 lag: Callable[[], float] = lambda: 0.0) -> None:
        self.group = group
        self.targets: dict[Endpoint, Target] = {}
        self.leaving: list[Target] = []
        self._loopback = loopback
        self._changed = changed
        self._lag = lag
        self._turn = 0

    def set_endpoints(self, endpoints: Iterable[Endpoint]) -> None:
        wanted = set(endpoints)
        now = asyncio.get_running_loop().time()
        for endpoint in [each for each in self.targets if each not in wanted]:
            target = self.targets.pop(endpoint)
            target.deregistered, target.health = now, Health.DRAINING
            if target.checking is not None:
                target.checking.cancel()
            target.checking = asyncio.create_task(self._leave(target))
            self.leaving.append(target)
        for endpoint in sorted(wanted - self.targets.keys()):
            target = self.targets[endpoint] = Target(endpoint, now)
            target.checking = asyncio.create_task(self._check(target))

    def close(self) -> None:
        for target in (*self.targets.values(), *self.leaving):
            if target.checking is not None:
                target.checking.cancel()

    def pick(self, lag: float, sticky: Endpoint | None) -> Target | None:
        """The target for a request, or None when none is registered.

        Unhealthy ones are used only when there is no healthy one (ELBv2 fails open).
        """
        now = asyncio.get_running_loop().time()
        seen = [each for each in (*self.targets.values(), *self.leaving) if each.visible(now, lag)]
        usable = [each for each in seen if each.health is Health.HEALTHY or (
            each.health is Health.DRAINING and lag)] or seen
        if not usable:
            return None
        if sticky is not None:
            kept = next((each for each in usable if each.endpoint == sticky), None)
            if kept is not None:
                return kept
        if self.group.attribute("load_balancing.algorithm.type", "round_robin") == "least_outstanding_requests":
            return min(usable, key=lambda each: each.in_flight)
        self._turn += 1
        return usable[self._turn % len(usable)]

    def count(self, health: Health) -> int:
        return sum(each.health is health for each in self.targets.values())

    async def _leave(self, target: Target) -> None:
        delay = float(self.group.attribute("deregistration_delay.timeout_seconds", DEREGISTRATION_SECONDS))
        await asyncio.sleep(delay)
        for request in list(target.requests):
            request.cancel()  # ELBv2 closes what is still open after the delay
        # A node that has not heard of it yet still sends requests there, whatever has become of the target.
        await asyncio.sleep(max(0.0, self._lag() - delay))
        self.leaving.remove(target)
        self._changed()

    async def _check(self, target: Target) -> None:
        """One success makes a new target healthy; later the thresholds count."""
        passed = failed = 0
        while True:
            health = self.group.health
            success, target.reason = await self._probe(health, target)
            passed, failed = (passed + 1, 0) if success else (0, failed + 1)
            before = target.health
            if success and (before is Health.INITIAL or passed >= health.healthy_threshold):
                target.health = Health.HEALTHY
            elif not success and failed >= health.unhealthy_threshold:
                target.health = Health.UNHEALTHY
            if target.health is not before:
                log.info("%s %s:%d %s %s", self.group.name, *target.endpoint, target.health, target.reason)
                self._changed()
            # A stand-in that is not listening yet is asked again soon: its start is shorter than any interval.
            soon = target.health is Health.INITIAL and not success
            await asyncio.sleep(0.1 if soon else health.interval_seconds)

    async def _probe(self, health: HealthCheck, target: Target) -> tuple[bool, str]:
        address, port = target.endpoint
        checked = port if health.port == "traffic-port" else int(health.port)
        loopback = self._loopback.loopback(address, checked)
        if loopback is None:
            return False, "Target.FailedHealthChecks"
        try:
            async with asyncio.timeout(health.timeout_seconds):
                status = await _get(loopback, health.path)
        except TimeoutError:
            return False, "Target.Timeout"
        except OSError:
            return False, "Target.FailedHealthChecks"
        accepted = health.accepts(status)
        return accepted, "" if accepted else "Target.ResponseCodeMismatch"


async def _get(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
                     f"Connection: close\r\n\r\n".encode())
        words = (await reader.readline()).split()
    finally:
        writer.close()
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionResetError("closed without an answer")
    return int(words[1])
