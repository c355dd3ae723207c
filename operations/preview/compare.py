"""What `up` would do to bring a stack from one graph to another.

Both graphs are of previews from nothing. So a value that only a deployment knows is unknown in both: it is the same as
long as it comes from the same resources, and as long as none of them is replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from operations.preview.documents import differences
from operations.preview.model import (
    ORDER,
    STACK_TYPE,
    Change,
    Graph,
    Operation,
    PropertyChange,
    Resource,
    Verdict,
)
from operations.preview.values import UNKNOWN, leaves, places


class Rules(Protocol):
    """What the providers say of their types."""

    def verdict(self, path: str, before: Resource, after: Resource, provider: Mapping[str, Any]) -> Verdict:
        """Whether a change at the path forces a replacement. `provider`: the inputs of the resource's provider."""
        ...

    def unordered(self, type: str) -> Collection[str]:
        """Paths, without indices, of lists that are sets."""
        ...

    def covers(self, pattern: str, path: str) -> bool:
        """Whether a change at the path is one of what the pattern names."""
        ...


def compare(before: Graph, after: Graph, rules: Rules) -> tuple[tuple[Change, ...], int]:
    """The changes, replacements first, and how many resources stay as they are."""
    return _Comparison(before, after, rules).result()


def counted(resource: Resource) -> bool:
    """The stack and default providers are no resources of a reader."""
    name = resource.name
    default = resource.type.startswith("pulumi:providers:") and (name == "default" or name.startswith("default_"))
    return resource.type != STACK_TYPE and not default


class _Comparison:
    def __init__(self, before: Graph, after: Graph, rules: Rules) -> None:
        self._before, self._after, self._rules = before, after, rules
        self._replaced: dict[str, Resource] = {}  # by the URN that it has afterwards
        self._moved: dict[str, str] = {}  # URN before → after
        self._parents: dict[str, Resource] = {}  # by the URN afterwards, what was found under another one
        self._below = {(each.parent, each.type, each.name): each for each in before.resources}

    def result(self) -> tuple[tuple[Change, ...], int]:
        changes: list[Change] = []
        same, taken = 0, set()
        for resource in filter(counted, self._after.resources):
            old = self._predecessor(resource)
            if old is None:
                changes.append(_change(resource, Operation.CREATE, _all(resource, made=True)))
                continue
            taken.add(old.urn)
            self._moved[old.urn] = resource.urn
            change = self._changed(old, resource)
            if change is None:
                same += 1
            else:
                changes.append(change)
        gone = [old for old in filter(counted, self._before.resources) if old.urn not in taken]
        changes += [_change(old, Operation.DELETE, _all(old, made=False)) for old in reversed(gone)]
        return in_order(changes), same

    def _predecessor(self, resource: Resource) -> Resource | None:
        """Under its URN, an alias, or below the parent's own predecessor."""
        found = next((self._before.by_urn[urn] for urn in (resource.urn, *resource.aliases)
                      if urn in self._before.by_urn), None)
        if found is None and (parent := self._parents.get(resource.parent)) is not None:
            new = resource.parent.rsplit("::", 1)[-1]
            renamed = parent.name + resource.name.removeprefix(new) if resource.name.startswith(new) else resource.name
            found = next((each for name in (resource.name, renamed)
                          if (each := self._below.get((parent.urn, resource.type, name)))), None)
        if found is not None and found.urn != resource.urn:
            self._parents[resource.urn] = found
        return found

    def _changed(self, old: Resource, new: Resource) -> Change | None:
        if not new.custom:
            return None
        found = [self._judged(old, new, *difference) for difference in
                 differences(old.inputs, new.inputs, unordered=self._rules.unordered(new.type))
                 if not self._ignored(new, difference[0])]
        touched = {_top(each.path) for each in found}
        found += [each for each in self._following(old, new) if _top(each.path) not in touched
                  and not self._ignored(new, each.path)]
        if not found:
            return None
        causes = tuple(dict.fromkeys(each.path for each in found if each.replaces))
        if causes:
            self._replaced[new.urn] = new
        return _change(new, Operation.REPLACE if causes else Operation.UPDATE, found, causes)

    def _following(self, old: Resource, new: Resource) -> Iterator[PropertyChange]:
        """Unknown values that will be others: from other resources, or from ones that are replaced."""
        for key in sorted(new.references):
            value, now = new.inputs.get(key), set(new.references[key])
            replaced = [self._replaced[urn] for urn in sorted(now & self._replaced.keys())]
            following = [path for path, leaf in places(value, key)
                         if any(_names(leaf, resource) for resource in replaced)]
            if following:
                names = ", ".join(each.name for each in replaced)
                for path in following:
                    yield self._judged(old, new, path, UNKNOWN, UNKNOWN, f"follows the replacement of {names}")
                continue
            then = {self._moved.get(urn, urn) for urn in old.references.get(key, ())}
            if UNKNOWN in leaves(value) and UNKNOWN in leaves(old.inputs.get(key)) and then != now:
                yield self._judged(old, new, key, _sources(then), _sources(now), "comes from other resources")

    def _judged(self, old: Resource, new: Resource, path: str, before: Any, after: Any,
                why: str = "") -> PropertyChange:
        provider = self._after.by_urn.get(new.provider)
        verdict = self._rules.verdict(path, old, new, provider.inputs if provider else {})
        asked = any(self._rules.covers(pattern, path) for pattern in new.replacing)
        return PropertyChange(path, before, after, verdict.replaces or asked, verdict.assumed and not asked, why)

    def _ignored(self, new: Resource, path: str) -> bool:
        return any(self._rules.covers(pattern, path) for pattern in new.ignored)


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The gravest first, then by type and name."""
    return tuple(sorted(changes, key=lambda each: (ORDER.index(each.operation), each.type, each.name, each.urn)))


def _change(resource: Resource, operation: Operation, properties: Sequence[PropertyChange],
            causes: tuple[str, ...] = ()) -> Change:
    return Change(resource.urn, resource.type, resource.name, operation, tuple(properties), causes, resource.protect,
                  resource.retained)


def _all(resource: Resource, made: bool) -> list[PropertyChange]:
    return [PropertyChange(key, None if made else value, value if made else None)
            for key, value in sorted(resource.inputs.items()) if not key.startswith("__") and value is not None]


def _names(leaf: Any, resource: Resource) -> bool:
    """Whether a value that was made from the resource's outputs may be another after its replacement."""
    return leaf == UNKNOWN or (isinstance(leaf, str) and any(name in leaf for name in resource.names))


def _sources(urns: set[str]) -> str:
    return f"[from {', '.join(sorted(urn.rsplit('::', 1)[-1] for urn in urns)) or 'nothing'}]"


def _top(path: str) -> str:
    return path.split(".")[0].split("[")[0]
