"""`candlefish report`: what operations know of a month, in one document."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from candlefish.account import client
from candlefish.connected import kubernetes
from candlefish.exits import Exit
from candlefish.options import Context, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import emit
from operations.cost.explorer import period
from operations.report.model import Accepted, Matter, State
from operations.report.monthly import document, markdown, named, sections
from operations.verify.model import Outputs
from operations.verify.scene import Scene
from policy.waivers import load

app = typer.Typer(no_args_is_help=True)


class Format(StrEnum):
    MARKDOWN = "markdown"
    JSON = "json"


@app.command()
def monthly(stack: Stack, month: Annotated[str | None, typer.Option(help="2026-10; otherwise the last one that is over"
                                                                    )] = None,
            format_: Annotated[Format, typer.Option("--format", help="of what is written to stdout")] = Format.MARKDOWN,
            kubeconfig: Kubeconfig = None, context: Context = None) -> None:
    """Costs, requests, alarms, releases, recovery, certificates, secrets, waivers, capacity. It only looks.

    Exit code 1 when a part needs somebody's attention, or could not be read; it then says why.
    """
    settings, today = settings_of(stack), datetime.now(UTC).date()
    when = period(today, month or f"{today.replace(day=1) - timedelta(days=1):%Y-%m}")
    accepted = [Accepted(each.control, each.resource, each.expires) for each in load()
                if settings.environment in each.environments]
    scene = Scene(stack, settings, Outputs({}), client, lambda: kubernetes(kubeconfig, context))
    with closing(scene):
        matter = Matter(scene, when, accepted)
        found = sections(matter)
        if format_ is Format.JSON:
            emit(document(matter, found))
        else:
            print(markdown(matter, found), end="")
    if named(found, State.UNAVAILABLE) or named(found, State.ATTENTION):
        raise typer.Exit(Exit.FAILED)
