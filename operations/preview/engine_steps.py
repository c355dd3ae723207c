"""The steps of an engine's preview against a deployment whose secrets nobody can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from operations.preview.compare import counted, in_order
from operations.preview.documents import differences
from operations.preview.model import Change, Graph, Operation, PropertyChange, Resource

_OPERATIONS: Mapping[str, Operation] = {
    "create": Operation.CREATE, "import": Operation.CREATE, "update": Operation.UPDATE,
    "replace": Operation.REPLACE, "delete": Operation.DELETE}
_SECRET = "[secret]"


def read(steps: Iterable[Mapping[str, Any]], graph: Graph) -> tuple[tuple[Change, ...], int]:
    """The changes, and how many resources stay. A step that secrets alone are the reason for is none."""
    changes: list[Change] = []
    same = 0
    for step in steps:
        known = graph.by_urn.get(step["urn"], Resource(step["urn"], step["type"], step["name"]))
        if not counted(known):
            continue
        change = _change(step, known)
        if change is None:
            same += 1
        else:
            changes.append(change)
    return in_order(changes), same


def _change(step: Mapping[str, Any], known: Resource) -> Change | None:
    operation = _OPERATIONS.get(step["operation"])
    if operation is None or (operation is Operation.UPDATE and not known.custom):
        return None
    if operation is Operation.CREATE:
        properties = [PropertyChange(key, None, value) for key, value in sorted(known.inputs.items())
                      if not key.startswith("__") and value is not None]
    else:
        properties = [change for each in step["properties"] for change in _told(each)]
    said = [each["path"] for each in step["properties"] if not _hidden(each)]
    causes = tuple(cause for cause in step["causes"]
                   if cause in said or cause not in {each["path"] for each in step["properties"]})
    if operation is Operation.REPLACE and not causes:
        operation = Operation.UPDATE
    if operation is Operation.UPDATE and not properties:
        return None
    return Change(step["urn"], step["type"], step["name"], operation, tuple(properties), causes, known.protect,
                  known.retained)


def _told(each: Mapping[str, Any]) -> list[PropertyChange]:
    if _hidden(each):
        return []
    before, after = each["before"], each["after"]
    if isinstance(before, str) and isinstance(after, str):
        return [PropertyChange(*found, replaces=each["replaces"], assumed=each["assumed"])
                for found in differences(before, after, each["path"])]
    return [PropertyChange(each["path"], before, after, each["replaces"], each["assumed"])]


def _hidden(each: Mapping[str, Any]) -> bool:
    """Two secrets: one of them is no more than a place holder, so they can't be compared."""
    return bool(each["before"] == _SECRET and each["after"] == _SECRET)
