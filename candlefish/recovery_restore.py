"""`candlefish recovery restore`: brings one thing back, in the account that boto3 signs in to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from candlefish.account import restoring
from candlefish.options import Json, Stack, moment
from candlefish.project import settings_of
from candlefish.screen import Screen, emit
from operations.recovery import left_names, left_network, restore_names, restore_objects, restore_tables
from operations.recovery.account import Account
from operations.recovery.restoration import Waiting

app = typer.Typer(no_args_is_help=True, help="Bring back one thing: a table, a bucket, a secret, a key.")

At = Annotated[str, typer.Option("--at", metavar="TIME", help="as it was then, with an offset: 2026-11-23T19:00:00Z")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="also what was changed since, not only what is gone")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="as AWS knows it; of a secret or a key also the ARN")]


@app.command()
def table(name: Name, at: At, stack: Stack = "production", overwrite: Overwrite = False, as_json: Json = False) -> None:
    """Puts back the items that a table had, from its point-in-time recovery."""
    screen = Screen(quiet=as_json)
    done = restore_tables.restore(_account(stack), name, moment(at), overwrite=overwrite, say=screen.say)
    counts = {f"{became}": count for became, count in done.counts.items()}
    _tell(screen, as_json, {"table": name, "at": done.at.isoformat(), "items": done.items, **counts},
          f"{name}: {done.items} items as of {done.at.isoformat()}: " +
          ", ".join(f"{count} {became}" for became, count in counts.items()))


@app.command()
def bucket(name: Name, at: At, stack: Stack = "production", overwrite: Overwrite = False,
           as_json: Json = False) -> None:
    """Takes back what was deleted in a bucket, from the objects' older versions."""
    screen = Screen(quiet=as_json)
    done = restore_objects.restore(_account(stack), name, moment(at), overwrite=overwrite, say=screen.say)
    _tell(screen, as_json, {**asdict(done), "at": done.at.isoformat()},
          f"{name}: {done.back} objects back, {done.overwritten} as they were, {done.kept} left as they are now")


@app.command()
def secret(name: Name, stack: Stack = "production", as_json: Json = False) -> None:
    """Takes back the deletion of a secret within its recovery window."""
    _taken_back(restore_names.secret(_account(stack), name), as_json)


@app.command()
def key(name: Name, stack: Stack = "production", as_json: Json = False) -> None:
    """Takes back the deletion of a KMS key within its window, and enables it."""
    _taken_back(restore_names.key(_account(stack), name), as_json)


def names(stack: Stack = "production", yes: Annotated[bool, typer.Option("--yes", "-y", help="remove them")] = False,
          as_json: Json = False) -> None:
    """Shows, and removes with --yes, what a destroyed stack left under names that it needs again, and what a cluster
    that is gone left in the network."""
    account, screen = _account(stack), Screen(quiet=as_json)
    groups, network = sorted(left_names.log_groups(account)), left_network.find(account)
    if yes:
        left_names.remove(account, groups)
        left_network.remove(account, network, Waiting(say=screen.say))
    found = [*groups, *(f"{each.kind} {each.id}" for each in network)]
    _tell(screen, as_json,
          {"stack": stack, "log_groups": groups, "network": [{"kind": each.kind, "id": each.id} for each in network],
           "removed": yes},
          f"{'removed' if yes else 'left, --yes removes them'}: {', '.join(found) or 'nothing'}")


def _taken_back(done: restore_names.TakenBack, as_json: bool) -> None:
    said = "is back" if done.was else "was not deleted"
    _tell(Screen(quiet=as_json), as_json, {"name": done.name, "arn": done.arn, "was_deleted": done.was},
          f"{done.name} {said}")


def _account(stack: str) -> Account:
    return Account(stack, settings_of(stack), restoring)


def _tell(screen: Screen, as_json: bool, document: dict[str, Any], sentence: str) -> None:
    if as_json:
        emit(document)
    else:
        screen.say(sentence, "bold")
