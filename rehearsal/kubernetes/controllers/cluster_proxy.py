"""The names inside the cluster: an HTTP proxy that knows Services, for the stand-ins' own requests.

`http://{service}[.{namespace}[.svc[.cluster.local]]]:{port}/` goes to a ready endpoint of the Service as its selector
is at that moment, in turn. The user of the proxy's credentials is the caller's namespace, for names without one.
Answers of its own, with the reason as text: 502 when the endpoint does not answer, 503 without a ready endpoint (a
connection would be refused in a cluster), 404 for a name or port that no Service has, 403 for hosts outside.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import Counter
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from rehearsal.kubernetes.controllers.informer import Informer
from rehearsal.kubernetes.loadbalancer.endpoints import endpoints_of
from rehearsal.kubernetes.loadbalancer.targets import Endpoint, Loopback

TIMEOUT_SECONDS = 60.0
_SKIPPED = {"proxy-authorization", "proxy-connection", "connection", "keep-alive", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Unresolved(Exception):
    status: int
    reason: str


class ClusterProxy:
    def __init__(self, services: Informer, slices: Informer, loopback: Loopback, port: int) -> None:
        self._services, self._slices, self._loopback, self._port = services, slices, loopback, port
        self._turn: Counter[tuple[str, str, str]] = Counter()
        self._session: aiohttp.ClientSession

    async def run(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        runner = web.ServerRunner(web.Server(self._serve, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()
            await self._session.close()

    def resolve(self, host: str, port: int, namespace: str) -> Endpoint:
        """A ready endpoint of the Service. Raises Unresolved."""
        parts = host.removesuffix(".cluster.local").removesuffix(".svc").split(".")
        if len(parts) > 2:
            raise Unresolved(403, f"{host} is not a name of the cluster; nothing outside it can be reached")
        name, space = parts[0], parts[1] if len(parts) == 2 else namespace
        service = self._services.get(space, name)
        if service is None:
            raise Unresolved(404, f"there is no service {name} in namespace {space}")
        if str(port) not in [str(each["port"]) for each in service["spec"].get("ports") or ()]:
            raise Unresolved(404, f"service {space}/{name} has no port {port}")
        endpoints = endpoints_of(service, str(port), self._slices.items.values())
        if not endpoints:
            raise Unresolved(503, f"service {space}/{name} has no ready endpoint for port {port}")
        self._turn[space, name, str(port)] += 1
        return endpoints[self._turn[space, name, str(port)] % len(endpoints)]

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        # Not `request.host`: of a URL in its absolute form, as proxies get it, aiohttp takes the host without the port.
        host, _, port = request.headers.get("Host", request.host).partition(":")
        try:
            if host in ("127.0.0.1", "localhost"):
                address = f"{host}:{port}" if port else host
            else:
                endpoint = self.resolve(host, int(port or 80), _user(request))
                bound = self._loopback.loopback(*endpoint)
                if bound is None:
                    raise Unresolved(502, f"{endpoint[0]}:{endpoint[1]} refuses connections")
                address = f"127.0.0.1:{bound}"
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _SKIPPED}
            async with self._session.request(
                    request.method, f"http://{address}{request.rel_url.raw_path_qs}", headers=headers,
                    data=await request.read(), allow_redirects=False) as found:
                return web.Response(status=found.status, body=await found.read(), headers={
                    name: value for name, value in found.headers.items()
                    if name.lower() not in (*_SKIPPED, "content-length")})
        except Unresolved as unresolved:
            return web.Response(status=unresolved.status, text=f"{unresolved.reason}\n")
        except (aiohttp.ClientError, OSError) as error:
            return web.Response(status=502, text=f"{host}: {error!r}\n")


def _user(request: web.BaseRequest) -> str:
    kind, _, credentials = request.headers.get("Proxy-Authorization", "").partition(" ")
    if kind != "Basic":
        return "default"
    try:
        return base64.b64decode(credentials).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return "default"
