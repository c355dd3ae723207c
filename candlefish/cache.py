"""`candlefish cache`: what CloudFront keeps."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from candlefish.account import client
from candlefish.connected import planned
from candlefish.options import DryRun, Json, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from infra.plans.hosts import hosts
from infra.plans.places import EDGE_REGION
from operations.site.distribution import Distribution
from operations.upkeep.invalidation import Invalidation, checked

app = typer.Typer(no_args_is_help=True)


class Of(StrEnum):
    SITE = "site"
    STATIC = "static"  # assets., docs. and status.


@app.command()
def invalidate(paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="/index.html, /docs/*")], stack: Stack,
               of: Annotated[Of, typer.Option(help="which distribution: the site's, or that of the static pages")
                             ] = Of.SITE,
               wait: Annotated[bool, typer.Option("--wait", help="until every edge has forgotten them")] = False,
               dry_run: DryRun = False, as_json: Json = False) -> None:
    """Has every edge forget the paths. A `*` at the end stands for all that begins so."""
    screen = Screen(quiet=as_json)
    wanted = checked(paths)
    settings = settings_of(stack)
    names = hosts(settings.domain)
    distribution = Distribution(client("cloudfront", EDGE_REGION), names.apex if of is Of.SITE else names.assets)
    if dry_run:
        planned(screen, as_json, [f"invalidate {path} of {distribution.name} ({distribution.id})" for path in wanted])
        return
    found = Invalidation(distribution, screen.say).run(wanted, wait)
    if as_json:
        emit({"stack": stack, **found})
