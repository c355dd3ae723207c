"""`candlefish policy`: the security controls on what the program would make, without credentials."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from candlefish.exits import Exit
from candlefish.options import Json
from candlefish.policies import MANDATORY, UNDECIDED, WAIVED
from candlefish.preview_evaluate import Job, Recorded, record
from candlefish.preview_sources import ALL, here
from candlefish.project import project_directory
from candlefish.screen import Screen, emit, short
from policy.waivers import load
from rehearsal.engine.errors import EngineError

app = typer.Typer(no_args_is_help=True)
SECTIONS = {"violations": MANDATORY, "waived": WAIVED, "undecided": UNDECIDED}


@app.callback()
def _group() -> None:
    """One command of its own would not have a name."""


@app.command()
def check(stack: Annotated[str, typer.Option("--stack", "-s", help="development, staging, production, recovery or all")]
          = ALL, as_json: Json = False) -> None:
    """Holds every control of `policy/` against every resource that the program would make.

    A finding is mended, or accepted in policy/waivers.yaml with a reason and an end; a waiver that has ended accepts
    nothing. Exit code 3 when a policy is violated."""
    screen = Screen(quiet=as_json)
    load()  # a waiver that is wrong is told before anything runs
    project = project_directory()
    jobs = [Job(name, project) for name in here(project, stack)]
    found = {job.stack: each for job, each in record(jobs, lambda job: screen.say(f"{job.stack}: recorded")).items()}
    for name, recorded in found.items():
        if recorded.failure:
            raise EngineError(f"{name}: the program does not run, so there is nothing to check: {recorded.failure}")
    if as_json:
        emit({"stacks": [_document(name, recorded) for name, recorded in found.items()]})
    else:
        for name, recorded in found.items():
            _show(screen, name, recorded)
    if any(each.level == MANDATORY for recorded in found.values() for each in recorded.judgement.found):
        raise typer.Exit(Exit.POLICY)


def _document(stack: str, recorded: Recorded) -> dict[str, Any]:
    judgement = recorded.judgement
    return {"stack": stack, "controls": judgement.controls, "held": judgement.held,
            "unusedWaivers": list(judgement.unused),
            **{section: [{"name": each.name, "ids": list(each.ids), "level": each.level, "resource": each.resource,
                          "message": each.message, **({"expires": each.expires} if each.expires else {})}
                         for each in judgement.found if each.level == level] for section, level in SECTIONS.items()}}


def _show(screen: Screen, stack: str, recorded: Recorded) -> None:
    judgement = recorded.judgement
    of = {level: [each for each in judgement.found if each.level == level] for level in SECTIONS.values()}
    for each in of[MANDATORY]:
        screen.say(f"! {'/'.join(each.ids)} {short(each.resource)}: {each.message}", "bold red")
    for each in of[WAIVED]:
        screen.say(f"  waived until {each.expires}: {each.ids[0]} {short(each.resource)}: {each.message}", "dim")
    for text in judgement.unused:
        screen.say(f"  a waiver that covers nothing: {text}", "yellow")
    screen.say(f"{stack}: {judgement.controls} controls, met {judgement.held} times; {len(of[MANDATORY])} violated, "
               f"{len(of[WAIVED])} waived, {len(of[UNDECIDED])} that only the deployment can tell",
               "bold red" if of[MANDATORY] else "bold")
