"""`candlefish rehearse timing`: how long a real `up` or `destroy` of a stack would take, and because of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from candlefish.exits import WrongUsage
from candlefish.options import STAGING, Json, Stack
from candlefish.runtime import Rehearsal
from candlefish.screen import Screen, emit
from infra.plans.recovery import ENVIRONMENT_WITHIN
from rehearsal.engine import results
from rehearsal.engine.results import Result
from rehearsal.engine.state import State
from rehearsal.timing import durations, gantt, graph
from rehearsal.timing.durations import clock
from rehearsal.timing.graph import StateUnreadable
from rehearsal.timing.prediction import PARALLEL, SAMPLES, Prediction, Shortening, predict

_MAKES = (results.Operation.CREATE, results.Operation.REPLACE)
_GAINS = 8  # lines of each kind on the terminal; --json and --html have all


class Clock(StrEnum):
    """Whose time an `up` is counted in."""

    HERE = "here"
    AWS = "aws"


class Operation(StrEnum):
    UP = "up"
    DESTROY = "destroy"


_KIND = {Operation.UP: durations.Operation.CREATE, Operation.DESTROY: durations.Operation.DELETE}

Clocks = Annotated[Clock, typer.Option("--clock", help="aws: also say how long AWS would have taken, and why")]
Which = Annotated[Operation, typer.Option("--operation", help="up: from nothing to all; destroy: the way back")]
StateFile = Annotated[Path | None, typer.Option(
    "--state", metavar="FILE", help="what `pulumi stack export` wrote, instead of the rehearsal's state")]
Own = Annotated[Path | None, typer.Option(
    "--durations", metavar="FILE", help="measurements of your own, in the form of rehearsal/timing/durations.yaml")]
Faults = Annotated[list[str] | None, typer.Option("--fault", metavar="NAME", help="what goes wrong on the way")]
Parallel = Annotated[int, typer.Option(min=1, max=10_000, help="Pulumi's --parallel: four times the processors")]
Seed = Annotated[int, typer.Option(help="the same samples for the same seed")]
Samples = Annotated[int, typer.Option(min=20, max=20_000, help="how many runs the percentiles are of")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="write a page with picture and tables")]
Svg = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="write the picture")]


def timing(stack: Stack = STAGING, operation: Which = Operation.UP, state: StateFile = None, own: Own = None,
           fault: Faults = None, parallel: Parallel = PARALLEL, seed: Seed = 0, samples: Samples = SAMPLES,
           html: Html = None, svg: Svg = None, as_json: Json = False) -> None:
    """Predicts how long AWS would take, on a clock that is only counted.

    Of the resources in the rehearsal's state, or, where there is none, of a preview from nothing.
    """
    screen = Screen(quiet=as_json)
    table = durations.load(own)
    for path in (html, svg):
        if path is not None and not path.absolute().parent.is_dir():
            raise WrongUsage(f"{path}: there is no folder {path.parent}; make it first")
    states, of = _resources(stack, state, screen)
    found = predict(states, _KIND[operation], table, parallel=parallel, seed=seed, samples=samples, faults=fault or ())
    title = f"{operation} of {stack}, {of}" + "".join(f", with {name}" for name in fault or ())
    if html is not None:
        html.write_text(gantt.page(found, title))
    if svg is not None:
        svg.write_text(gantt.svg(found, title))
    if as_json:
        emit({"stack": stack, "operation": operation.value, "of": of, "faults": list(fault or ()),
              "allowedSeconds": ENVIRONMENT_WITHIN.total_seconds() if operation is Operation.UP else None,
              **{key: value for key, value in asdict(found).items() if key not in ("bars", "operation")}})
    else:
        _show(found, title, operation)


def of_run(result: Result, states: Sequence[State], seed: int) -> dict[str, Any]:
    """For `up --clock aws`: how long AWS would have taken with what this run made, in seconds, and the names on the
    critical path in their order. What was there already takes no time."""
    made = {step.urn for step in result.steps if step.operation in _MAKES}
    found = predict(states, durations.Operation.CREATE, durations.load(), seed=seed, only=made)
    return {"predicted_seconds": {"p50": round(found.p50, 1), "p95": round(found.p95, 1)},
            "critical_path": [part.name for part in found.path if part.seconds >= 1]}


def said(predicted: Mapping[str, Any]) -> str:
    took = predicted["predicted_seconds"]
    return (f"AWS would have taken {clock(took['p50'])} (P95 {clock(took['p95'])}): "
            f"{', '.join(predicted['critical_path']) or 'nothing was made'}")


def _resources(stack: str, file: Path | None, screen: Screen) -> tuple[Sequence[State], str]:
    """The resources, and what they are of. Raises SettingsError for an unknown stack."""
    if file is not None:
        return _some(graph.recorded(file), file), str(file)
    rehearsal = Rehearsal(stack, report=screen.say)
    _ = rehearsal.settings
    if rehearsal.state.path.exists() and (states := graph.recorded(rehearsal.state.path)):
        return states, "the rehearsal's state"
    screen.say(f"{stack} has no state here: a preview says what it consists of", "dim")
    servers = rehearsal.start(kubernetes=False)
    engine = rehearsal.engine(servers.aws, lambda event: None)
    engine.preview()
    return engine.states, "a preview"


def _some(states: Sequence[State], file: Path) -> Sequence[State]:
    if not states:
        raise StateUnreadable(f"{file} holds no resources; export a stack that has been brought up")
    return states


def _show(found: Prediction, title: str, operation: Operation) -> None:
    print(f"{title}: {found.resources} resources, {found.parallel} at a time")
    allowed = f"; D6 allows {clock(ENVIRONMENT_WITHIN.total_seconds())}" if operation is Operation.UP else ""
    print(f"P50 {clock(found.p50)}  P95 {clock(found.p95)}   ({found.samples} samples, seed {found.seed}){allowed}")
    over = found.median / found.bound - 1 if found.bound else 0.0
    print(f"with every duration at its median {clock(found.median)}: {over:.0%} over the longest path, "
          f"{clock(found.bound)}\n")
    print("critical path: at, takes, share, on it in samples")
    for part in found.path:
        if part.seconds >= 1:
            after = f"  after {part.after} ({part.why})" if part.after else ""
            print(f"  {clock(part.begins):>8} {clock(part.seconds):>7} {part.share:>4.0%} {part.often:>5.0%}  "
                  f"{part.name} ({part.type}){after}")
    _gains("if it took no time", found.if_instant, found.median)
    _gains("if it did not wait", found.if_not_waiting, found.median)
    _gains("if more went on at once", found.if_parallel, found.median)
    print(f"\nassumed, for want of a figure: {sum(found.assumed.values())} resources of {len(found.assumed)} types "
          "(--json lists them)")


def _gains(heading: str, found: Sequence[Shortening], median: float) -> None:
    gains = [each for each in found if each.seconds < median - 0.5][:_GAINS]
    if gains:
        print(f"\n{heading}:")
    for each in gains:
        print(f"  {clock(each.seconds):>8}  {each.what}")
