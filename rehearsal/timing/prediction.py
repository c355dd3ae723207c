"""What a graph and the table say: how long, because of what, and what would shorten it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from rehearsal.engine.state import State
from rehearsal.errors import Unusable
from rehearsal.timing import graph as graphs
from rehearsal.timing.durations import NOTHING, Duration, Durations, Operation, assumed_types
from rehearsal.timing.graph import Graph, Why
from rehearsal.timing.simulation import UNLIMITED, Pace, Schedule, run

PARALLEL = 16  # Pulumi's default is four times the processors; four are those of GitHub's hosted runners
SAMPLES = 400
_NOT_NEEDED = (Why.ORDER, Why.PARENT, Why.PROVIDER)


class UnknownFault(Unusable):
    """The table has no fault of that name, or nothing in the stack that it could befall."""


@dataclass(frozen=True)
class Part:
    """A node of the critical path. share: of the whole, 0 to 1. seconds: from its begin to its successor's. often: in
    which part of the samples it was on the critical path. why, after: what it began after; "" for the first."""

    urn: str
    type: str
    name: str
    begins: float
    seconds: float
    share: float
    often: float
    why: str
    after: str
    through: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Shortening:
    """what: what would be different. seconds: the whole then, everything at its median."""

    what: str
    seconds: float


@dataclass(frozen=True)
class Bar:
    """One operation of the median run."""

    urn: str
    type: str
    name: str
    begins: float
    ends: float
    critical: bool
    assumed: bool


@dataclass(frozen=True)
class Prediction:
    """Seconds. p50, p95: of the whole over the samples. median: of the run in which everything takes its median, to
    which path, shortenings and bars belong. bound: the longest path if any number of operations could be under way and
    nothing had a rate; on the way down, without Pulumi's rounds. assumed: type → how many have no figure."""

    operation: Operation
    resources: int
    parallel: int
    seed: int
    samples: int
    p50: float
    p95: float
    median: float
    bound: float
    path: Sequence[Part]
    if_instant: Sequence[Shortening]
    if_not_waiting: Sequence[Shortening]
    if_parallel: Sequence[Shortening]
    assumed: Mapping[str, int]
    bars: Sequence[Bar]


def predict(states: Sequence[State], operation: Operation, durations: Durations, *, parallel: int = PARALLEL,
            seed: int = 0, samples: int = SAMPLES, faults: Sequence[str] = (),
            only: Collection[str] | None = None) -> Prediction:
    """From nothing to all of it, or from all of it to nothing. `only`: the URNs that are worked on; the others are
    there already. The same for the same arguments. Raises UnknownFault."""
    free = graphs.up(states) if operation is Operation.CREATE else graphs.down(states)
    if only is not None:
        free = free.working(only)
    graph = free if operation is Operation.CREATE else graphs.in_rounds(free)
    spread, extra = _durations(graph, durations), _extra(graph, durations, faults)
    pace = _pace(graph, durations, parallel)
    usual = [duration.p50 + (more.p50 if more else 0.0) for duration, more in zip(spread, extra, strict=True)]
    middle = run(graph, usual, pace)
    totals, often = _sampled(graph, spread, extra, pace, Random(seed), samples)
    by_urn = {node.urn: seconds for node, seconds in zip(graph.nodes, usual, strict=True)}
    bound = run(free, [by_urn[node.urn] for node in free.nodes], UNLIMITED).total
    path = _path(graph, middle, often, samples, spread)
    working = [(node.type, duration) for node, duration in zip(graph.nodes, spread, strict=True) if node.work]
    return Prediction(
        operation, len(working), parallel, seed, samples, _quantile(totals, 0.5), _quantile(totals, 0.95), middle.total,
        bound, path, _instant(graph, usual, pace, middle), _not_waiting(graph, usual, pace, middle),
        [Shortening(f"--parallel {more}", run(graph, usual, replace(pace, parallel=more)).total)
         for more in (2 * parallel, 4 * parallel)],
        assumed_types(durations, working), _bars(graph, middle, spread, durations))


def _durations(graph: Graph, durations: Durations) -> list[Duration]:
    found = [durations.of(node.type, node.inputs, graph.operation) if node.work else NOTHING for node in graph.nodes]
    together: dict[str, set[int]] = defaultdict(set)
    for index, node in enumerate(graph.nodes):
        if node.work and graph.operation is Operation.CREATE:
            together[durations.made_together(node.type, node.inputs)].add(index)
    for made, members in together.items():
        for index in members:
            if made and graph.waits_for(index, members - {index}):
                found[index] = durations.assumed
    return found


def _extra(graph: Graph, durations: Durations, faults: Sequence[str]) -> list[Duration | None]:
    found: list[Duration | None] = [None] * len(graph.nodes)
    for name in faults:
        fault = durations.faults.get(name)
        if fault is None:
            raise UnknownFault(f"--fault {name}: not known; one of {', '.join(sorted(durations.faults))}")
        hit = [index for index, node in enumerate(graph.nodes) if node.work and node.type == fault.type]
        if not hit or fault.operation is not graph.operation:
            raise UnknownFault(f"--fault {name}: it befalls the {fault.operation} of {fault.type}; there is none here")
        for index in hit:
            found[index] = fault.adds
    return found


def _pace(graph: Graph, durations: Durations, parallel: int) -> Pace:
    return Pace(parallel, [durations.limit(node.type, graph.operation) if node.work else None for node in graph.nodes],
                [limit.seconds for limit in durations.limits])


def _sampled(graph: Graph, spread: Sequence[Duration], extra: Sequence[Duration | None], pace: Pace, random: Random,
             samples: int) -> tuple[list[float], Counter[int]]:
    totals: list[float] = []
    often: Counter[int] = Counter()
    for _ in range(samples):
        drawn = [duration.drawn(random.gauss(0, 1)) + (more.drawn(random.gauss(0, 1)) if more else 0.0)
                 for duration, more in zip(spread, extra, strict=True)]
        schedule = run(graph, drawn, pace)
        totals.append(schedule.total)
        often.update({node for node, _, _ in schedule.critical()})
    return sorted(totals), often


def _quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def _path(graph: Graph, schedule: Schedule, often: Counter[int], samples: int,
          spread: Sequence[Duration]) -> list[Part]:
    """Without what takes no time: a component between two resources is passed over, its reason kept."""
    parts: list[Part] = []
    after, why = "", ""
    through: tuple[str, ...] = ()
    for node, seconds, held in schedule.critical():
        if held is not None and (why in ("", Why.DATA) or not after):
            why, through = held.why, held.through
        if not graph.nodes[node].work:
            continue
        found = graph.nodes[node]
        share = seconds / schedule.total if schedule.total else 0.0
        parts.append(Part(found.urn, found.type, found.name, schedule.begins[node], seconds, share,
                          often[node] / samples, why if after else "", after, through if after else (),
                          spread[node].source))
        after, why, through = found.name, "", ()
    return parts


def _instant(graph: Graph, usual: Sequence[float], pace: Pace, middle: Schedule) -> list[Shortening]:
    found = []
    for node, seconds, _ in middle.critical():
        if graph.nodes[node].work and seconds > 0:
            changed = [*usual[:node], 0.0, *usual[node + 1:]]
            called = f"{graph.nodes[node].name} ({graph.nodes[node].type})"
            found.append(Shortening(called, run(graph, changed, pace).total))
    return sorted(found, key=lambda each: (each.seconds, each.what))


def _not_waiting(graph: Graph, usual: Sequence[float], pace: Pace, middle: Schedule) -> list[Shortening]:
    """For each link of the critical path that carries no data, the whole without it: the later node, or all of the
    component that waits, begins without the earlier one."""
    found = []
    for node, _, held in middle.critical():
        if held is None or held.why not in _NOT_NEEDED or not graph.nodes[held.before].work:
            continue
        after, called = _waiting_together(graph, node, held.before)
        total = run(graph.without(held.before, after), usual, pace).total
        found.append(Shortening(f"{called} without waiting for {graph.nodes[held.before].name} ({held.why})", total))
    return sorted(found, key=lambda each: (each.seconds, each.what))


def _waiting_together(graph: Graph, node: int, before: int) -> tuple[set[int], str]:
    """The topmost component around the node that waits for `before` itself, with all that is in it; or the node."""
    index = {each.urn: position for position, each in enumerate(graph.nodes)}
    top, at = node, graph.nodes[node].parent
    while at in index:
        if any(wait.before == before and wait.why is not Why.DATA for wait in graph.waits[index[at]]):
            top = index[at]
        at = graph.nodes[index[at]].parent
    inside = {top}
    for position, each in enumerate(graph.nodes):  # parents stand before their children
        if each.parent in index and index[each.parent] in inside:
            inside.add(position)
    return inside, graph.nodes[top].name


def _bars(graph: Graph, schedule: Schedule, spread: Sequence[Duration], durations: Durations) -> list[Bar]:
    critical = {node for node, _, _ in schedule.critical()}
    return sorted(
        (Bar(node.urn, node.type, node.name, schedule.begins[index], schedule.ends[index], index in critical,
             spread[index] is durations.assumed)
         for index, node in enumerate(graph.nodes) if node.work),
        key=lambda bar: (bar.begins, bar.ends, bar.urn))
