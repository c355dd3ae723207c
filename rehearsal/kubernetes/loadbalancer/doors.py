"""Doors: a loopback port for each public name, where requests count as sent to that name.

A browser or `curl` on this machine cannot resolve `api.candlefish.ai` to the front door; a door can be used as it is,
`http://127.0.0.1:PORT`. `doors.json` in the agent's home says which name has which port; a name keeps its port.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from aiohttp import web

from rehearsal.kubernetes.loadbalancer.dataplane import DataPlane
from rehearsal.kubernetes.loadbalancer.model import LoadBalancer

FILE = "doors.json"
Serve = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


def read(home: Path) -> dict[str, int]:
    """Name → port, as last written; empty before the first load balancer."""
    path = home / FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}


class Doors:
    """Opens a door for every name without wildcard in the load balancers' rules. Doors stay open until the end."""

    def __init__(self, plane: DataPlane, serve: Serve, home: Path) -> None:
        self._plane, self._serve, self._home = plane, serve, home
        self._ports = read(home)
        self._open: dict[str, web.ServerRunner] = {}

    async def run(self) -> None:
        try:
            while True:
                self._plane.reconfigured.clear()
                for name in sorted(names(self._plane.balancers) - set(self._open)):
                    await self._open_door(name)
                await self._plane.reconfigured.wait()
        finally:
            for runner in self._open.values():
                await runner.cleanup()

    async def _open_door(self, name: str) -> None:
        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            return await self._serve(request, name)

        runner = web.ServerRunner(web.Server(serve, access_log=None))
        await runner.setup()
        listener = _listener(self._ports.get(name, 0))
        await web.SockSite(runner, listener, backlog=1024).start()
        self._open[name] = runner
        self._ports[name] = listener.getsockname()[1]
        temporary = self._home / f"{FILE}.new"
        temporary.write_text(json.dumps(self._ports, indent=1, sort_keys=True))
        temporary.replace(self._home / FILE)


def names(balancers: Mapping[str, LoadBalancer]) -> set[str]:
    """Host names that the rules of all listeners name in full."""
    found = {value.lower() for balancer in balancers.values() for value in _hosts(balancer)}
    return {name for name in found if not set("*?") & set(name)}


def _hosts(balancer: LoadBalancer) -> Iterable[str]:
    for listener in balancer.listeners:
        for rule in listener.rules:
            for condition in rule.conditions:
                if condition.field == "host-header":
                    yield from condition.values


def _listener(port: int) -> socket.socket:
    """On the port that the name had before, or any free one when another process has taken it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    return listener
