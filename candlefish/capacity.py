"""`candlefish capacity`: what is taken, what is left, and more nodes by hand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from candlefish.account import client
from candlefish.connected import kubernetes, planned
from candlefish.exits import Exit
from candlefish.options import Context, DryRun, Json, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen, emit, rows
from operations.cluster import expect_namespace
from operations.errors import NotAcceptable
from operations.upkeep.capacity import Capacity


def capacity(stack: Stack,
             nodes: Annotated[int | None, typer.Option(help="how many the node group is to have; none: it is shown"
                                                       )] = None,
             group: Annotated[str, typer.Option(help="which, where the cluster has several")] = "",
             dry_run: DryRun = False, kubeconfig: Kubeconfig = None, context: Context = None,
             as_json: Json = False) -> None:
    """What pods ask for, what nodes have, what node groups may bring; whether every service fits at its maximum.

    Exit code 1 when it does not fit. With --nodes it brings them, and waits until they are ready.
    """
    screen = Screen(quiet=as_json)
    if nodes is None and (group or dry_run):
        raise NotAcceptable("--group and --dry-run go with --nodes")
    settings = settings_of(stack)
    with kubernetes(kubeconfig, context) as cluster:
        expect_namespace(cluster, stack, settings.cluster.namespace)
        work = Capacity(cluster, settings, client("eks", settings.region), screen.say)
        if nodes is not None and dry_run:
            planned(screen, as_json, work.planned(group, nodes))
            return
        found = work.look() if nodes is None else work.bring(group, nodes)
    if as_json:
        emit({"stack": stack, **found})
    elif nodes is not None:
        screen.say(f"node group {found['group']}: {found['ready']} nodes are ready", "bold")
    else:
        _show(found)
    if nodes is None and not found["largest"]["fits"]:
        raise typer.Exit(Exit.FAILED)


def _show(found: dict[str, Any]) -> None:
    rows(("node", "group", "ready", "CPU", "memory", "pods"), [
        (each["name"], each["group"], "yes" if each["ready"] else "no", _share(each, "cpuMillis", "m"),
         _share(each, "memoryMib", " MiB"), _share(each, "pods", "")) for each in found["nodes"]])
    print()
    rows(("node group", "ready", "wanted", "least", "most"), [
        (each["name"], *(str(each[key]) for key in ("ready", "desired", "minimum", "maximum")))
        for each in found["groups"]])
    print()
    rows(("service", "live", "pods", "least", "most", "each"), [
        (each["service"], each["live"], *(str(each[key]) for key in ("pods", "minimum", "maximum")),
         f"{each['each']['cpuMillis']}m, {each['each']['memoryMib']} MiB") for each in found["services"]])
    largest = found["largest"]
    print()
    if largest["fits"]:
        print(f"a rollout of every service at its maximum fits on {largest['nodes']} nodes; left are "
              f"{largest['freeCpuMillis']}m CPU and {largest['freeMemoryMib']} MiB")
    for each in largest["shortfalls"]:
        print(f"{each['service']} at its maximum is short of {each['cpuMillis']}m CPU and {each['memoryMib']} MiB: "
              f"{each['pods']} pods find no node; raise cluster.nodeGroups, or lower replicas.maximum")


def _share(node: dict[str, Any], key: str, unit: str) -> str:
    asked, offered = node["requested"][key], node["allocatable"][key]
    return f"{asked} of {offered}{unit} ({100 * asked // offered} %)" if offered else f"{asked}{unit}"
