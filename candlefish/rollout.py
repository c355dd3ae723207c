"""`candlefish rollout`: releases of one service, on the cluster that the kubeconfig names."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from candlefish.connected import kubeconfig_of
from candlefish.exits import Exit
from candlefish.options import Context, Door, DryRun, Json, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from infra.plans.names import Names
from kube.client import Client
from operations.notify.notifier import Notifier
from operations.notify.receivers import receivers
from operations.rollout.choice import Choice
from operations.rollout.dry_run import Recorder
from operations.rollout.emergency import emergency_rollback
from operations.rollout.events import nobody
from operations.rollout.front import Balancer, Nowhere
from operations.rollout.model import OnHold, Phase, Readings, Record, Result, Strategy, Target
from operations.rollout.outcome import outcome
from operations.rollout.readings import sources
from operations.rollout.runner import Runner

app = typer.Typer(no_args_is_help=True)

Service = Annotated[str, typer.Argument(help="website, backend-api, …")]
Hold = Annotated[float | None, typer.Option(help="minutes that both colours stay; the settings' otherwise")]
LIVE_SECONDS = 1.0
Hesitates = Annotated[OnHold | None, typer.Option(help="what becomes of a stage that lacks data for too long")]
EXITS = {Result.PROMOTED: Exit.DONE, Result.RUNNING: Exit.DONE, Result.ROLLED_BACK: Exit.ROLLED_BACK,
         Result.ABORTED: Exit.ROLLED_BACK, Result.HELD: Exit.HELD}


@dataclass(frozen=True)
class Place:
    """Which service of which stack, in which cluster. dry: nothing is to be written."""

    service: str
    stack: str
    kubeconfig: Path | None
    context: str | None
    dry: bool = False

    def runner(self, say: Callable[[str], None], hold: float | None = None, door: str = "") -> Runner:
        settings = settings_of(self.stack)
        target = Target.of(self.stack, settings, self.service)
        client = (Recorder if self.dry else Client).from_kubeconfig(kubeconfig_of(self.kubeconfig), self.context)
        session = boto3.Session(region_name=settings.region)  # its own: the default one is not for several threads
        balancer = Balancer(session.client("elbv2"), Names(settings.environment).cluster, target)
        tell = nobody if self.dry else Notifier(lambda: receivers(
            settings.environment, os.environ, boto3.Session(region_name=settings.region).client("secretsmanager")), say)
        return Runner(client, target, balancer if target.fronted else Nowhere(), say,
                      None if hold is None else hold * 60, door, tell=tell,
                      sources=sources(target, balancer, session.client("cloudwatch")))


def _run(screen: Screen, as_json: bool, runner: Runner, work: Callable[[], Record]) -> None:
    record = work()
    if isinstance(runner.client, Recorder):
        _writes(screen, as_json, runner.client, record)
        return
    if as_json:
        emit(outcome(runner.target, record, runner.weights()))
    else:
        screen.say(f"revision {record.revision}: {record.result}" + (f" ({record.reason})" if record.reason else ""),
                   "bold")
    raise typer.Exit(EXITS[record.result])


def _writes(screen: Screen, as_json: bool, recorder: Recorder, record: Record) -> None:
    if as_json:
        emit({"revision": record.revision, "strategy": record.strategy, "image": record.image,
              "writes": [write.document() for write in recorder.writes]})
        return
    for write in recorder.writes:
        typer.echo(f"{write.method} {write.path} {json.dumps(write.body)}")


@app.command()
def start(service: Service, image: Annotated[str, typer.Option(help="with its digest: name@sha256:…")], stack: Stack,
          strategy: Annotated[Strategy | None, typer.Option(help="the settings' otherwise")] = None,
          readings: Annotated[Readings | None, typer.Option(help="what the judge is told from; the settings' "
                                                            "otherwise")] = None,
          prometheus: Annotated[str, typer.Option(envvar="CANDLEFISH_PROMETHEUS", help="where it answers")] = "",
          on_hold: Hesitates = None,
          limit_exposure: Annotated[bool | None, typer.Option(help="a canary's first stage as small as the judge's "
                                                              "readings ask for")] = None,
          hold: Hold = None, front_door: Door = "", dry_run: DryRun = False, kubeconfig: Kubeconfig = None,
          context: Context = None, as_json: Json = False) -> None:
    """Brings an image to the idle colour, checks it, and moves the traffic. The same command again goes on."""
    screen = Screen(quiet=as_json)
    choice = Choice(strategy, readings, prometheus, on_hold, limit_exposure)
    runner = Place(service, stack, kubeconfig, context, dry_run).runner(screen.say, hold, front_door)
    _run(screen, as_json, runner, lambda: runner.start(image, choice))


@app.command()
def resume(service: Service, stack: Stack, on_hold: Hesitates = None, hold: Hold = None, front_door: Door = "",
           kubeconfig: Kubeconfig = None, context: Context = None, as_json: Json = False) -> None:
    """Goes on with a rollout whose process ended, or that is held."""
    screen = Screen(quiet=as_json)
    runner = Place(service, stack, kubeconfig, context).runner(screen.say, hold, front_door)
    _run(screen, as_json, runner, lambda: runner.resume(on_hold))


@app.command()
def promote(service: Service, stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None,
            as_json: Json = False) -> None:
    """Ends the hold, or passes the stage at work."""
    screen = Screen(quiet=as_json)
    runner = Place(service, stack, kubeconfig, context).runner(screen.say)
    _run(screen, as_json, runner, runner.promote)


@app.command()
def abort(service: Service, stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None,
          as_json: Json = False) -> None:
    """Takes a rollout back to the colour that was live when it began."""
    screen = Screen(quiet=as_json)
    runner = Place(service, stack, kubeconfig, context).runner(screen.say)
    _run(screen, as_json, runner, runner.abort)


@app.command()
def rollback(service: Service, stack: Stack,
             to: Annotated[int | None, typer.Option(help="a revision of `history`; the one before otherwise")] = None,
             hold: Hold = None, front_door: Door = "", dry_run: DryRun = False, kubeconfig: Kubeconfig = None,
             context: Context = None, as_json: Json = False) -> None:
    """Back to what ran before: at once while both colours are there, else by a rollout of the older image."""
    screen = Screen(quiet=as_json)
    runner = Place(service, stack, kubeconfig, context, dry_run).runner(screen.say, hold, front_door)
    _run(screen, as_json, runner, lambda: runner.rollback(to))


@app.command("emergency-rollback")
def emergency(stack: Stack, hold: Annotated[float, typer.Option(help="minutes that both colours stay")] = 0.0,
              front_door: Door = "", kubeconfig: Kubeconfig = None, context: Context = None,
              as_json: Json = False) -> None:
    """Website, backend-api and paintbox go back together. Exit code 1 when one of them could not."""
    screen = Screen(quiet=as_json)

    def runner(service: str) -> Runner:
        def say(line: str) -> None:
            screen.say(f"{service}: {line}")

        return Place(service, stack, kubeconfig, context).runner(say, hold, front_door)

    found = emergency_rollback(runner)
    done = all(back.done for back in found)
    if as_json:
        emit({"stack": stack, "done": done, "services": {back.service: {
            "done": back.done, "reason": back.why, "revision": back.record.revision if back.record else None,
            "image": back.record.image if back.record else None} for back in found}})
    for back in found:
        screen.say(f"{back.service}: " + ("back" if back.done else f"not back: {back.why}"), "bold")
    raise typer.Exit(Exit.DONE if done else Exit.FAILED)


@app.command()
def status(service: Service, stack: Stack,
           live: Annotated[bool, typer.Option("--live", help="anew each second, until the rollout ends")] = False,
           kubeconfig: Kubeconfig = None, context: Context = None, as_json: Json = False) -> None:
    """What is live, what is idle, and the rollout at work."""
    screen = Screen(quiet=as_json)
    runner = Place(service, stack, kubeconfig, context).runner(screen.say)
    found = runner.status()
    if as_json:
        emit(found)
        return
    with Live(_view(found), console=screen.console, auto_refresh=False) as shown:
        while live and _at_work(found):
            time.sleep(LIVE_SECONDS)
            found = runner.status()
            shown.update(_view(found), refresh=True)


def _at_work(found: Mapping[str, Any]) -> bool:
    rollout = found["rollout"]
    return bool(rollout) and rollout["phase"] != Phase.DONE and rollout["result"] != Result.HELD


def _view(found: Mapping[str, Any]) -> Group:
    table = Table("colour", "image", "weight", "pods", "ready", title=found["service"], title_justify="left")
    for colour, each in found["colours"].items():
        name = f"{colour} (live)" if colour == found["live"] else colour
        weight = "" if found["weights"] is None else str(found["weights"][colour])
        table.add_row(name, each["image"], weight, str(each["replicas"]), str(each["ready"]))
    rollout, lines = found["rollout"], []
    if rollout and rollout["phase"] != Phase.DONE:
        share = f" ({rollout['stages'][rollout['stage']]:g} %)" if rollout["stages"] else ""
        lines = [f"revision {rollout['revision']} ({rollout['strategy']}) is at {rollout['phase']}{share}, by "
                 f"{rollout['by']}", rollout["reason"] or (rollout["verdict"] or {}).get("reason", "")]
    return Group(table, *(Text(line) for line in lines if line))


@app.command()
def history(service: Service, stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None,
            as_json: Json = False) -> None:
    """Revisions, the latest last."""
    screen = Screen(quiet=as_json)
    records = Place(service, stack, kubeconfig, context).runner(screen.say).history()
    if as_json:
        emit({"service": service, "revisions": records})
        return
    table = Table("revision", "began", "image", "result", "why", title=service, title_justify="left")
    for record in records:
        began = datetime.fromtimestamp(record["began"]).astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(str(record["revision"]), began, record["image"], record["result"], record["reason"])
    screen.console.print(table)
