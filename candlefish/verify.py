"""`candlefish verify`: whether a stack is fit, as a table of checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from candlefish.account import client
from candlefish.connected import kubernetes
from candlefish.exits import Exit
from candlefish.options import Context, Json, Kubeconfig, Stack
from candlefish.outputs import Outputs, outputs_of
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from infra.settings.model import Settings
from kube.client import Client
from operations.verify import model, report, runner
from operations.verify.model import Outcome, State
from operations.verify.scene import Scene
from operations.verify.table import CHECKS

STYLES = {State.OK: "", State.FAILED: "bold red", State.SKIPPED: "yellow"}


def verify(stack: Stack, only: Annotated[list[str] | None, typer.Option(
               "--only", metavar="NAME", help="this check; again for others. --list names them")] = None,
           junit: Annotated[Path | None, typer.Option(metavar="FILE", help="JUnit's XML, for pipelines")] = None,
           list_: Annotated[bool, typer.Option("--list", help="what is checked, and nothing else")] = False,
           outputs: Outputs = None, kubeconfig: Kubeconfig = None, context: Context = None,
           as_json: Json = False) -> None:
    """Checks that a stack is fit: what answers and what must not, names, firewall, alarms, pods, backups.

    Exit code 1 when a check fails. It only looks. A check that has nothing to look at is skipped, and says why.
    """
    screen = Screen(quiet=as_json)
    chosen = runner.chosen(CHECKS, only or ())
    if list_:
        _list(chosen, as_json)
        return
    settings = settings_of(stack)
    found = Verification(stack, settings, outputs_of(stack, outputs), lambda: kubernetes(kubeconfig, context), chosen)
    if junit is not None:
        junit.write_text(report.junit(stack, found.at, found.seconds, found.outcomes))
    if as_json:
        emit(found.document)
    else:
        show(screen, found)
    if not found.passed:
        raise typer.Exit(Exit.FAILED)


class Verification:
    """One run of checks, done when it is made."""

    def __init__(self, stack: str, settings: Settings, outputs: Mapping[str, Any], cluster: Callable[[], Client],
                 checks: Sequence[model.Check] = CHECKS) -> None:
        self.stack, self.at, began = stack, datetime.now(UTC), time.monotonic()
        scene = Scene(stack, settings, model.Outputs(outputs), client, cluster)
        with closing(scene):
            self.outcomes: list[Outcome] = runner.verify(checks, scene)
        self.seconds = time.monotonic() - began

    @property
    def passed(self) -> bool:
        return report.passed(self.outcomes)

    @property
    def document(self) -> dict[str, Any]:
        return report.document(self.stack, self.at, self.seconds, self.outcomes)


def show(screen: Screen, found: Verification, states: Sequence[State] = tuple(State)) -> None:
    """A line for each check that ended in one of the states, and one with the numbers."""
    for each in found.outcomes:
        if each.state in states:
            screen.say(f"{each.state:8} {each.check.name:17} {each.seconds:5.2f} s  {each.said}", STYLES[each.state])
    number = report.counts(found.outcomes)
    screen.say(f"{found.stack}: {number[State.OK]} ok, {number[State.FAILED]} failed, {number[State.SKIPPED]} skipped, "
               f"in {found.seconds:.1f} s", "bold" if found.passed else "bold red")


def _list(checks: Sequence[model.Check], as_json: bool) -> None:
    if as_json:
        emit({"checks": [{"name": each.name, "group": each.group, "about": each.about} for each in checks]})
        return
    for each in checks:
        print(f"{each.name:18}{each.group:12}{each.about}")
