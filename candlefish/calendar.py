"""`candlefish calendar`: what is done how often."""

from __future__ import annotations

from typing import Annotated

import typer

from candlefish.options import Json
from candlefish.screen import emit, rows
from operations.errors import NotAcceptable
from operations.upkeep.calendar import Every, page, tasks


def calendar(stack: Annotated[str, typer.Option("--stack", "-s", help="whose commands")] = "production",
             every: Annotated[Every | None, typer.Option(help="only these; otherwise all")] = None,
             markdown: Annotated[bool, typer.Option("--markdown", help="as docs/calendar.md has it")] = False,
             as_json: Json = False) -> None:
    """The maintenance calendar: daily, weekly, monthly and quarterly tasks, each a command that says what there is."""
    if markdown and (as_json or every is not None):
        raise NotAcceptable("--markdown is the whole page; leave out --json and --every")
    if markdown:
        print(page(stack), end="")
    elif as_json:
        emit({"stack": stack, "tasks": [{"every": each.every.value, "what": each.what, "command": each.command,
                                         "why": each.why} for each in tasks(stack, every)]})
    else:
        rows(("every", "what", "command"), [(each.every, each.what, each.command) for each in tasks(stack, every)])
