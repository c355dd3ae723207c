"""`candlefish recovery`: what a stack can be brought back from, and bringing it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import typer

from candlefish import recovery_database, recovery_drill, recovery_region, recovery_restore
from candlefish.account import client
from candlefish.exits import Exit
from candlefish.options import Json, Stack
from candlefish.project import settings_of
from candlefish.screen import emit, rows
from operations.recovery.account import Account
from operations.recovery.model import Judged, State, spelled
from operations.recovery.points import look

app = typer.Typer(no_args_is_help=True)
recovery_database.register(app)
recovery_database.restore.add_typer(recovery_restore.app)
app.command()(recovery_restore.names)
app.command()(recovery_drill.drill)
recovery_region.register(app)
_HEADING = ("", "what", "how", "where", "age", "allowed", "encrypted", "restorable", "copied")


@app.command()
def points(stack: Stack = "production", as_json: Json = False) -> None:
    """Every recovery point with its age against D6. Exit code 1 when one is too old, open, broken or missing."""
    settings = settings_of(stack)
    account = Account(stack, settings, client)
    now = datetime.now(UTC)
    found = look(account, now)
    if as_json:
        emit({"stack": stack, "at": now.isoformat(timespec="seconds"), "region": account.home,
              "recoveryRegion": account.away, "points": [_document(each) for each in found]})
    else:
        _show(found)
    if any(each.state is State.BAD for each in found):
        raise typer.Exit(Exit.FAILED)


def _document(judged: Judged) -> dict[str, Any]:
    point = judged.point
    return {
        "kept": point.kept.value, "how": point.how.value, "resource": point.resource, "region": point.region,
        "newest": point.newest.isoformat() if point.newest else None,
        "ageSeconds": round(judged.age.total_seconds()) if judged.age is not None else None,
        "rpoSeconds": round(judged.rpo.total_seconds()) if judged.rpo is not None else None,
        "encrypted": point.encrypted, "restorable": point.restorable, "copied": point.copied,
        "state": judged.state.value, "faults": list(judged.faults)}


def _show(found: list[Judged]) -> None:
    rows(_HEADING, map(_row, found))
    print()
    for judged in found:
        for fault in judged.faults:
            print(f"{judged.point.kept} {judged.point.resource}, {judged.point.how} in {judged.point.region}: {fault}")


def _row(judged: Judged) -> tuple[str, ...]:
    point = judged.point
    if judged.age is None:
        return (judged.state, f"{point.kept} {point.resource}", point.how, point.region, "none", _allowed(judged), "",
                "", "")
    return (judged.state, f"{point.kept} {point.resource}", point.how, point.region, spelled(judged.age),
            _allowed(judged), _word(point.encrypted), _word(point.restorable), _word(point.copied))


def _allowed(judged: Judged) -> str:
    return "" if judged.rpo is None else spelled(judged.rpo)


def _word(true: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[true]
