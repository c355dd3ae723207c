"""A browser view of a rehearsal: the stack's resources and outputs, the cluster, and StackPort for the account."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from candlefish import runtime
from candlefish.runtime import Rehearsal, Servers
from candlefish.screen import plain
from kube.client import Client
from rehearsal.aws.servers import LOOPBACK
from rehearsal.ports import free_ports

PAGE = Path(__file__).with_name("browse.html")
KINDS = (("v1", "Node"), ("apps/v1", "Deployment"), ("v1", "Pod"), ("v1", "Service"),
         ("networking.k8s.io/v1", "Ingress"), ("autoscaling/v2", "HorizontalPodAutoscaler"))


def serve(rehearsal: Rehearsal, servers: Servers, port: int) -> None:
    """Serves until interrupted; prints where."""
    stackport_port = free_ports(1)[0]
    stackport = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "backend.main:app", "--host", LOOPBACK, "--port", str(stackport_port),
         "--log-level", "warning"],
        env={**os.environ, **runtime.credentials(servers.aws, rehearsal.settings.region),
             "STACKPORT_ALLOW_WRITES": "false", "STACKPORT_LEARN": "false"})
    try:
        app = web.Application()
        app.router.add_get("/", _page)
        app.router.add_get("/data.json", partial(_data, rehearsal, servers, f"http://{LOOPBACK}:{stackport_port}"))
        port = port or free_ports(1)[0]
        print(f"http://{LOOPBACK}:{port}", flush=True)
        web.run_app(app, host=LOOPBACK, port=port, print=None)
    finally:
        stackport.terminate()
        stackport.wait(timeout=10)


async def _page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(PAGE)


async def _data(rehearsal: Rehearsal, servers: Servers, account: str, request: web.Request) -> web.StreamResponse:
    return web.json_response(document(rehearsal, servers, account))


def document(rehearsal: Rehearsal, servers: Servers, account: str) -> dict[str, Any]:
    """What the page shows. `account`: where StackPort answers."""
    state = runtime.read_state(rehearsal.state.path) if rehearsal.state.path.exists() else {"deployment": {}}
    stored = rehearsal.engine(servers.aws, lambda event: None).outputs()
    return {
        "stack": rehearsal.stack, "account": account, "endpoint": servers.aws.url,
        "outputs": plain(servers.shown(stored)),
        "resources": [{"type": r["type"], "name": r["urn"].split("::")[-1], "id": r.get("id", ""),
                       "parent": r.get("parent", "").split("::")[-1]}
                      for r in state["deployment"].get("resources", [])],
        "cluster": _cluster(servers),
    }


def _cluster(servers: Servers) -> list[dict[str, Any]]:
    if servers.cluster is None:
        return []
    rows = []
    with closing(Client.from_kubeconfig(servers.cluster.kubeconfig)) as client:
        for api_version, kind in KINDS:
            for item in client.list(api_version, kind):
                meta, status, spec = item["metadata"], item.get("status", {}), item.get("spec", {})
                rows.append({"kind": kind, "namespace": meta.get("namespace", ""), "name": meta["name"],
                             "state": _state(kind, spec, status)})
    return rows


def _state(kind: str, spec: dict[str, Any], status: dict[str, Any]) -> str:
    match kind:
        case "Deployment":
            return f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)} ready"
        case "Pod":
            return str(status.get("phase", ""))
        case "Node":
            return next((f"Ready {c['status']}" for c in status.get("conditions", []) if c["type"] == "Ready"), "")
        case "Service":
            return ", ".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
        case "Ingress":
            return ", ".join(i.get("hostname", "") for i in status.get("loadBalancer", {}).get("ingress", []))
        case _:
            return f"{status.get('currentReplicas', 0)} of {spec.get('minReplicas')}–{spec.get('maxReplicas')}"
