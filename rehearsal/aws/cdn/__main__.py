"""`python -m rehearsal.aws.cdn`: serves until SIGTERM. Started by `rehearsal.aws.servers`.

GET /_candlefish/cdn on its own port: {"doors": {name: address}, "distributions": [...]}, of what CloudFront has when it
is asked. Of each behaviour it tells the viewer protocol policy, which loopback does not act out.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from rehearsal.aws.cdn import viewer
from rehearsal.aws.cdn.doors import CONTROL
from rehearsal.aws.cdn.edge import Edge
from rehearsal.aws.cdn.functions import Functions
from rehearsal.aws.cdn.messages import Response, own
from rehearsal.aws.cdn.model import Distribution
from rehearsal.aws.cdn.names import Names
from rehearsal.aws.cdn.origins import Origins, Unreachable
from rehearsal.aws.cdn.store import Store
from rehearsal.aws.cdn.watch import Watch
from rehearsal.aws.clients import Clients
from rehearsal.aws.kept import GatewayKept
from rehearsal.doors import LOOPBACK, Doors
from rehearsal.serving import is_handshake


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.aws.cdn")
    for option in ("--port", "--gateway"):
        parser.add_argument(option, type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options.port, options.gateway, options.home))


async def _serve(port: int, gateway: int, home: Path) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    home.mkdir(parents=True, exist_ok=True)
    async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30), auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None)) as session:
        plane = DataPlane(session, f"http://{LOOPBACK}:{gateway}", gateway, home)
        runner = web.ServerRunner(web.Server(plane.control, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port, shutdown_timeout=1).start()
        following = asyncio.create_task(plane.watch.run())
        ended = asyncio.create_task(stopped.wait())
        await asyncio.wait([following, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in (following, ended):
            task.cancel()
        await plane.doors.close()
        await runner.cleanup()
        if following.done() and not following.cancelled():
            following.result()  # it never ends by itself: what ended it is in the log


class DataPlane:
    """Every distribution of every account of the embedded AWS."""

    def __init__(self, session: aiohttp.ClientSession, url: str, gateway: int, home: Path) -> None:
        clients = Clients(url).shared
        store = Store()
        names = Names(clients, GatewayKept(LOOPBACK, gateway), url)
        self._edge = Edge(Origins(session, names, clients, url), Functions(clients), store)
        self.doors = Doors(home, self.serve, _refused, shutdown_seconds=1)
        self.watch = Watch(session, url, clients, store, self._changed, names.forget)
        self._by_name: dict[str, Distribution] = {}

    async def control(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != CONTROL or request.method != "GET":
            return web.json_response({"message": f"only GET {CONTROL}"}, status=404)
        await self.watch.current()
        found = {each.id: each for each in self._by_name.values()}
        return web.json_response({"doors": self.doors.addresses(), "distributions": [
            {"id": each.id, "account": each.account, "names": each.names, "enabled": each.enabled, "behaviours": [
                {"path": one.pattern, "target": one.target, "viewerProtocolPolicy": one.viewer_protocol_policy}
                for one in each.behaviours]} for each in found.values()]})

    async def serve(self, request: web.BaseRequest, door: str) -> web.StreamResponse:
        named = request.headers.get("Host", "").rsplit(":", 1)[0].lower()
        host = named if named in self._by_name else door
        asked = await viewer.request(request, host)
        distribution = self._by_name.get(host)
        if distribution is None:
            return await viewer.write(request, own(403, f"No distribution has the name {host}.", asked.id))
        if is_handshake(request):
            relayed = await self._edge.websocket(distribution, asked, request)
            if not isinstance(relayed, Response):
                return relayed
            response = relayed
        else:
            response = await self._edge.answer(distribution, asked)
        viewer.finish(distribution, asked, response)
        try:
            return await viewer.write(request, response)
        except Unreachable:
            # The answer has begun: all that is left is to break off, so that the viewer sees it is incomplete.
            if request.transport is not None:
                request.transport.abort()
            raise

    async def _changed(self, distributions: Sequence[Distribution]) -> None:
        """Of two distributions with one name, which CloudFront itself refuses, the first has it."""
        by_name: dict[str, Any] = {}
        for each in distributions:
            for name in each.names:
                by_name.setdefault(name, each)
        self._by_name = by_name
        await self.doors.close(but=by_name)
        await self.doors.open(by_name)


def _refused(status: int) -> web.Response:
    page = own(status, "Bad request. We can't connect to the server for this app or website at this time.", uuid4().hex)
    assert isinstance(page.body, bytes)
    return web.Response(status=status, headers=page.headers, body=page.body)


if __name__ == "__main__":
    main()
