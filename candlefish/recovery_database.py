"""`candlefish recovery validate` and `candlefish recovery restore database`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import Annotated

import typer
import yaml

from candlefish.account import restoring
from candlefish.connected import kubernetes, planned
from candlefish.exits import Exit
from candlefish.options import Context, DryRun, Json, Kubeconfig, Stack, moment
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from operations.cluster import Objects, expect_namespace
from operations.errors import NotAcceptable
from operations.recovery.account import Account
from operations.recovery.checks import Checked
from operations.recovery.probe import Probe
from operations.recovery.restoration import Point, Waiting, at_time, of_snapshot
from operations.recovery.restore import Restored, plan
from operations.recovery.restore import restore as bring_back
from operations.recovery.validate import validate as examine

restore = typer.Typer(no_args_is_help=True, help="Bring something back beside what there is.")

Report = Annotated[Path | None, typer.Option(help="a file for the report of the monthly test, in Markdown")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="RFC 3339, such as 2026-11-21T10:30:00Z")]
Snapshot = Annotated[str | None, typer.Option(metavar="ID", help="of the stack's database")]


def register(recovery: typer.Typer) -> None:
    recovery.command()(validate)
    recovery.add_typer(restore, name="restore")


def validate(stack: Stack = "production", as_json: Json = False, report: Report = None, kubeconfig: Kubeconfig = None,
             context: Context = None) -> None:
    """Restores the newest point of the database to a throw-away instance, checks it and removes it. Exit code 1 when a
    check fails or could not be made."""
    screen = Screen(quiet=as_json)
    with _connected(stack, kubeconfig, context) as (account, probe):
        found = examine(account, probe, Waiting(say=screen.say))
    if report is not None:
        report.write_text(found.markdown())
    if as_json:
        emit(found.document())
    else:
        print(found.markdown(), end="")
    if not found.good:
        raise typer.Exit(Exit.FAILED)


@restore.command()
def database(stack: Stack = "production", at: At = None, snapshot: Snapshot = None, dry_run: DryRun = False,
             as_json: Json = False, kubeconfig: Kubeconfig = None, context: Context = None) -> None:
    """Restores the database to a new instance, checks it, and says how the stack takes it over. Run again, it goes on
    where it was interrupted."""
    screen = Screen(quiet=as_json)
    account = _account(stack)
    point = _point(account, at, snapshot)
    if dry_run:
        planned(screen, as_json, plan(account, point))
        return
    with _connected(stack, kubeconfig, context) as (account, probe):
        found = bring_back(account, point, probe, Waiting(say=screen.say))
    if as_json:
        emit(found.document())
    else:
        _show(found)


def _point(account: Account, at: str | None, snapshot: str | None) -> Point:
    if (at is None) == (snapshot is None):
        raise NotAcceptable("give exactly one of --at and --snapshot; `candlefish recovery points` lists what there is")
    if snapshot is not None:
        return of_snapshot(account, snapshot)
    return at_time(account, moment(str(at)), datetime.now(UTC))


def _account(stack: str) -> Account:
    return Account(stack, settings_of(stack), restoring)


@contextmanager
def _connected(stack: str, kubeconfig: Path | None, context: str | None) -> Iterator[tuple[Account, Probe]]:
    account = _account(stack)
    namespace = account.settings.cluster.namespace
    with kubernetes(kubeconfig, context) as client:
        expect_namespace(client, stack, namespace)
        yield account, Probe(Objects(client, namespace), account.settings)


def _show(found: Restored) -> None:
    print(f"{found.instance} is there, restored to {found.point}: {found.host}")
    _checks(found.checks)
    print("\nIts origin, for the stack's settings:\n")
    print(indent(yaml.safe_dump({"candlefish:database": dict(found.settings)}, sort_keys=False), "    "))
    print("To let the stack take it over, in this order (docs/recovery.md):\n")
    for number, step in enumerate(found.takeover, 1):
        print(f"{number:3} {step}")


def _checks(checks: Sequence[Checked]) -> None:
    for each in checks:
        print(f"  {each.verdict:12}  {each.name}: {each.text}")
