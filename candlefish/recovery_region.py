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

import boto3
import typer
from botocore.config import Config

from candlefish.connected import planned
from candlefish.exits import Exit, WrongUsage
from candlefish.options import DryRun, Json, Kubeconfig
from candlefish.project import project_directory, settings_of
from candlefish.screen import Screen, emit
from infra.plans.recovery import ENVIRONMENT_WITHIN
from infra.settings.model import Settings
from kube.client import Client
from operations.errors import OperationError
from operations.recovery import export as exports
from operations.recovery.account import Account
from operations.recovery.journal import Journal
from operations.recovery.model import spelled
from operations.recovery.rebuild import Parts, Rebuild, Result
from operations.recovery.runner import Runner

# A region that is gone does not answer: it is known after a minute, not after botocore's five.
PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
_PROGRAMS = ("pulumi", "pulumi-aws", "pulumi-eks", "pulumi-kubernetes", "pulumi-random")
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="new, empty, or an older export")]
From = Annotated[Path | None, typer.Option("--from", metavar="DIR", help="an export of the lost stack: its images; "
                                           "otherwise those of the stack's file")]
Check = Annotated[bool, typer.Option("--check", help="only say whether DIR is a whole export; nothing is asked of AWS")]


def register(app: typer.Typer) -> None:
    app.command()(export)
    app.command()(rebuild)


def export(output: Folder, stack: Annotated[str, typer.Option("--stack", "-s")] = "production", check: Check = False,
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


def rebuild(stack: Annotated[str, typer.Option("--stack", "-s")] = "recovery", from_: From = None,
            kubeconfig: Kubeconfig = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Builds a stack from the newest points of the one that it stands in for. Exit code 1 when it took longer than D6
    allows; run again it goes on where it was killed."""
    screen = Screen(quiet=as_json)
    settings = settings_of(stack)
    if settings.stands_in_for is None:
        raise WrongUsage(f"--stack {stack} stands in for nobody; set `candlefish:standsInFor` in its file, or take "
                         "recovery")
    lost = settings_of(settings.stands_in_for)
    runner = runner_of(stack, lambda line: screen.say(line, "dim"))
    work = Rebuild(Parts(
        Account(settings.stands_in_for, lost, client), settings, runner, lambda: cluster_of(runner, kubeconfig),
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


def client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region, config=PATIENCE)


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
