"""Under which other URNs a resource may be found in the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rehearsal.engine import urns


@dataclass(frozen=True)
class Alias:
    """A whole URN, or what differs from the resource as it is registered now. `parent`: None is the present parent,
    empty is no parent."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str | None = None


def candidates(stack: str, project: str, parent: str, type: str, name: str, aliases: Sequence[Alias],
               moved: Mapping[str, str]) -> list[str]:
    """URNs to look for, in this order: each alias; then what the parent's own move implies.

    moved  new URN -> old URN of the parents that were found under an alias. A child is looked for below the parent's
           old URN; if its name begins with the parent's, with that part replaced too, as the SDK's naming habit has it.
    """
    found: dict[str, None] = {}
    for alias in aliases:
        found[_resolve(alias, stack, project, parent, type, name)] = None
    if parent in moved:
        for alias in (Alias(), *aliases):
            if not alias.urn and alias.parent is None:
                found[_inherited(alias, stack, project, parent, moved[parent], type, name)] = None
    found.pop(urns.make(stack, project, parent, type, name), None)
    return list(found)


def _resolve(alias: Alias, stack: str, project: str, parent: str, type: str, name: str) -> str:
    if alias.urn:
        return alias.urn
    above = parent if alias.parent is None else alias.parent
    return urns.make(alias.stack or stack, alias.project or project, above, alias.type or type, alias.name or name)


def _inherited(alias: Alias, stack: str, project: str, parent: str, old_parent: str, type: str, name: str) -> str:
    child = alias.name or name
    parent_name = urns.name_of(parent)
    if child.startswith(parent_name):
        child = urns.name_of(old_parent) + child[len(parent_name):]
    return urns.make(alias.stack or urns.stack_of(old_parent), alias.project or urns.project_of(old_parent), old_parent,
                     alias.type or type, child)
