"""Doors: a loopback port for each name of each distribution, where a request counts as sent to that name.

`curl http://127.0.0.1:PORT/` is enough; a Host header that names another one of the distributions counts as itself, as
at CloudFront's edges. A name keeps its port in the home's `doors.json`.
"""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from aiohttp import web

CONTROL = "/_candlefish/cdn"
FILE = "doors.json"
LOOPBACK = "127.0.0.1"
_SECONDS = 30.0
Serve = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


class EdgeSilent(Exception):
    """CloudFront's data plane does not answer; the text says where it was asked."""


def read(port: int) -> dict[str, str]:
    """Name → `127.0.0.1:PORT`, of what CloudFront has at this moment. port: where the data plane is controlled.
    Raises EdgeSilent."""
    url = f"http://{LOOPBACK}:{port}{CONTROL}"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            return dict(json.load(answer)["doors"])
    except OSError as error:
        raise EdgeSilent(f"CloudFront's data plane does not say its addresses at {url} ({error}); its log is cdn.log "
                         "beside the embedded AWS's; `candlefish rehearse down` and `up` start it anew") from error


class Doors:
    def __init__(self, home: Path, serve: Serve) -> None:
        self._file, self._serve = home / FILE, serve
        self._ports: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._open: dict[str, web.ServerRunner] = {}

    def addresses(self) -> dict[str, str]:
        return {name: f"{LOOPBACK}:{self._ports[name]}" for name in sorted(self._open)}

    async def set(self, names: Iterable[str]) -> None:
        """Opens what is new, closes what no distribution has any more."""
        wanted = set(names)
        for name in [name for name in self._open if name not in wanted]:
            await self._open.pop(name).cleanup()
        for name in sorted(wanted - set(self._open)):
            await self._open_one(name)

    async def close(self) -> None:
        await self.set(())

    async def _open_one(self, name: str) -> None:
        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            return await self._serve(request, name)

        runner = web.ServerRunner(web.Server(serve, access_log=None), shutdown_timeout=1)
        await runner.setup()
        listener = _listener(self._ports.get(name, 0))
        await web.SockSite(runner, listener, backlog=1024).start()
        self._open[name] = runner
        self._ports[name] = listener.getsockname()[1]
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps(self._ports, indent=1, sort_keys=True))
        temporary.replace(self._file)


def _listener(port: int) -> socket.socket:
    """The wanted port, or any free one when another program took it."""
    for wanted in (port, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, wanted))
        except OSError:
            listener.close()
            continue
        return listener
    raise OSError(f"no port of {LOOPBACK} is free")
