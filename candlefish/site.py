"""`candlefish site`: releases of the static site, by CloudFront's two colours."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.table import Table

from candlefish.connected import planned
from candlefish.exits import Exit
from candlefish.options import Door, DryRun, Json, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from infra.plans.hosts import hosts
from operations.site.bucket import Bucket
from operations.site.content import read
from operations.site.distribution import Distribution
from operations.site.front import Front
from operations.site.releases import Outcome, Releases, Result

app = typer.Typer(no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="the static export: _next/static/…, offline/…")]


def _releases(stack: str, front_door: str, screen: Screen) -> Releases:
    settings = settings_of(stack)
    apex = hosts(settings.domain).apex
    s3, cloudfront = (boto3.client(name, region_name=settings.region) for name in ("s3", "cloudfront"))
    distribution = Distribution(cloudfront, apex)
    buckets = {colour: Bucket(s3, name) for colour, name in distribution.buckets().items()}
    return Releases(distribution, buckets, Front(front_door or f"https://{apex}"), screen.say)


def _end(screen: Screen, as_json: bool, result: Result, code: Exit) -> None:
    words = {Outcome.LIVE: "live", Outcome.ROLLED_BACK: "live again",
             Outcome.UNCHANGED: "live already, nothing written"}
    if as_json:
        emit(asdict(result))
    else:
        why = f" ({result.reason})" if result.reason else ""
        screen.say(f"{result.colour}, release {result.release or 'none'}: {words[result.outcome]}{why}", "bold")
    raise typer.Exit(code)


@app.command()
def deploy(folder: Folder, stack: Stack, front_door: Door = "", dry_run: DryRun = False, as_json: Json = False) -> None:
    """Fills the idle colour, checks it, turns CloudFront to it, empties the edges and checks again."""
    screen = Screen(quiet=as_json)
    release = read(folder)
    work = _releases(stack, front_door, screen)
    if dry_run:
        planned(screen, as_json, work.planned(release))
        return
    result = work.deploy(release)
    _end(screen, as_json, result, Exit.ROLLED_BACK if result.outcome is Outcome.ROLLED_BACK else Exit.DONE)


@app.command()
def rollback(stack: Stack, front_door: Door = "", dry_run: DryRun = False, as_json: Json = False) -> None:
    """Turns CloudFront back to the other colour, whose files are still there."""
    screen = Screen(quiet=as_json)
    work = _releases(stack, front_door, screen)
    if dry_run:
        planned(screen, as_json, work.planned_rollback())
        return
    _end(screen, as_json, work.rollback(), Exit.DONE)


@app.command()
def status(stack: Stack, as_json: Json = False) -> None:
    """Which colour is live, and what is in each."""
    screen = Screen(quiet=as_json)
    found = _releases(stack, "", screen).status()
    if as_json:
        emit(found)
        return
    table = Table("colour", "release", "step", "files", "when", "by")
    for colour, each in found["colours"].items():
        when = datetime.fromtimestamp(each["at"]).astimezone().strftime("%Y-%m-%d %H:%M") if each["at"] else ""
        table.add_row(f"{colour} (live)" if colour == found["live"] else colour, each["release"] or "none",
                      each["step"], str(each["files"]), when, each["by"].partition(" (")[0])
    screen.console.print(table)
