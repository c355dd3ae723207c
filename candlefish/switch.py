"""`candlefish switch`: variables of services that operators turn while they run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from candlefish.connected import kubernetes, planned
from candlefish.options import Context, DryRun, Json, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from operations.cluster import expect_namespace
from operations.switches.switch import Switching, chosen, switches


class State(StrEnum):
    ON = "on"
    OFF = "off"


def switch(stack: Stack, name: Annotated[str | None, typer.Argument(
               help="read-only, animation-fallback, …; none: all are shown")] = None,
           state: Annotated[State | None, typer.Argument(help="none: it is shown")] = None,
           service: Annotated[str | None, typer.Option(help="whose, where several have one of this name")] = None,
           dry_run: DryRun = False, kubeconfig: Kubeconfig = None, context: Context = None,
           as_json: Json = False) -> None:
    """Turns a switch of a service on or off, and waits until every pod has it. Without a state it shows."""
    screen = Screen(quiet=as_json)
    settings = settings_of(stack)
    of = [chosen(settings, name, service)] if name else list(switches(settings))
    client = kubernetes(kubeconfig, context)
    expect_namespace(client, stack, settings.cluster.namespace)
    work = Switching(client, settings, screen.say)
    if state is not None and dry_run:
        planned(screen, as_json, work.planned(of[0], state is State.ON))
        return
    found = [work.turn(of[0], state is State.ON)] if state else [work.status(each) for each in of]
    if as_json:
        emit(found[0] if name else {"switches": found})
        return
    table = Table("switch", "service", "value", "pods that have it")
    for each in found:
        table.add_row(each["switch"], each["service"], each["value"], f"{each['with']} of {each['pods']}")
    screen.console.print(table)
