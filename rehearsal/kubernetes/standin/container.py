"""One container as a task: sockets that are bound already, a service or a command, an exit code."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any, TextIO

from rehearsal.kubernetes.standin import behaviour as knobs
from rehearsal.kubernetes.standin import commands
from rehearsal.kubernetes.standin.protocol import Connection
from rehearsal.kubernetes.standin.service import Identity, Service, maintenance_page

EXIT_OUT_OF_MEMORY = 137
EXIT_KILLED = -9
MIB = 1024 * 1024


@dataclass(frozen=True)
class Start:
    """The node's order. `ports` are the container's; what they are bound to on loopback is the host's answer."""

    id: str
    image: str
    log: str  # path
    ends: bool = False  # a command that is to end, instead of a service
    ports: list[int] = field(default_factory=list)
    command: list[str] = field(default_factory=list)  # of a container that ends: command and arguments
    environment: dict[str, str] = field(default_factory=dict)
    pod: str = ""
    service: str = ""
    color: str = ""
    probe_paths: dict[str, list[str]] = field(default_factory=dict)
    drain_paths: list[str] = field(default_factory=list)
    memory_limit_bytes: int | None = None


class Container:
    def __init__(self, start: Start, sockets: list[socket.socket], log: TextIO) -> None:
        self._start = start
        self._sockets = sockets
        self._log = log
        self._stop = asyncio.Event()
        self._connections: set[Connection] = set()

    def terminate(self) -> None:
        """SIGTERM: no new connections, current requests finish, then exit code 0 (143 for a command)."""
        self._stop.set()

    async def run(self) -> int:
        """Until it ends; returns the exit code."""
        try:
            version, behaviour = knobs.parse(self._start.image, self._start.environment)
        except ValueError as error:
            print(f"cannot start: {error}", file=self._log, flush=True)
            return 2
        identity = Identity(self._start.service, version, self._start.color, self._start.pod)
        service = Service(identity, behaviour, self._start.probe_paths, self._start.drain_paths, self._log,
                          maintenance_page(self._start.image, self._start.environment))
        work = self._command(behaviour) if self._start.ends else self._serve(service)
        task = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            task.cancel()
            if self._start.ends:
                return 143
            service.write("info", "SIGTERM: draining", connections=len(self._connections))
            await self._drain(service)
            return 0
        finally:
            task.cancel()
            stopping.cancel()
            for connection in list(self._connections):
                connection.abort()
            for listening in self._sockets:
                listening.close()

    async def _command(self, behaviour: knobs.Behaviour) -> int:
        def say(line: str) -> None:
            print(line, file=self._log, flush=True)

        await asyncio.sleep(behaviour.run_seconds)
        if behaviour.crash_after_seconds >= 0:
            say(f"the behaviour of this stand-in is to end with {behaviour.exit_code}")
            return behaviour.exit_code
        sockets = dict(zip(self._start.ports, self._sockets, strict=True))
        code = await commands.run(self._start.command, self._start.environment, say, sockets)
        if code is None:
            say(f"stand-in of {self._start.image}: {self._start.command} was not run, taken as done")
        return code or 0

    async def _serve(self, service: Service) -> int:
        await asyncio.sleep(service.behaviour.start_seconds)
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            await loop.create_server(lambda: Connection(service, self._connections), sock=listening, backlog=1024)
        service.write("info", "listening", ports=self._start.ports, version=service.identity.version)
        watching = asyncio.ensure_future(self._drain_on_request(service))
        try:
            return await self._live(service)
        finally:
            watching.cancel()

    async def _live(self, service: Service) -> int:
        spoken = 0.0
        while True:
            now, behaviour = service.telemetry.age_seconds, service.behaviour
            limit = self._start.memory_limit_bytes
            if limit is not None and behaviour.memory_mib_per_minute and (
                    service.telemetry.memory_mib(behaviour) * MIB >= limit):
                service.write("critical", "out of memory", limitBytes=limit)
                return EXIT_OUT_OF_MEMORY
            if 0 <= behaviour.crash_after_seconds <= now:
                service.write("critical", "crash", exitCode=behaviour.exit_code)
                return behaviour.exit_code
            if behaviour.critical_log_seconds and now - spoken >= behaviour.critical_log_seconds:
                spoken = now
                service.write("critical", "unhandled exception in request")
            await asyncio.sleep(self._until_next(service))

    @staticmethod
    def _until_next(service: Service) -> float:
        behaviour = service.behaviour
        if behaviour.crash_after_seconds >= 0:
            return min(1.0, max(0.0, behaviour.crash_after_seconds - service.telemetry.age_seconds))
        return 1.0

    async def _drain_on_request(self, service: Service) -> None:
        await service.draining.wait()
        for connection in list(self._connections):
            connection.drain()

    async def _drain(self, service: Service) -> None:
        for listening in self._sockets:
            asyncio.get_running_loop().remove_reader(listening)
            listening.close()
        service.draining.set()
        for connection in list(self._connections):
            connection.drain()
        while self._connections:
            await asyncio.sleep(0.01)


def sockets_for(ports: list[int]) -> tuple[list[socket.socket], dict[str, int]]:
    """A bound loopback socket for each container port, not listening yet, and container port → loopback port."""
    sockets, bound = [], {}
    for port in ports:
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
        sockets.append(one)
        bound[str(port)] = one.getsockname()[1]
    return sockets, bound


def order(message: dict[str, Any]) -> Start:
    return Start(**message)
