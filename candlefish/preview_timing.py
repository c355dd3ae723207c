"""How long the `up` of a previewed change would take, by the prediction of `candlefish rehearse timing`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, cast

from operations.preview.model import Bar, Graph, Operation, Phase, Resource, StackPreview, Timing
from rehearsal.engine.state import State
from rehearsal.timing import durations
from rehearsal.timing.prediction import Part, predict

_MADE = (Operation.CREATE, Operation.REPLACE)
_GONE = (Operation.DELETE, Operation.REPLACE)
_COUNTS = 1.0  # second of the whole: starts that a rate puts off by less are on the critical path, and nobody's delay


def timed(stack: StackPreview, before: Sequence[State]) -> StackPreview:
    """before: the resources as they are; without them nothing is said of deletions. The same for the same preview."""
    made = {change.urn for change in stack.changes if change.operation in _MADE}
    gone = {change.urn for change in stack.changes if change.operation in _GONE}
    updates = stack.count(Operation.UPDATE)
    unknown = gone if not before else set()
    uncounted = {"updates in place": updates, "deletions": len(unknown)}
    return replace(stack, timing=Timing(
        _phase(states(stack.graph), made, durations.Operation.CREATE),
        _phase(before, gone, durations.Operation.DELETE),
        {what: count for what, count in uncounted.items() if count}))


def states(graph: Graph) -> list[State]:
    return [_state(each) for each in graph.resources]


def _state(resource: Resource) -> State:
    return State(
        urn=resource.urn, type=resource.type, custom=resource.custom, inputs=cast("dict[str, Any]", resource.inputs),
        parent=resource.parent, provider=f"{resource.provider}::" if resource.provider else "",
        dependencies=[*resource.needs],
        property_dependencies={key: [*urns] for key, urns in resource.references.items()},
        retain_on_delete=resource.retained)


def _phase(resources: Sequence[State], urns: Collection[str], operation: durations.Operation) -> Phase | None:
    """None where nothing would take any time."""
    if not any(each.urn in urns and each.custom for each in resources):
        return None
    found = predict(resources, operation, durations.load(), only=urns)
    parts = {part.urn: part for part in found.path if part.seconds >= _COUNTS}
    bars = tuple(Bar(each.name, each.type, each.begins, each.ends, each.urn in parts, each.assumed,
                     _why(parts[each.urn]) if each.urn in parts else "")
                 for each in found.bars if each.ends > each.begins)
    return Phase(found.p50, found.p95, found.median, bars) if bars else None


def _why(part: Part) -> str:
    through = f": {', '.join(part.through)}" if part.through else ""
    after = f"after {part.after} ({part.why}{through})" if part.after else "at once"
    return f"{after}; {part.source}" if part.source else after
