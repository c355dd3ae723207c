"""metrics.k8s.io: what the stand-ins report as their usage, so that HPAs and `kubectl top` work.

Served over TLS and registered with the API server as an APIService behind a Service of type ExternalName `localhost`.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import ssl
from typing import Any

from aiohttp import web

from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError, Object
from rehearsal.kubernetes.controllers.selectors import selects
from rehearsal.kubernetes.node.container import Container
from rehearsal.kubernetes.node.kubelet import Kubelet
from rehearsal.kubernetes.node.pod import Pod
from rehearsal.kubernetes.standin.commands import fetch

log = logging.getLogger(__name__)

GROUP_VERSION = "metrics.k8s.io/v1beta1"
BASE = f"/apis/{GROUP_VERSION}"
SERVICE = "rehearsal-metrics"
MANAGER = "rehearsal-metrics"
IDLE = {"cpuMillicores": 1.0, "memoryMebibytes": 32.0}  # of a container that serves nothing
WINDOW_SECONDS = 15
REGISTRATION = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
LEAVING_SECONDS = 2.0


class MetricsApi:
    def __init__(self, api: Api, kubelet: Kubelet, tls: ssl.SSLContext, port: int) -> None:
        self._api, self._kubelet, self._tls, self._port = api, kubelet, tls, port

    async def run(self) -> None:
        app = web.Application()
        app.router.add_get(BASE, self._resources)
        app.router.add_get(f"{BASE}/pods", self._pods)
        app.router.add_get(f"{BASE}/namespaces/{{namespace}}/pods", self._pods)
        app.router.add_get(f"{BASE}/namespaces/{{namespace}}/pods/{{name}}", self._pod)
        app.router.add_get(f"{BASE}/nodes", self._nodes)
        app.router.add_get(f"{BASE}/nodes/{{name}}", self._node)
        app.router.add_get("/{rest:.*}", self._anything)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        try:
            await self._register()
            await asyncio.Event().wait()
        finally:
            await self._leave()
            await runner.cleanup()

    async def _register(self) -> None:
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE, "namespace": "kube-system"},
                   "spec": {"type": "ExternalName", "externalName": "localhost",
                            "ports": [{"port": self._port, "targetPort": self._port}]}}
        registration = {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                     "versionPriority": 100, "insecureSkipTLSVerify": True,
                     "service": {"name": SERVICE, "namespace": "kube-system", "port": self._port}}}
        while True:
            try:
                await self._api.apply(f"/api/v1/namespaces/kube-system/services/{SERVICE}", service, MANAGER)
                await self._api.apply(REGISTRATION, registration, MANAGER)
                return
            except (ApiError, *UNREACHABLE) as error:
                log.warning("metrics API not registered yet: %s", error)
                await asyncio.sleep(1.0)

    async def _leave(self) -> None:
        """An API that is registered and does not answer keeps every namespace from being deleted."""
        try:
            await asyncio.wait_for(self._api.delete(REGISTRATION), LEAVING_SECONDS)
        except (ApiError, *UNREACHABLE) as error:
            log.warning("metrics API stays registered: %s", error)

    @staticmethod
    async def _resources(request: web.Request) -> web.Response:
        return web.json_response({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION,
                                  "resources": [
            {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]},
            {"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics",
             "verbs": ["get", "list"]}]})

    @staticmethod
    async def _anything(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _pods(self, request: web.Request) -> web.Response:
        namespace, selector = request.match_info.get("namespace"), request.query.get("labelSelector", "")
        chosen = [pod for pod in self._kubelet.pods.values()
                  if namespace in (None, pod.object["metadata"]["namespace"])
                  and selects(selector, pod.object["metadata"].get("labels") or {})]
        items = [each for each in await asyncio.gather(*map(pod_metrics, chosen)) if each is not None]
        return _listed("PodMetricsList", items)

    async def _pod(self, request: web.Request) -> web.Response:
        for pod in list(self._kubelet.pods.values()):
            metadata = pod.object["metadata"]
            if (metadata["namespace"], metadata["name"]) == (request.match_info["namespace"],
                                                             request.match_info["name"]):
                found = await pod_metrics(pod)
                if found is not None:
                    return web.json_response(found)
        return _absent(request)

    async def _nodes(self, request: web.Request) -> web.Response:
        return _listed("NodeMetricsList", await self._node_metrics())

    async def _node(self, request: web.Request) -> web.Response:
        for node in await self._node_metrics():
            if node["metadata"]["name"] == request.match_info["name"]:
                return web.json_response(node)
        return _absent(request)

    async def _node_metrics(self) -> list[Object]:
        usage: dict[str, dict[str, float]] = {}
        pods = list(self._kubelet.pods.values())
        for pod, found in zip(pods, await asyncio.gather(*map(_usage, pods)), strict=True):
            of_node = usage.setdefault(pod.object["spec"]["nodeName"], {"cpuMillicores": 0.0, "memoryMebibytes": 0.0})
            for each in found.values():
                for name, value in each.items():
                    of_node[name] += value
        return [{"kind": "NodeMetrics", "apiVersion": GROUP_VERSION, "metadata": {"name": name},
                 "timestamp": _stamp(), "window": f"{WINDOW_SECONDS}s", "usage": _quantities(each)}
                for name, each in sorted(usage.items())]


async def pod_metrics(pod: Pod) -> Object | None:
    """None while no container runs, as metrics-server has nothing of such a pod."""
    usage = await _usage(pod)
    if not usage:
        return None
    metadata = pod.object["metadata"]
    return {"kind": "PodMetrics", "apiVersion": GROUP_VERSION, "timestamp": _stamp(), "window": f"{WINDOW_SECONDS}s",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"],
                         "labels": metadata.get("labels") or {}},
            "containers": [{"name": name, "usage": _quantities(each)} for name, each in usage.items()]}


async def _usage(pod: Pod) -> dict[str, dict[str, float]]:
    running = [container for container in pod.containers if container.running]
    found = await asyncio.gather(*map(_container_usage, running))
    return {container.name: each for container, each in zip(running, found, strict=True)}


async def _container_usage(container: Container) -> dict[str, float]:
    port = next(iter(container.loopback_ports.values()), None)
    if port is None:
        return IDLE
    try:
        async with asyncio.timeout(1.0):
            _, body = await fetch(f"http://127.0.0.1:{port}/-/usage", "")
    except OSError:  # not listening yet, or ending; a timeout is one too
        return IDLE
    found: dict[str, float] = json.loads(body)
    return found


def _quantities(usage: dict[str, float]) -> dict[str, str]:
    return {"cpu": f"{round(usage['cpuMillicores'] * 1e6)}n", "memory": f"{round(usage['memoryMebibytes'] * 1024)}Ki"}


def _stamp() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(kind: str, items: list[Any]) -> web.Response:
    return web.json_response({"kind": kind, "apiVersion": GROUP_VERSION, "metadata": {}, "items": items})


def _absent(request: web.Request) -> web.Response:
    return web.json_response({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                              "code": 404, "message": f"no metrics of {request.path}"}, status=404)
