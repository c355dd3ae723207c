"""The controls on a recorded graph, in this process: what `policy check`, previews and tests see of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from policy.controls import CONTROLS
from policy.evaluate import evaluate
from policy.model import UNKNOWN as SPELLED
from policy.model import Finding, Resource
from policy.waivers import Waiver, apply, load
from rehearsal.engine.state import State
from rehearsal.engine.values import UNKNOWN, Secret
from rehearsal.recording import Graph

MANDATORY, WAIVED, UNDECIDED = "mandatory", "waived", "undecided"


@dataclass(frozen=True)
class Judged:
    """A control and a resource. level: mandatory (it is violated), waived or undecided. expires: of the waiver that
    covers it, or covered it until then."""

    name: str
    ids: tuple[str, ...]
    level: str
    resource: str
    message: str
    expires: str = ""


@dataclass(frozen=True)
class Judgement:
    """controls: how many were asked. held: how often one was met. unused: waivers that cover nothing here."""

    found: tuple[Judged, ...]
    controls: int
    held: int
    unused: tuple[str, ...]


def judge(graph: Graph, environment: str, today: date, waivers: tuple[Waiver, ...] | None = None) -> Judgement:
    """Raises WaiverError."""
    result = evaluate(resources(graph))
    verdict = apply(result.findings, load() if waivers is None else waivers, environment, today)
    ended = {id(finding): waiver for finding, waiver in verdict.expired}
    found = [*(_judged(MANDATORY, each, each.control.mend, ended.get(id(each))) for each in verdict.open),
             *(_judged(WAIVED, each, waiver.reason, waiver) for each, waiver in verdict.waived),
             *(_judged(UNDECIDED, each, "only the deployment can tell", None) for each in result.undecided)]
    return Judgement(tuple(found), len(CONTROLS), sum(result.held.values()),
                     tuple(f"{waiver.control} {waiver.resource}" for waiver in verdict.unused))


def _judged(level: str, finding: Finding, why: str, waiver: Waiver | None) -> Judged:
    control = finding.control
    expires = waiver.expires.isoformat() if waiver else ""
    ended = f"; its waiver ended on {expires}" if waiver and level == MANDATORY else ""
    return Judged(control.name, control.ids, level, finding.resource.urn, f"{control.title}: {why}{ended}", expires)


def resources(graph: Graph) -> list[Resource]:
    return [seen(state, graph.deleted_first) for state in graph.resources]


def seen(state: State, deleted_first: Iterable[str] = ()) -> Resource:
    """With secrets in the open, as an analyzer gets them. A message says nothing of a value."""
    return Resource(state.type, state.urn, state.name, plain(state.inputs), state.property_dependencies,
                    state.urn in deleted_first)


def plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case Secret():
            return plain(value.value)
        case _:
            return SPELLED if value is UNKNOWN else value
