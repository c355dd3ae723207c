"""The front door: an HTTP/1.1 reverse proxy that answers as an Application Load Balancer does.

It listens with plain HTTP on loopback, for HTTP and HTTPS listeners alike: TLS ends at the load balancer, and targets
see `X-Forwarded-Proto: https` for an HTTPS listener. Without more, a request goes to the HTTPS listener if there is
one; the header `X-Rehearsal-Listener: 80` chooses another by its port.

A rule behind a sign-in is answered by `authentication`.

Answers of its own: 503 without a registered target, 502 when a target refuses, resets or answers no HTTP, 504 when
none comes within the idle timeout (60 s). A kept-alive connection that the target closed meanwhile is replaced once
for idempotent methods; a POST then gets 502, as nobody knows whether it took effect.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import time
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from rehearsal.kubernetes.loadbalancer import authentication, routing
from rehearsal.kubernetes.loadbalancer.dataplane import DataPlane
from rehearsal.kubernetes.loadbalancer.model import FixedResponse, Forward, Listener, LoadBalancer, Redirect
from rehearsal.kubernetes.loadbalancer.relay import relay
from rehearsal.kubernetes.loadbalancer.targets import Endpoint, Loopback, Target, TargetSet
from rehearsal.serving import Server, is_handshake

HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers",
              "transfer-encoding", "upgrade"}
TARGET_COOKIE, GROUP_COOKIE = "AWSALB", "AWSALBTG"
LISTENER_HEADER = "X-Rehearsal-Listener"
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Chosen:
    """Where a request goes."""

    balancer: LoadBalancer
    listener: Listener
    group: str
    targets: TargetSet
    target: Target
    cookies: dict[str, tuple[str, int]]  # name → value, seconds


class FrontDoor:
    def __init__(self, plane: DataPlane, loopback: Loopback, port: int) -> None:
        self._plane, self._loopback, self._port = plane, loopback, port
        self._session: aiohttp.ClientSession

    async def run(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60), auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None))
        runner = web.ServerRunner(Server(self.serve, own))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port, backlog=1024).start()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()
            await self._session.close()

    async def serve(self, request: web.BaseRequest, host: str = "") -> web.StreamResponse:
        """Answers one request; `host` stands in for its Host header when it came through a door."""
        node = self._plane.next_node()
        name = host or request.host.rsplit(":", 1)[0].lower()
        asked = routing.Request(request.method, name, request.rel_url.raw_path,
                                request.rel_url.raw_query_string, request.headers, request.remote or "127.0.0.1")
        balancers = self._plane.seen(node)
        balancer = routing.choose(balancers.values(), asked, self._plane.hostnames)
        if balancer is None:
            return web.Response(status=503, text="no load balancer exists yet: no Ingress of class alb is ready\n")
        port = request.headers.get(LISTENER_HEADER, "")
        listener = routing.main_listener(balancer, int(port) if port.isdigit() else None)
        if listener is None:
            return web.Response(status=503, text=f"load balancer {balancer.name} has no listener {port}\n")
        rule = routing.rule_for(listener, asked)
        if rule.authenticate is not None:
            refused = authentication.answer(rule.authenticate, asked)
            if refused is not None:
                return web.Response(status=refused[0], headers=refused[1])
        action = rule.action
        if isinstance(action, FixedResponse):
            return web.Response(status=action.status, text=action.body, content_type=action.content_type)
        if isinstance(action, Redirect):
            return web.Response(status=action.status,
                                headers={"Location": routing.location(action, listener, asked)})
        chosen = self._choose(request, self._plane.lag(balancer.group, node), balancer, listener, action)
        if isinstance(chosen, str):
            self._plane.counters.target_failed(balancer.group, chosen, 503)
            return own(503)
        return await self._forward(request, chosen)

    def _choose(self, request: web.BaseRequest, lag: float, balancer: LoadBalancer, listener: Listener,
                action: Forward) -> Chosen | str:
        """The target, or the id of the group that has none."""
        sticky_group = _decoded(request.cookies.get(GROUP_COOKIE)) if action.sticky_seconds else None
        group = self._plane.choose_group(action, str(sticky_group) if sticky_group else None)
        targets = self._plane.target_sets.get(group) if group is not None else None
        if group is None or targets is None:
            return group or ""
        seconds = (int(targets.group.attribute("stickiness.lb_cookie.duration_seconds", "86400"))
                   if targets.group.attribute("stickiness.enabled", "false") == "true" else 0)
        found = _decoded(request.cookies.get(TARGET_COOKIE)) if seconds else None
        endpoint: Endpoint | None = (str(found[0]), int(str(found[1]))) if isinstance(found, list) else None
        target = targets.pick(lag, endpoint)
        if target is None:
            return group
        cookies: dict[str, tuple[str, int]] = {}
        if seconds:
            cookies[TARGET_COOKIE] = (_encoded(list(target.endpoint)), seconds)
        if action.sticky_seconds:
            cookies[GROUP_COOKIE] = (_encoded(group), action.sticky_seconds)
        return Chosen(balancer, listener, group, targets, target, cookies)

    async def _forward(self, request: web.BaseRequest, chosen: Chosen) -> web.StreamResponse:
        target = chosen.target
        task = asyncio.current_task()
        assert task is not None
        target.in_flight += 1
        target.requests.add(task)
        try:
            return await self._exchange(request, chosen)
        except aiohttp.ServerTimeoutError:
            return self._failed(chosen, 504)
        except (aiohttp.ClientError, OSError):
            return self._failed(chosen, 502)
        finally:
            target.in_flight -= 1
            target.requests.discard(task)

    def _failed(self, chosen: Chosen, status: int) -> web.Response:
        self._plane.counters.target_failed(chosen.balancer.group, chosen.group, status)
        return own(status)

    async def _exchange(self, request: web.BaseRequest, chosen: Chosen) -> web.StreamResponse:
        port = self._loopback.loopback(*chosen.target.endpoint)
        if port is None:
            return self._failed(chosen, 502)  # what a connection to a dead pod's address comes to
        headers = _forwarded(request, chosen.listener)
        url = f"http://127.0.0.1:{port}{request.raw_path}"
        started = time.monotonic()
        if is_handshake(request):
            status, answer = await relay(request, self._session, url, headers)
            self._plane.counters.target_answered(chosen.balancer.group, chosen.group, status,
                                                 time.monotonic() - started)
            return answer
        idle = float(chosen.balancer.attribute("idle_timeout.timeout_seconds", "60"))
        async with self._session.request(
                request.method, url, headers=headers, data=request.content if request.body_exists else None,
                allow_redirects=False, skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=idle)) as found:
            answer = web.StreamResponse(status=found.status, reason=found.reason, headers=CIMultiDict(
                (name, value) for name, value in found.headers.items() if name.lower() not in HOP_BY_HOP))
            for name, (value, seconds) in chosen.cookies.items():
                answer.set_cookie(name, value, max_age=seconds, path="/")
            self._plane.counters.target_answered(chosen.balancer.group, chosen.group, found.status,
                                                 time.monotonic() - started)
            await answer.prepare(request)
            try:
                async for chunk in found.content.iter_chunked(CHUNK_BYTES):
                    await answer.write(chunk)
            except aiohttp.ClientError:
                # The answer has begun: all that is left is to break off, so that the client sees it is incomplete.
                if request.transport is not None:
                    request.transport.abort()
                return answer
            await answer.write_eof()
            return answer


def _forwarded(request: web.BaseRequest, listener: Listener) -> CIMultiDict[str]:
    headers = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP
                          and not name.lower().startswith(authentication.CLAIMS_HEADERS))
    source = request.remote or "127.0.0.1"
    before = headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{before}, {source}" if before else source
    headers["X-Forwarded-Proto"] = listener.protocol.lower()
    headers["X-Forwarded-Port"] = str(listener.port)
    headers.setdefault("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{id(request):024x}")
    headers.popall(LISTENER_HEADER, None)
    return headers


def own(status: int) -> web.Response:
    """What the load balancer answers by itself."""
    reason = {400: "Bad Request", 500: "Internal Server Error", 502: "Bad Gateway",
              503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}[status]
    return web.Response(status=status, content_type="text/html", headers={"Server": "awselb/2.0"},
                        text=f"<html><head><title>{status} {reason}</title></head><body>{reason}</body></html>\n")


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _decoded(text: str | None) -> str | list[object] | None:
    """What a cookie of ours holds; one that a client made up counts as none."""
    if not text:
        return None
    with contextlib.suppress(ValueError, binascii.Error):
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if isinstance(found, str) or (isinstance(found, list) and len(found) == 2):
            return found
    return None
