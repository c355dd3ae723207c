"""The runbooks' pages: one a disaster, and a list of them. Made from the table alone, so that they say what is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rehearsal.disasters.drill import Targets, predicted
from rehearsal.disasters.table import DISASTERS, Disaster, Loss
from rehearsal.engine.state import State
from rehearsal.timing import durations
from rehearsal.timing.durations import Operation, clock
from rehearsal.timing.prediction import predict

MADE_BY = "Made by `python -m tests.runbooks --write` from `rehearsal/disasters/table.py`; a test compares."
ANSWER = {"P0": "at once, within 15 min", "P1": "within 30 min", "P2": "within 2 h", "P3": "within 1 business day"}


@dataclass(frozen=True)
class Times:
    """Seconds on AWS. None: nothing is known of the commands' own time."""

    p50: float
    p95: float


def times(states: Sequence[State]) -> dict[str, Times | None]:
    """By disaster, of a stack's graph: what has to be made again, and what the commands do beside it."""
    table = durations.load()
    made: dict[str, Times] = {}
    found: dict[str, Times | None] = {}
    for each in DISASTERS:
        key = repr((each.remakes, each.given))
        if each.remakes and key not in made:
            after = [replace(state, inputs={**state.inputs, **each.given.get(state.type, {})}) for state in states]
            only = {state.urn for state in states if state.type.startswith(each.remakes)}
            whole = predict(after, Operation.CREATE, table, only=only)
            made[key] = Times(whole.p50, whole.p95)
        own = predicted(each.commands, table, 0)
        parts = [*([made[key]] if each.remakes else []), *(Times(part.p50, part.p95) for part in own)]
        found[each.name] = Times(sum(part.p50 for part in parts), sum(part.p95 for part in parts)) if parts else None
    return found


def pages(targets: Mapping[str, Targets], found: Mapping[str, Times | None]) -> dict[str, str]:
    """By the file's name."""
    return {"README.md": _list(targets, found),
            **{f"{each.name}.md": _page(each, targets[each.name], found[each.name]) for each in DISASTERS}}


def _list(targets: Mapping[str, Targets], found: Mapping[str, Times | None]) -> str:
    rows = "".join(
        f"| {each.severity} | [{each.title}]({each.name}.md) | {_took(found[each.name])} | "
        f"{clock(targets[each.name].within)} | {_rehearsed(each)} |\n" for each in DISASTERS)
    return (f"# Runbooks of disasters\n\n{MADE_BY}\n\nTimes are those of production's resources on AWS, P50 and P95 "
            "([how they are counted](../../recovery.md)): they begin when the first command does.\n\n"
            f"| severity | disaster | predicted | D6 allows | rehearsed |\n|---|---|---|---|---|\n{rows}")


def _page(disaster: Disaster, targets: Targets, found: Times | None) -> str:
    lines = [f"# Runbook: {disaster.title[0].lower()}{disaster.title[1:]}", "", MADE_BY, "",
             f"**{disaster.severity}**: answered {ANSWER[disaster.severity]}.", "",
             "## Symptoms", disaster.symptoms, ""]
    if disaster.before:
        lines += ["## First", _of_stack(disaster.before), ""]
    commands = [_of_stack(each.line) for each in disaster.commands]
    lines += ["## Commands", "```sh", *commands, "```", ""]
    lines += ["## Time and data", f"* Predicted: {_took(found)}. D6 allows {clock(targets.within)} "
              f"({disaster.within}).", f"* Data lost: {_data(disaster, targets)}", ""]
    lines += ["## Is all well again?", f"{_of_stack(disaster.verify)[0].upper()}{_of_stack(disaster.verify)[1:]}.", ""]
    if disaster.notes:
        lines += ["## Mind", disaster.notes, ""]
    lines += ["## Rehearsal", f"`candlefish recovery drill --disaster {disaster.name}`" if disaster.strike else
              f"`{disaster.drill}`", ""]
    return "\n".join(lines)


def _of_stack(text: str) -> str:
    for place in ("stack", "table", "bucket", "secret", "key", "moment", "copy", "restored"):
        text = text.replace(f"{{{place}}}", "production" if place == "stack" else place.upper())
    return text


def _took(found: Times | None) -> str:
    return "no figure" if found is None else f"P50 {clock(found.p50)}, P95 {clock(found.p95)}"


def _data(disaster: Disaster, targets: Targets) -> str:
    if disaster.loss is Loss.NOTHING:
        return "none is in it, or all of it is there again."
    return f"at most the last {clock(targets.rpo)} ({disaster.loss})."


def _rehearsed(disaster: Disaster) -> str:
    return "yes" if disaster.strike else f"`{disaster.drill}`"
