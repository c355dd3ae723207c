"""Doors: a loopback port for each public name, where a request counts as sent to that name.

A browser or `curl` on this machine cannot resolve `api.candlefish.ai`; a door can be used as it is,
`http://127.0.0.1:PORT`. A name keeps its port in the home's `doors.json`.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from aiohttp import web

from rehearsal.serving import Refuse, Server

FILE = "doors.json"
LOOPBACK = "127.0.0.1"
Serve = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


def read(home: Path) -> dict[str, int]:
    """Name → port, as last written; empty before the first door."""
    path = home / FILE
    return dict(json.loads(path.read_text())) if path.exists() else {}


class Doors:
    """serve: gets the request and the door's name. refuse: answers what is no request. shutdown_seconds: for requests
    that are under way at the end."""

    def __init__(self, home: Path, serve: Serve, refuse: Refuse, shutdown_seconds: float = 60.0) -> None:
        self._home, self._serve, self._refuse, self._shutdown_seconds = home, serve, refuse, shutdown_seconds
        self._ports = read(home)
        self._open: dict[str, web.ServerRunner] = {}

    def addresses(self) -> dict[str, str]:
        return {name: f"{LOOPBACK}:{self._ports[name]}" for name in sorted(self._open)}

    async def open(self, names: Iterable[str]) -> None:
        """Those that are open already stay so."""
        for name in sorted(set(names) - set(self._open)):
            await self._open_one(name)

    async def close(self, but: Iterable[str] = ()) -> None:
        for name in sorted(set(self._open) - set(but)):
            await self._open.pop(name).cleanup()

    async def _open_one(self, name: str) -> None:
        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            return await self._serve(request, name)

        runner = web.ServerRunner(Server(serve, self._refuse), shutdown_timeout=self._shutdown_seconds)
        await runner.setup()
        listener = _listener(self._ports.get(name, 0))
        await web.SockSite(runner, listener, backlog=1024).start()
        self._open[name] = runner
        self._ports[name] = listener.getsockname()[1]
        temporary = self._home / f"{FILE}.new"
        temporary.write_text(json.dumps(self._ports, indent=1, sort_keys=True))
        temporary.replace(self._home / FILE)


def _listener(port: int) -> socket.socket:
    """On the port that the name had before, or any free one when another process has taken it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError:
        listener.bind((LOOPBACK, 0))
    return listener
