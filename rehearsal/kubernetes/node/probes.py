"""Probes as a kubelet runs them: initial delay, period, timeout, thresholds.

httpGet: success is a status from 200 to 399. `scheme: HTTPS` is asked as HTTP, because stand-ins have no certificate.
tcpSocket, grpc: success is a connection. exec: see `commands.run`; a command that is not known counts as success,
because the stand-in can't contradict it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.kubernetes.node.addresses import Addresses
from rehearsal.kubernetes.standin import commands
from rehearsal.kubernetes.standin.service import PROBE_HEADER

RETRY_SECONDS = 0.05


@dataclass(frozen=True)
class Result:
    success: bool
    message: str  # as in the kubelet's events: "HTTP probe failed with statuscode: 503"


@dataclass(frozen=True)
class Timing:
    initial_delay_seconds: float
    period_seconds: float
    timeout_seconds: float
    success_threshold: int
    failure_threshold: int

    @classmethod
    def of(cls, probe: dict[str, Any]) -> Timing:
        return cls(probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10), probe.get("timeoutSeconds", 1),
                   probe.get("successThreshold", 1), probe.get("failureThreshold", 3))


@dataclass(frozen=True)
class Target:
    """Whom probes and hooks of one container talk to."""

    address: str
    ports: dict[str, int]  # name → container port
    environment: dict[str, str]
    addresses: Addresses

    def loopback(self, port: int | str) -> int | None:
        number = self.ports.get(port) if isinstance(port, str) else port
        return None if number is None else self.addresses.loopback(self.address, number)


async def execute(kind: str, probe: dict[str, Any], target: Target) -> Result:
    """One attempt of a probe (or of a hook, `kind` "hook")."""
    timeout = Timing.of(probe).timeout_seconds
    try:
        async with asyncio.timeout(timeout):
            return await _attempt(kind, probe, target)
    except TimeoutError:
        return Result(False, f"no answer within {timeout:g} s (timeout exceeded)")
    except OSError as error:
        return Result(False, f"dial tcp {target.address}: {error.strerror or error}")


async def _attempt(kind: str, probe: dict[str, Any], target: Target) -> Result:
    if "httpGet" in probe:
        ask = probe["httpGet"]
        port = target.loopback(ask["port"])
        if port is None:
            return Result(False, f"dial tcp {target.address}:{ask['port']}: connect: connection refused")
        status = await _get(port, ask.get("path", "/"), kind, ask.get("httpHeaders") or ())
        return Result(200 <= status < 400, f"HTTP probe failed with statuscode: {status}")
    if "tcpSocket" in probe or "grpc" in probe:
        asked = (probe.get("tcpSocket") or probe["grpc"])["port"]
        port = target.loopback(asked)
        if port is None:
            return Result(False, f"dial tcp {target.address}:{asked}: connect: connection refused")
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return Result(True, "")
    if "exec" in probe:
        said: list[str] = []
        code = await commands.run(probe["exec"].get("command") or [], target.environment, said.append)
        return Result(not code, f"command ended with {code}: {' '.join(said)[-200:]}")
    if "sleep" in probe:
        await asyncio.sleep(probe["sleep"]["seconds"])
    return Result(True, "")


async def _get(port: int, path: str, kind: str, headers: Any) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        more = "".join(f"{header['name']}: {header['value']}\r\n" for header in headers)
        if kind != "hook":
            more += f"{PROBE_HEADER}: {kind}\r\n"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: kube-probe/1.36\r\n{more}"
                     f"Connection: close\r\n\r\n".encode())
        line = await reader.readline()
    finally:
        writer.close()
    words = line.split()
    if len(words) < 2:
        raise ConnectionResetError("EOF")
    return int(words[1])


async def watch(kind: str, probe: dict[str, Any], target: Target,
                report: Callable[[Result], Awaitable[None]], failed: Callable[[Result], None],
                lenient_until: float) -> None:
    """Runs for the container's life. `report` hears each change of state past its threshold, `failed` each failure.

    A failure before `lenient_until` (the loop's clock) does not count and is tried again at once: the stand-in is
    about to listen, and a probe's period would be a wait that no real image has.
    """
    timing = Timing.of(probe)
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(timing.initial_delay_seconds)
    run, last, told = 0, None, None
    while True:
        started = clock()
        result = await execute(kind, probe, target)
        if not result.success and told is None and clock() < lenient_until:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if not result.success:
            failed(result)
        run = run + 1 if result.success == last else 1
        last = result.success
        needed = timing.success_threshold if result.success else timing.failure_threshold
        if run >= needed and result.success != told:
            told = result.success
            await report(result)
        await asyncio.sleep(max(0.0, timing.period_seconds - (clock() - started)))
