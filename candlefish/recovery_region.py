"""`candlefish recovery export`, `rebuild`, `failover`, `failback`: a stack in another region, and what that takes."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from candlefish.account import client
from candlefish.connected import planned
from candlefish.exits import Exit, WrongUsage
from candlefish.options import DryRun, Json, Kubeconfig, Stack
from candlefish.project import project_directory, settings_of
from candlefish.screen import Screen, emit
from infra.plans.places import EDGE_REGION
from infra.plans.recovery import ENVIRONMENT_WITHIN
from infra.settings.model import Settings
from kube.client import Client
from operations.errors import OperationError
from operations.recovery import export as exports
from operations.recovery.account import Account
from operations.recovery.direction import Side
from operations.recovery.failover import BACK, OVER, Failover, Move
from operations.recovery.journal import Journal
from operations.recovery.model import spelled
from operations.recovery.public_names import PublicNames, zone_of
from operations.recovery.rebuild import Parts, Rebuild, Result
from operations.recovery.runner import Runner

_PROGRAMS = ("pulumi", "pulumi-aws", "pulumi-eks", "pulumi-kubernetes", "pulumi-random")
Loss = Annotated[bool, typer.Option("--accept-data-loss", help="go on although what the other stack has written since "
                                    "would be lost")]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="new, empty, or an older export")]
From = Annotated[Path | None, typer.Option("--from", metavar="DIR", help="an export of the lost stack: its images; "
                                           "otherwise those of the stack's file")]
Check = Annotated[bool, typer.Option("--check", help="only say whether DIR is a whole export; nothing is asked of AWS")]


def register(app: typer.Typer) -> None:
    app.command()(export)
    app.command()(rebuild)
    app.command()(failover)
    app.command()(failback)


def export(output: Folder, stack: Stack = "production", check: Check = False,
           kubeconfig: Kubeconfig = None, as_json: Json = False) -> None:
    """Puts what a rebuild needs and the account does not hold into a folder. Exit code 1 when it is not whole."""
    screen = Screen(quiet=as_json)
    settings = settings_of(stack)
    if not check:
        runner = runner_of(stack, lambda line: screen.say(line, "dim"))
        made = exports.export(exports.Sources(
            Account(stack, settings, client), runner.export, lambda: cluster_of(runner, kubeconfig),
            project_directory(), versions()), output, datetime.now(UTC))
        screen.say(f"{made.files} files in {output}: {made.resources} resources, {made.objects} objects")
    wrong = exports.problems(output, stack)
    if as_json:
        emit({"stack": stack, "output": str(output), "complete": not wrong, "problems": wrong})
    else:
        for problem in wrong:
            screen.say(problem, "bold red")
        screen.say(f"{output}: " + ("not whole; a rebuild can't start from it" if wrong else "whole"), "bold")
    if wrong:
        raise typer.Exit(Exit.FAILED)


def rebuild(stack: Stack = "recovery", from_: From = None,
            kubeconfig: Kubeconfig = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Builds a stack from the newest points of the one that it stands in for. Exit code 1 when it took longer than D6
    allows; run again it goes on where it was killed."""
    screen = Screen(quiet=as_json)
    settings, lost = _pair(stack)
    runner = runner_of(stack, lambda line: screen.say(line, "dim"))
    work = Rebuild(Parts(
        Account(lost.environment, lost, client), settings, runner, lambda: cluster_of(runner, kubeconfig),
        Journal(client("ssm", settings.region), stack, "rebuild"), screen.say,
        _images(from_, lost) if from_ else {}))
    if dry_run:
        planned(screen, as_json, work.planned())
        return
    found = work.run()
    if as_json:
        emit(_built(found, settings))
    else:
        for name, seconds in found.steps.items():
            screen.say(f"  {name:8}{spelled(timedelta(seconds=seconds))}")
        for name in found.to_fill:
            screen.say(f"  to be filled by hand, as nothing copies a secret's value: {name}")
        screen.say(f"{stack} is built in {spelled(timedelta(seconds=found.seconds))}; "
                   f"{spelled(ENVIRONMENT_WITHIN)} is allowed", "bold")
    if not found.inside:
        raise typer.Exit(Exit.FAILED)


def failover(stack: Annotated[str, typer.Option("--stack", "-s", help="who takes over")] = "recovery",
             accept_data_loss: Loss = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Leads the public names of the stack that `--stack` stands in for to `--stack`."""
    _move(OVER, stack, accept_data_loss, dry_run, as_json)


def failback(stack: Annotated[str, typer.Option("--stack", "-s", help="who took over")] = "recovery",
             accept_data_loss: Loss = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Leads them home. Refused as long as the database at home lacks what was written since."""
    _move(BACK, stack, accept_data_loss, dry_run, as_json)


def _move(operation: str, stack: str, accept_data_loss: bool, dry_run: bool, as_json: bool) -> None:
    screen = Screen(quiet=as_json)
    settings, lost = _pair(stack)

    def side(of: Settings) -> tuple[Side, Runner]:
        runner = runner_of(of.environment, lambda line: screen.say(line, "dim"))
        return Side(Account(of.environment, of, client), lambda: cluster_of(runner, None)), runner

    (standing, here), (home, there) = side(settings), side(lost)
    route53 = client("route53", EDGE_REGION)
    work = Failover(Move(
        home, standing, PublicNames(client("cloudfront", EDGE_REGION), route53, zone_of(route53, lost.domain.name)),
        Journal(client("ssm", settings.region), stack, OVER), (here if operation == OVER else there).reach, screen.say,
        accept_data_loss), operation)
    if dry_run:
        planned(screen, as_json, work.planned())
        return
    found = work.run()
    if as_json:
        emit({"operation": operation, "stack": stack, "standsInFor": lost.environment, "changed": list(found.changed),
              "started": found.record.started, "finished": found.record.finished, "seconds": found.seconds,
              "steps": dict(found.record.steps)})
    else:
        leads = stack if operation == OVER else lost.environment
        screen.say(f"{lost.environment}'s names lead to {leads}, {spelled(timedelta(seconds=found.seconds))} after "
                   "the beginning", "bold")


def _pair(stack: str) -> tuple[Settings, Settings]:
    """Settings of the stack, and of the one that it stands in for."""
    settings = settings_of(stack)
    if settings.stands_in_for is None:
        raise WrongUsage(f"--stack {stack} stands in for nobody; set `candlefish:standsInFor` in its file, or take "
                         "recovery")
    return settings, settings_of(settings.stands_in_for)


def _images(folder: Path, lost: Settings) -> dict[str, str]:
    exports.expect_complete(folder, lost.environment)
    objects = json.loads((folder / exports.CLUSTER).read_bytes())
    return exports.images(objects, lost.services)


def _built(found: Result, settings: Settings) -> dict[str, Any]:
    record = found.record
    return {"stack": record.stack, "standsInFor": settings.stands_in_for, "region": settings.region,
            "started": record.started, "finished": record.finished, "seconds": found.seconds,
            "targetSeconds": ENVIRONMENT_WITHIN.total_seconds(), "inside": found.inside, "steps": found.steps,
            "points": {key: record.plan[key] for key in ("databaseAt", "tablesAt")},
            "settings": record.plan["settings"], "secretsToFill": list(found.to_fill)}


def runner_of(stack: str, say: Callable[[str], None]) -> Runner:
    from candlefish.recovery_runner import runner_of as found  # a second of imports that `points` does without

    return found(stack, say)


def cluster_of(runner: Runner, kubeconfig: Path | None) -> Client:
    """The stack's own cluster, whatever KUBECONFIG says: two stacks can have the same namespace."""
    if kubeconfig is not None:
        return Client.from_kubeconfig(kubeconfig)
    found = runner.outputs().get("kubeconfig")
    if not found:
        raise OperationError(f"{runner.stack} has no output `kubeconfig`: it was never built whole; run `up` first")
    return Client.from_kubeconfig(found if isinstance(found, dict) else str(found))


def versions() -> Mapping[str, str]:
    """Of what made an export; the commit is empty outside a repository."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project_directory(), capture_output=True, text=True,
                          check=False)
    return {"python": platform.python_version(), "commit": done.stdout.strip(),
            **{name: version(name) for name in _PROGRAMS}}
