"""`candlefish secrets`: how old a stack's secrets are, and their rotation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from candlefish.account import client
from candlefish.connected import planned
from candlefish.exits import Exit
from candlefish.options import DryRun, Json, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen, emit, rows
from operations.errors import NotAcceptable
from operations.upkeep.secrets import Secret, Secrets

app = typer.Typer(no_args_is_help=True)


def _secrets(stack: str, screen: Screen) -> Secrets:
    settings = settings_of(stack)
    return Secrets(stack, settings, client("secretsmanager", settings.region), client("rds", settings.region),
                   screen.say)


@app.command("list")
def list_(stack: Stack, as_json: Json = False) -> None:
    """Names, ages and next rotations; never a value. Exit code 1 when a rotation is overdue or does not end."""
    found, now = _secrets(stack, Screen(quiet=as_json)).all(), datetime.now(UTC)
    if as_json:
        emit({"stack": stack, "secrets": [_document(each, now) for each in found]})
    else:
        rows(("", "secret", "every", "age", "rotated", "next"), [_row(each, now) for each in found])
    if any(_state(each, now) != "ok" for each in found):
        raise typer.Exit(Exit.FAILED)


@app.command()
def rotate(stack: Stack, name: Annotated[str | None, typer.Argument(help="jwt-key, cache-auth, database")] = None,
           all_: Annotated[bool, typer.Option("--all", help="every secret that is rotated, one after another")] = False,
           dry_run: DryRun = False, as_json: Json = False) -> None:
    """Rotates a secret now, and waits until the new value is the current one."""
    screen = Screen(quiet=as_json)
    if (name is None) is not all_:
        raise NotAcceptable("name a secret, or say --all; `candlefish secrets list` has them")
    work = _secrets(stack, screen)
    chosen = [work.named(name)] if name is not None else [each for each in work.all() if each.rotates]
    if dry_run:
        planned(screen, as_json, [f"rotate {each.name} ({each.physical})" for each in chosen])
        return
    done = [work.rotate(each) for each in chosen]
    if as_json:
        emit({"stack": stack, "rotated": done})


def _state(secret: Secret, now: datetime) -> str:
    return "pending" if secret.pending else "overdue" if secret.overdue(now) else "ok"


def _document(secret: Secret, now: datetime) -> dict[str, Any]:
    return {"name": secret.name, "arn": secret.arn, "state": _state(secret, now), "days": secret.every,
            "changed": secret.changed.isoformat(), "rotated": secret.rotated.isoformat() if secret.rotated else None,
            "due": secret.due.isoformat() if secret.due else None, "pending": secret.pending or None}


def _row(secret: Secret, now: datetime) -> tuple[str, ...]:
    return (_state(secret, now), secret.name, f"{secret.every} d" if secret.every else "by hand",
            f"{(now - secret.changed).days} d", f"{secret.rotated:%Y-%m-%d}" if secret.rotated else "",
            f"{secret.due:%Y-%m-%d}" if secret.due else "")
