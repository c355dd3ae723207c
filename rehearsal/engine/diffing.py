"""What a registration changes about a resource: the provider's diff and what the program's options make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine import paths, urns
from rehearsal.engine.masking import shown
from rehearsal.engine.provider import Change, Diff, PropertyDiff
from rehearsal.engine.registration import Goal
from rehearsal.engine.results import PropertyChange
from rehearsal.engine.state import State
from rehearsal.engine.values import UNKNOWN, Properties, Secret

_MISSING = object()


@dataclass(frozen=True)
class Verdict:
    """`causes`: why it must be replaced; empty means an update, or nothing at all if there are no `changes`."""

    changes: tuple[PropertyChange, ...] = ()
    causes: tuple[str, ...] = ()
    changed: bool = False
    delete_before_replace: bool = False

    @property
    def assumed(self) -> tuple[str, ...]:
        return tuple(change.path for change in self.changes if change.assumed)


def judge(goal: Goal, old: State, inputs: Properties, diff: Diff, reference: str, replaced: set[str]) -> Verdict:
    """`inputs` are the checked ones; `reference` the provider's; `replaced` the URNs that this run has replaced."""
    causes = [change.path for change in diff.properties if change.replaces]
    causes += [change.path for change in diff.properties if not change.replaces
               and any(paths.covers(pattern, change.path) for pattern in goal.replace_on_changes)]
    if _provider_replaced(old.provider, reference):
        causes.append("provider")
    if any(urn in replaced for urn in goal.replace_with):
        causes.append("replaceWith")
    if old.replacement_trigger is not None and goal.replacement_trigger is not None \
            and not same(old.replacement_trigger, goal.replacement_trigger):
        causes.append("replacementTrigger")
    changes = tuple(sorted((_described(change, old, inputs, change.path in causes) for change in diff.properties
                            if not any(paths.covers(hidden, change.path) for hidden in goal.hide_diffs)),
                           key=lambda change: change.path))
    before = goal.delete_before_replace if goal.delete_before_replace is not None else diff.delete_before_replace
    return Verdict(changes, tuple(dict.fromkeys(causes)), diff.changed or bool(causes) or bool(old.init_errors), before)


def _provider_replaced(old: str, new: str) -> bool:
    """Another version of the default provider is the same provider; so is one whose id is not known yet."""
    if not old or not new or old == new:
        return False
    (old_urn, old_id), (new_urn, new_id) = urns.split_reference(old), urns.split_reference(new)
    if urns.is_default_provider(old_urn) and urns.is_default_provider(new_urn):
        return False
    return old_urn != new_urn or old_id != new_id


def _described(change: PropertyDiff, old: State, inputs: Properties, replaces: bool) -> PropertyChange:
    path = paths.parse(change.path)
    before = _at(old.inputs, path)
    if before is _MISSING:
        before = _at(old.outputs, path)
    after = _at(inputs, path)
    # In a set the index of what went or came names another item on the other side.
    if change.change is Change.ADD:
        before = _MISSING
    elif change.change is Change.DELETE:
        after = _MISSING
    return PropertyChange(change.path, change.change, None if before is _MISSING else shown(before),
                          None if after is _MISSING else shown(after), replaces, change.assumed)


def _at(properties: Properties, path: paths.Path) -> Any:
    value: Any = properties
    hidden = False
    for key in path:
        hidden = hidden or isinstance(value, Secret)
        try:
            value = paths.get(value, (key,))
        except KeyError:
            return _MISSING
    return Secret(value) if hidden else value


def same(left: Any, right: Any) -> bool:
    """Equality of values that never asks an unknown for its truth; an unknown equals nothing."""
    if isinstance(left, Secret) or isinstance(right, Secret):
        return same(left.value if isinstance(left, Secret) else left,
                    right.value if isinstance(right, Secret) else right)
    if left is UNKNOWN or right is UNKNOWN:
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and bool(left == right)


def shallow_diff(old: Properties, new: Properties, ignored: Sequence[str] = ()) -> Diff:
    """By top-level key; for provider resources and components, which have no provider to ask."""
    found = []
    for key in sorted({*old, *new} - set(ignored)):
        if key not in new:
            found.append(PropertyDiff(paths.render((key,)), Change.DELETE))
        elif key not in old:
            found.append(PropertyDiff(paths.render((key,)), Change.ADD))
        elif not same(old[key], new[key]):
            found.append(PropertyDiff(paths.render((key,)), Change.UPDATE))
    return Diff(tuple(found))
