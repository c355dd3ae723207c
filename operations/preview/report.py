"""A preview for machines: `candlefish preview --format json`."""

from __future__ import annotations

from typing import Any

from operations.preview.model import Change, Operation, Preview, StackPreview
from operations.preview.values import shown


def document(preview: Preview) -> dict[str, Any]:
    """{"against": …, "stacks": {stack: {create, update, replace, delete, same, note, resources, cost, policy}}}."""
    return {"against": preview.against, "stacks": {each.stack: _stack(each) for each in preview.stacks}}


def _stack(stack: StackPreview) -> dict[str, Any]:
    cost = stack.cost
    return {
        **{operation.value: stack.count(operation) for operation in Operation},
        "note": stack.note,
        "resources": [_change(change) for change in stack.changes],
        "cost": {"before": _usd(cost.before), "after": _usd(cost.after), "unpriced": list(cost.unpriced),
                 "note": cost.note},
        "policy": None if stack.policies is None else [
            {"id": each.id, "level": each.level.value, "resource": each.resource, "message": each.message,
             "known": each.known} for each in stack.policies],
    }


def _change(change: Change) -> dict[str, Any]:
    return {"type": change.type, "name": change.name, "urn": change.urn, "operation": change.operation.value,
            "causes": list(change.causes), "protected": change.protected,
            "diff": [{"path": each.path, "before": shown(each.before), "after": shown(each.after),
                      "replaces": each.replaces, "assumed": each.assumed, "why": each.why}
                     for each in change.properties]}


def _usd(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
