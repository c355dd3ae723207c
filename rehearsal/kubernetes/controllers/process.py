"""The agent's process: builds all loops and runs them until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from aiohttp import web

from rehearsal.kubernetes.agent import PORT_NAMES, Wanted
from rehearsal.kubernetes.controllers.addons import EksAddons
from rehearsal.kubernetes.controllers.api import Api
from rehearsal.kubernetes.controllers.aws import Aws
from rehearsal.kubernetes.controllers.cluster_proxy import ClusterProxy
from rehearsal.kubernetes.controllers.external_secrets import ExternalSecrets
from rehearsal.kubernetes.controllers.informer import Informer
from rehearsal.kubernetes.controllers.metrics_api import MetricsApi
from rehearsal.kubernetes.controllers.secret_sources import AwsSource
from rehearsal.kubernetes.controllers.volumes import Volumes
from rehearsal.kubernetes.loadbalancer import wiring as load_balancing
from rehearsal.kubernetes.loadbalancer.wiring import LoadBalancing
from rehearsal.kubernetes.node import wiring
from rehearsal.kubernetes.node.fleet import FleetSettings
from rehearsal.kubernetes.node.groups import EksNodeGroups, FileNodeGroups, NodeGroups
from rehearsal.kubernetes.node.runtime import Isolation
from rehearsal.kubernetes.node.services import KubeletSettings
from rehearsal.kubernetes.pki import Authority

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Ends the task group."""


def main(arguments: Sequence[str]) -> None:
    home, wanted = _parsed(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    asyncio.run(run(home, wanted))


def _parsed(arguments: Sequence[str]) -> tuple[Path, Wanted]:
    parser = argparse.ArgumentParser(prog="rehearsal.kubernetes.agent")
    parser.add_argument("--home", type=Path, required=True)
    for name, kind in get_type_hints(Wanted).items():
        path = kind is Path or kind == (Path | None)
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, default=getattr(Wanted, name, None),
                            type=Path if path else kind, required=not hasattr(Wanted, name))
    given = vars(parser.parse_args(arguments))
    home = given.pop("home")
    wanted = Wanted(**given)
    if bool(wanted.aws_endpoint) == bool(wanted.node_groups):
        parser.error("give one of --aws-endpoint and --node-groups")
    return home, wanted


async def run(home: Path, wanted: Wanted) -> None:
    ports: dict[str, int] = json.loads((home / "ports.json").read_text())
    missing = [name for name in PORT_NAMES if name not in ports]
    if missing:
        raise ValueError(f"{home / 'ports.json'} lacks {', '.join(missing)}; start through rehearsal.kubernetes.agent")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    api = Api.from_kubeconfig(wanted.kubeconfig)
    aws = Aws(wanted.aws_endpoint, wanted.account, wanted.region) if wanted.aws_endpoint else None
    pair = Authority(wanted.authority or home / "pki", "ca").issue("kubelet", "system:node:rehearsal",
                                                                   hosts=["127.0.0.1", "localhost"])
    tls = wiring.serving_context(pair.certificate, pair.key)
    groups: NodeGroups
    if aws is not None:
        groups = EksNodeGroups(aws.client("eks"), aws.client("ec2"), wanted.cluster)
    else:
        assert wanted.node_groups is not None
        groups = FileNodeGroups(wanted.node_groups)
    version = (await api.request("GET", "/version"))["gitVersion"]
    node = wiring.build(
        api, groups, FleetSettings(wanted.region, ports["kubelet"], version),
        KubeletSettings(home / "pods", f"http://127.0.0.1:{ports['cluster-proxy']}", wanted.backoff_seconds),
        Isolation(wanted.isolation), tls, wanted.database_connections)
    balancing = load_balancing.build(
        api, wanted.cluster, node.addresses, ports["front-door"], home, region=wanted.region, aws=aws,
        lag_seconds=wanted.endpoint_lag_seconds, metrics_period_seconds=wanted.metrics_period_seconds)
    parts = Parts(
        node, balancing, MetricsApi(api, node.kubelet, tls, ports["metrics"]),
        ClusterProxy(balancing.controller.services, balancing.controller.slices, node.addresses,
                     ports["cluster-proxy"]),
        Volumes(api, node.claims, node.node_objects),
        ExternalSecrets(api, AwsSource(aws), node.secrets) if aws is not None else None,
        EksAddons(api, aws.client("eks"), wanted.cluster) if aws is not None else None)
    try:
        await _until_stopped(stop, parts, ports["control"])
    finally:
        if parts.external_secrets is not None:
            parts.external_secrets.close()
        balancing.plane.close()
        await node.kubelet.close()
        await api.close()


@dataclass(frozen=True)
class Parts:
    node: wiring.Node
    balancing: LoadBalancing
    metrics: MetricsApi
    proxy: ClusterProxy
    volumes: Volumes
    external_secrets: ExternalSecrets | None  # None: a cluster without AWS
    addons: EksAddons | None  # likewise

    @property
    def informers(self) -> tuple[Informer, ...]:
        """Each once."""
        return (*self.node.informers, *self.balancing.controller.informers, self.volumes.classes, self.volumes.volumes,
                *(self.external_secrets.informers if self.external_secrets is not None else ()))

    def start(self, tasks: asyncio.TaskGroup) -> None:
        for informer in self.informers:
            tasks.create_task(informer.run())
        self.node.start(tasks)
        self.balancing.start(tasks)
        for part in (self.metrics, self.proxy, self.volumes, self.addons):
            if part is not None:
                tasks.create_task(part.run())

    def state(self) -> dict[str, Any]:
        node = self.node
        return {
            "nodes": {name: {"zone": each.subnet.zone, "group": each.group.name, "address": each.address}
                      for name, each in node.instances.items()},
            "pods": {f"{pod.object['metadata']['namespace']}/{pod.object['metadata']['name']}":
                     {"address": pod.address, "ports": node.addresses.ports_of(pod.address)}
                     for pod in node.kubelet.pods.values()},
            "loadBalancers": self.balancing.state()}


async def _until_stopped(stop: asyncio.Event, parts: Parts, port: int) -> None:
    async def watch() -> None:
        await stop.wait()
        raise Stopped

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            parts.start(tasks)
            tasks.create_task(_control(parts, port))
    except* Stopped:
        log.info("stopped")


async def _control(parts: Parts, port: int) -> None:
    async def ready(request: web.Request) -> web.Response:
        return web.Response(status=200 if all(each.synced.is_set() for each in parts.informers) else 503)

    async def state(request: web.Request) -> web.Response:
        return web.json_response(parts.state())

    async def lag(request: web.Request) -> web.Response:
        """`{"namespace/name": seconds}`: how far the slowest node of that load balancer is behind."""
        for group, seconds in (await request.json()).items():
            parts.balancing.plane.set_lag(group, float(seconds))
        return web.Response()

    async def zones(request: web.Request) -> web.Response:
        """`{"lost": ["us-east-1a"]}`: whose nodes end now, until none is lost any more."""
        parts.node.fleet.lose((await request.json())["lost"])
        return web.Response()

    app = web.Application()
    app.router.add_get("/ready", ready)
    app.router.add_get("/state", state)
    app.router.add_put("/lag", lag)
    app.router.add_put("/zones", zones)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
