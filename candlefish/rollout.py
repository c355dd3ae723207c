"""`candlefish rollout`: releases of one service, on the cluster that the kubeconfig names."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.table import Table

from candlefish.exits import Exit
from candlefish.options import Json, Stack
from candlefish.runtime import project_directory
from candlefish.screen import Screen, emit
from infra.plans.names import Names
from infra.settings.load import load_file
from kube.client import ApiError, Client, KubeconfigError
from operations.rollout.front import Balancer, Nowhere
from operations.rollout.model import NotAcceptable, Record, Result, RolloutError, Target
from operations.rollout.runner import Runner

app = typer.Typer(no_args_is_help=True, help="Bring a release to a service, and take it back.")
ERRORS: tuple[type[Exception], ...] = (RolloutError, ApiError, KubeconfigError)
WRONG: tuple[type[Exception], ...] = (NotAcceptable,)

Service = Annotated[str, typer.Argument(help="website, backend-api, …")]
Kubeconfig = Annotated[Path | None, typer.Option(help="instead of KUBECONFIG and ~/.kube/config")]
Context = Annotated[str | None, typer.Option(help="of the kubeconfig; the current one otherwise")]
Hold = Annotated[float | None, typer.Option(help="minutes that both colours stay; the settings' otherwise")]
Door = Annotated[str, typer.Option(envvar="CANDLEFISH_FRONT_DOOR", help="where the front door answers, to check it "
                                   "after the switch: https://candlefish.ai")]
EXITS = {Result.PROMOTED: Exit.DONE, Result.ROLLED_BACK: Exit.ROLLED_BACK, Result.ABORTED: Exit.ROLLED_BACK,
         Result.HELD: Exit.HELD}


def _runner(service: str, stack: str, kubeconfig: Path | None, context: str | None, screen: Screen,
            hold: float | None = None, door: str = "") -> Runner:
    settings = load_file(project_directory() / f"Pulumi.{stack}.yaml")
    target = Target.of(stack, settings, service)
    path = kubeconfig or Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    client = Client.from_kubeconfig(path, context)
    elb = boto3.client("elbv2", region_name=settings.region)
    front = Balancer(elb, Names(settings.environment).cluster, target) if target.fronted else Nowhere()
    return Runner(client, target, front, screen.say, None if hold is None else hold * 60, door)


def _run(screen: Screen, as_json: bool, work: Callable[[], Record]) -> None:
    record = work()
    if as_json:
        emit(_document(record))
    else:
        screen.say(f"revision {record.revision}: {record.result}" + (f" ({record.reason})" if record.reason else ""),
                   "bold")
    raise typer.Exit(EXITS[record.result])


def _document(record: Record) -> dict[str, Any]:
    document = record.document()
    return {**document, "seconds": round(record.ended - record.began, 1) if record.ended else None}


@app.command()
def start(service: Service, image: Annotated[str, typer.Option(help="with its digest: name@sha256:…")], stack: Stack,
          hold: Hold = None, front_door: Door = "", kubeconfig: Kubeconfig = None, context: Context = None,
          as_json: Json = False) -> None:
    """Brings an image to the idle colour, checks it, and moves all traffic. The same command again goes on."""
    screen = Screen(quiet=as_json)
    runner = _runner(service, stack, kubeconfig, context, screen, hold, front_door)
    _run(screen, as_json, lambda: runner.start(image))


@app.command()
def resume(service: Service, stack: Stack, hold: Hold = None, front_door: Door = "", kubeconfig: Kubeconfig = None,
           context: Context = None, as_json: Json = False) -> None:
    """Goes on with a rollout whose process ended."""
    screen = Screen(quiet=as_json)
    _run(screen, as_json, _runner(service, stack, kubeconfig, context, screen, hold, front_door).resume)


@app.command()
def promote(service: Service, stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None,
            as_json: Json = False) -> None:
    """Ends the hold: the old colour goes."""
    screen = Screen(quiet=as_json)
    _run(screen, as_json, _runner(service, stack, kubeconfig, context, screen).promote)


@app.command()
def abort(service: Service, stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None,
          as_json: Json = False) -> None:
    """Takes a rollout back to the colour that was live when it began."""
    screen = Screen(quiet=as_json)
    _run(screen, as_json, _runner(service, stack, kubeconfig, context, screen).abort)


@app.command()
def rollback(service: Service, stack: Stack,
             to: Annotated[int | None, typer.Option(help="a revision of `history`; the one before otherwise")] = None,
             hold: Hold = None, front_door: Door = "", kubeconfig: Kubeconfig = None, context: Context = None,
             as_json: Json = False) -> None:
    """Back to what ran before: at once while both colours are there, else by a rollout of the older image."""
    screen = Screen(quiet=as_json)
    runner = _runner(service, stack, kubeconfig, context, screen, hold, front_door)
    _run(screen, as_json, lambda: runner.rollback(to))


@app.command()
def status(service: Service, stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None,
           as_json: Json = False) -> None:
    """What is live, what is idle, and the rollout at work."""
    screen = Screen(quiet=as_json)
    found = _runner(service, stack, kubeconfig, context, screen).status()
    if as_json:
        emit(found)
        return
    table = Table("colour", "image", "pods", "ready", title=service, title_justify="left")
    for colour, each in found["colours"].items():
        name = f"{colour} (live)" if colour == found["live"] else colour
        table.add_row(name, each["image"], str(each["replicas"]), str(each["ready"]))
    screen.console.print(table)
    rollout = found["rollout"]
    if rollout and rollout["phase"] != "done":
        screen.say(f"revision {rollout['revision']} is at {rollout['phase']}, by {rollout['by']}", "bold")


@app.command()
def history(service: Service, stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None,
            as_json: Json = False) -> None:
    """Revisions, the latest last."""
    screen = Screen(quiet=as_json)
    records = _runner(service, stack, kubeconfig, context, screen).history()
    if as_json:
        emit({"service": service, "revisions": records})
        return
    table = Table("revision", "began", "image", "result", "why", title=service, title_justify="left")
    for record in records:
        began = datetime.fromtimestamp(record["began"]).astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(str(record["revision"]), began, record["image"], record["result"], record["reason"])
    screen.console.print(table)
