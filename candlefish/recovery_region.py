"""`candlefish recovery export`, `rebuild`, `failover`, `failback`: a stack in another region, and what that takes."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config

from candlefish.exits import Exit
from candlefish.options import Json, Kubeconfig
from candlefish.project import project_directory, settings_of
from candlefish.screen import Screen, emit
from kube.client import Client
from operations.errors import OperationError
from operations.recovery import export as exports
from operations.recovery.account import Account
from operations.recovery.runner import Runner

# A region that is gone does not answer: it is known after a minute, not after botocore's five.
PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
_PROGRAMS = ("pulumi", "pulumi-aws", "pulumi-eks", "pulumi-kubernetes", "pulumi-random")
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="new, empty, or an older export")]
Check = Annotated[bool, typer.Option("--check", help="only say whether DIR is a whole export; nothing is asked of AWS")]


def register(app: typer.Typer) -> None:
    app.command()(export)


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
