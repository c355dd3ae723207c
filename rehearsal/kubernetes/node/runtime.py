"""The container runtime: starts and stops stand-ins through one host process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from rehearsal.kubernetes.standin.container import Start
from rehearsal.kubernetes.standin.psql import CONNECTIONS

ROOT = Path(__file__).resolve().parents[3]


class Isolation(StrEnum):
    PROCESS = "process"  # one process a container
    TASK = "task"  # all in one process: several hundred pods on a small machine


@dataclass(frozen=True)
class Exit:
    code: int  # as a shell shows it: 128 + signal when a signal ended it
    signal: int
    out_of_memory: bool = False


@dataclass
class Running:
    """A started container. `exited` is done when it has ended."""

    id: str
    pid: int = 0
    ports: dict[int, int] = field(default_factory=dict)  # container port → loopback port
    exited: asyncio.Future[Exit] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    started: asyncio.Event = field(default_factory=asyncio.Event)


class Runtime:
    def __init__(self, isolation: Isolation, connections: Path | None = None) -> None:
        """connections: where database instances answer (see `standin.psql`)."""
        self._isolation = isolation
        self._connections = {CONNECTIONS: str(connections)} if connections else {}
        self._process: asyncio.subprocess.Process | None = None
        self._containers: dict[str, Running] = {}

    async def run(self) -> None:
        """Keeps the host process until cancelled; then every container is killed with it."""
        while True:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "rehearsal.kubernetes.standin.host", "--isolation", self._isolation.value,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
                env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **self._connections})
            try:
                await self._events(self._process)
            finally:
                if self._process.stdin is not None:
                    self._process.stdin.close()
                self._lose_all()
            await self._process.wait()

    async def _events(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            event = json.loads(line)
            if "started" in event:
                running = self._containers.get(event["started"])
                if running is not None:
                    running.pid = event["pid"]
                    running.ports = {int(port): bound for port, bound in event["ports"].items()}
                    running.started.set()
            else:
                running = self._containers.pop(event["exited"], None)
                if running is not None:
                    self._end(running, event["code"], event["signal"])

    @staticmethod
    def _end(running: Running, code: int, signal: int) -> None:
        running.started.set()
        if not running.exited.done():
            running.exited.set_result(Exit(code if not signal else 128 + signal, signal, not signal and code == 137))

    def _lose_all(self) -> None:
        for running in self._containers.values():
            self._end(running, 0, 9)
        self._containers.clear()

    async def start(self, start: Start) -> Running:
        """Returns when the container's ports are bound; connections are refused until it listens."""
        while self._process is None or self._process.returncode is not None:
            await asyncio.sleep(0.02)
        running = self._containers[start.id] = Running(start.id)
        self._order({"start": asdict(start)})
        await running.started.wait()
        return running

    def signal(self, running: Running, name: str) -> None:
        """`name` is TERM or KILL. Nothing happens when it has ended already."""
        if not running.exited.done():
            self._order({"signal": name, "id": running.id})

    def _order(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
