"""The kubelet's own HTTPS endpoint, for what the API server passes on: `kubectl logs`, port-forwards."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from aiohttp import web

from rehearsal.kubernetes.node import forward
from rehearsal.kubernetes.node.kubelet import Kubelet
from rehearsal.kubernetes.node.pod import Pod

POLL_SECONDS = 0.2  # of a followed log


class Endpoint:
    """One for all nodes: a pod is found by namespace and name."""

    def __init__(self, kubelet: Kubelet, tls: ssl.SSLContext, port: int) -> None:
        self._kubelet = kubelet
        self._tls = tls
        self._port = port

    async def run(self) -> None:
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        app.router.add_get("/portForward/{namespace}/{pod}", self._forward)
        app.router.add_route("*", "/{what:(exec|attach|portForward)}/{rest:.*}", self._unsupported)
        app.router.add_get("/healthz", self._healthy)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    @staticmethod
    async def _healthy(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    @staticmethod
    async def _unsupported(request: web.Request) -> web.Response:
        return web.Response(status=501, text=f"{request.match_info['what']} is not supported: containers are stand-in "
                                             f"processes of the rehearsal, there is nothing inside to run")

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        pod, port = self._pod(namespace, name), request.query.get("port", "")
        if pod is None or not port.isdigit():
            return web.Response(status=404 if pod is None else 400,
                                text=f"pod {namespace}/{name} is not here, or port {port!r} is none")
        places = {inside: outside for each in pod.containers for inside, outside in each.loopback_ports.items()}
        return await forward.serve(request, int(port), places.get(int(port)))

    def _pod(self, namespace: str, name: str) -> Pod | None:
        return next((each for each in self._kubelet.pods.values()
                     if each.object["metadata"]["namespace"] == namespace
                     and each.object["metadata"]["name"] == name), None)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        pod = self._pod(namespace, name)
        container = pod.container(request.match_info["container"]) if pod is not None else None
        if container is None:
            return web.Response(status=404, text=f"pod {namespace}/{name} has no such container here")
        restart = container.restarts - (1 if request.query.get("previous") == "true" else 0)
        file = container.log_file(restart)
        if restart < 0 or not file.exists():
            return web.Response(status=400, text=f"container {container.name!r} in pod {name!r} has not written a log: "
                                                 f"{container.state}")
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        at = 0
        text, at = _read(file, at)
        lines = text.splitlines(keepends=True)
        tail = request.query.get("tailLines")
        await answer.write("".join(lines[-int(tail):] if tail and int(tail) else [] if tail else lines).encode())
        while request.query.get("follow") == "true" and container.running:
            await asyncio.sleep(POLL_SECONDS)
            text, at = _read(file, at)
            if text:
                await answer.write(text.encode())
        await answer.write_eof()
        return answer


def _read(file: Path, at: int) -> tuple[str, int]:
    with open(file, "rb") as log:
        log.seek(at)
        data = log.read()
    return data.decode(errors="replace"), at + len(data)
