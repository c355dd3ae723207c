"""The output of `pulumi preview --json --diff`, as pulumi/pkg/display/json.go writes it.

    {"steps": [{"op": "update", "urn": …, "oldState": {…}, "newState": {…}, "diffReasons": […], "replaceReasons": […],
                "detailedDiff": {"path": {"kind": "update-replace", "inputDiff": true}}}], "changeSummary": {…}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from operations.errors import NotAcceptable
from operations.preview.compare import counted, in_order
from operations.preview.documents import differences
from operations.preview.model import Change, Graph, Operation, PropertyChange, Resource, StackPreview
from operations.preview.paths import at
from operations.preview.pulumi_values import read as read_value
from operations.preview.values import join

# A replacement comes as three steps of one URN; a discard or a removal of what was only read deletes nothing.
_OPERATIONS: Mapping[str, Operation] = {
    "create": Operation.CREATE, "import": Operation.CREATE, "update": Operation.UPDATE,
    "replace": Operation.REPLACE, "create-replacement": Operation.REPLACE, "delete-replaced": Operation.REPLACE,
    "import-replacement": Operation.REPLACE, "read-replacement": Operation.REPLACE, "delete": Operation.DELETE,
    "same": Operation.SAME, "read": Operation.SAME, "refresh": Operation.SAME, "discard": Operation.SAME,
    "discard-replaced": Operation.SAME, "remove-pending-replace": Operation.SAME}


def read(document: Any, source: str) -> StackPreview:
    """Raises NotAcceptable for what is no such preview."""
    steps = document.get("steps") if isinstance(document, Mapping) else None
    if not isinstance(steps, list):
        raise NotAcceptable(f"{source}: has no list `steps`; the output of `pulumi preview --json --diff` is wanted")
    found: dict[str, tuple[Operation, Mapping[str, Any]]] = {}
    resources: dict[str, Resource] = {}
    for number, step in enumerate(steps):
        try:
            operation, urn = _OPERATIONS[step["op"]], str(step["urn"])
            resource = _resource(urn, step)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise NotAcceptable(f"{source}: step {number} can't be read ({error!r})") from None
        if not counted(resource):
            continue
        resources[urn] = resource
        known = found.get(urn)
        if known is None or (operation is Operation.REPLACE and step["op"] == "replace"):
            found[urn] = operation, step
    if not found:
        stack = str(steps[0]["urn"]).split("::")[0].rsplit(":", 1)[-1] if steps else source
    else:
        stack = next(iter(found)).split("::")[0].rsplit(":", 1)[-1]
    changes = [_change(resources[urn], operation, step) for urn, (operation, step) in found.items()
               if operation is not Operation.SAME]
    real = [change for change in changes if change.operation is not Operation.UPDATE or change.properties]
    graph = Graph(tuple(resources[urn] for urn, (operation, _) in found.items() if operation is not Operation.DELETE))
    return StackPreview(stack, in_order(real), len(found) - len(real), graph)


def _resource(urn: str, step: Mapping[str, Any]) -> Resource:
    state = step.get("newState") or step.get("oldState") or {}
    old = step.get("oldState") or {}
    return Resource(
        urn, urn.split("::")[2].rsplit("$", 1)[-1], urn.split("::", 3)[3], state.get("parent", ""),
        bool(state.get("custom", True)), read_value(state.get("inputs") or {}),
        state.get("propertyDependencies") or {}, needs=state.get("dependencies") or (),
        protect=bool(old.get("protect")), retained=bool(old.get("retainOnDelete")))


def _change(resource: Resource, operation: Operation, step: Mapping[str, Any]) -> Change:
    old, new = (step.get(key) or {} for key in ("oldState", "newState"))
    before, after = read_value(old.get("inputs") or {}), read_value(new.get("inputs") or {})
    detailed = step.get("detailedDiff") or {}
    if operation in (Operation.CREATE, Operation.DELETE):
        properties = [PropertyChange(join("", key), before.get(key), after.get(key))
                      for key in sorted({*before, *after}) if not key.startswith("__")]
    elif detailed:
        outputs = read_value(old.get("outputs") or {})
        properties = [each for path, said in sorted(detailed.items())
                      for each in _detailed(path, str(said.get("kind", "update")), before, after, outputs)]
    else:
        reasons = set(step.get("replaceReasons") or ())
        properties = [PropertyChange(path, one, other, path.split(".")[0].split("[")[0] in reasons)
                      for path, one, other in differences(before, after)]
    causes = tuple(dict.fromkeys(each.path for each in properties if each.replaces)) or tuple(
        step.get("replaceReasons") or ())
    return Change(resource.urn, resource.type, resource.name, operation, tuple(properties),
                  causes if operation is Operation.REPLACE else (), resource.protect, resource.retained)


def _detailed(path: str, kind: str, before: Any, after: Any, outputs: Any) -> Sequence[PropertyChange]:
    """Documents are looked into: one that says the same in other words is no difference."""
    old = at(before, path)
    one = None if kind.startswith("add") else old if old is not None else at(outputs, path)
    other = None if kind.startswith("delete") else at(after, path)
    replaces = kind.endswith("-replace")
    if isinstance(one, str) and isinstance(other, str):
        return [PropertyChange(*each, replaces=replaces) for each in differences(one, other, path)]
    return [PropertyChange(path, one, other, replaces)]
