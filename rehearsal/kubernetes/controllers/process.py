"""The agent's process: builds all loops and runs them until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_type_hints

from aiohttp import web

from rehearsal.kubernetes.agent import PORT_NAMES, Wanted
from rehearsal.kubernetes.controllers.api import Api
from rehearsal.kubernetes.controllers.aws import Aws
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
        Isolation(wanted.isolation), tls)
    try:
        with contextlib.suppress(*(Stopped,)):
            await _until_stopped(stop, node, ports)
    finally:
        await node.kubelet.close()
        await api.close()


async def _until_stopped(stop: asyncio.Event, node: wiring.Node, ports: dict[str, int]) -> None:
    async def watch() -> None:
        await stop.wait()
        raise Stopped

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            node.start(tasks)
            tasks.create_task(_control(node, ports["control"]))
    except* Stopped:
        log.info("stopped")


async def _control(node: wiring.Node, port: int) -> None:
    async def ready(request: web.Request) -> web.Response:
        synced = all(informer.synced.is_set() for informer in node.informers)
        return web.Response(status=200 if synced else 503)

    async def state(request: web.Request) -> web.Response:
        shown: dict[str, Any] = {
            "nodes": {name: {"zone": each.subnet.zone, "group": each.group.name, "address": each.address}
                      for name, each in node.instances.items()},
            "pods": {f"{pod.object['metadata']['namespace']}/{pod.object['metadata']['name']}":
                     {"address": pod.address, "ports": node.addresses.ports_of(pod.address)}
                     for pod in node.kubelet.pods.values()}}
        return web.json_response(shown)

    app = web.Application()
    app.router.add_get("/ready", ready)
    app.router.add_get("/state", state)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
