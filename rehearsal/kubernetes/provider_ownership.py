"""Who owns which field: field managers, ignored changes, and what the real provider does about them.

Source: pulumi-kubernetes v4, provider/pkg/await/await.go (`handleSSAIgnoreFields`, `fixCSAFieldManagers`).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kube.client import Object
from rehearsal.engine.provider import ProviderError

FIELD_MANAGER = "__fieldManager"
INITIAL_API_VERSION = "__initialApiVersion"
INPUTS = "__inputs"
PATCH_FORCE = "pulumi.com/patchForce"
PATCH_MANAGER = "pulumi.com/patchFieldManager"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"

# Managers whose fields the provider takes over before an update (prefix, operation): kubectl's, and its own from the
# time before server-side apply.
_ADOPTED = (("kubectl", "Apply"), ("kubectl", "Update"), ("before-first-apply", "Update"),
            ("pulumi-kubernetes", "Update"), ("pulumi-resource-kubernetes", "Update"))

CONFLICT_HELP = ("Server-Side Apply field conflict detected. See https://www.pulumi.com/registry/packages/kubernetes/"
                 "how-to-guides/managing-resources-with-server-side-apply/"
                 "#handle-field-conflicts-on-existing-resources for troubleshooting help.")


def field_manager(inputs: Mapping[str, Any], state: Mapping[str, Any] | None, generator: random.Random) -> str:
    """The annotation's, else the one in the state, else `pulumi-kubernetes-<8 hex digits>`."""
    annotations = (inputs.get("metadata") or {}).get("annotations") or {}
    stated = annotations.get(PATCH_MANAGER) if isinstance(annotations, Mapping) else None
    if stated:
        return str(stated)
    kept = (state or {}).get(FIELD_MANAGER)
    # Two draws: the first is the auto-name's, and the two should not look related.
    generator.getrandbits(32)
    return str(kept) if kept else f"pulumi-kubernetes-{generator.getrandbits(32):08x}"


def with_ignored(inputs: Mapping[str, Any], live: Object, manager: str, ignored: Sequence[str]) -> Object:
    """The body to apply: an ignored field that only others own is dropped (they keep it); one that we own, alone or
    shared, is sent with its live value (leaving it out would remove it).

    A path through a list (`spec.containers[0].image`) or a quoted key is not resolved, as in the real provider, which
    splits it at its dots: the value goes out as the engine gives it, which is the one in the state. A path through
    something that is no mapping is an error, as there.
    """
    body: Object = copy.deepcopy(dict(inputs))
    entries = live["metadata"].get("managedFields") or ()
    ours = [each.get("fieldsV1") or {} for each in entries if each["manager"] == manager]
    theirs = [each.get("fieldsV1") or {} for each in entries if each["manager"] != manager]
    for path in ignored:
        parts = path.split(".")
        if _owned(theirs, parts) and not _owned(ours, parts):
            _remove(body, parts)
            continue
        found, value = _find(live, parts)
        if found:
            _set(body, parts, value)
    return body


def unresolved(ignored: Sequence[str]) -> tuple[str, ...]:
    """Ignored paths that the provider can't resolve in the live object; see `with_ignored`."""
    return tuple(path for path in ignored if "[" in path)


def adopted(live: Object, manager: str) -> list[Object] | None:
    """metadata.managedFields with the fields of kubectl and of older providers given to us; None: nothing to do."""
    entries: list[Object] = live["metadata"].get("managedFields") or []
    foreign = [each for each in entries if _is_adopted(each, manager)]
    if not foreign:
        return None
    own = next((each for each in entries if each["manager"] == manager and each["operation"] == "Apply"
                and not each.get("subresource")), None)
    base = copy.deepcopy(own) if own else {**copy.deepcopy(foreign[0]), "manager": manager, "operation": "Apply"}
    for each in foreign:
        base["fieldsV1"] = _union(base.get("fieldsV1") or {}, each.get("fieldsV1") or {})
    return [*(each for each in entries if each is not own and each not in foreign), base]


def _is_adopted(entry: Object, manager: str) -> bool:
    if entry.get("subresource") or (entry["manager"] == manager and entry["operation"] == "Apply"):
        return False
    return any(entry["manager"].startswith(prefix) and entry["operation"] == operation
               for prefix, operation in _ADOPTED)


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> Object:
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _union(merged[key], value) if key in merged else value
    return merged


def _owned(trees: Iterable[Mapping[str, Any]], parts: Sequence[str]) -> bool:
    for tree in trees:
        node: Any = tree
        for part in parts:
            node = node.get(f"f:{part}") if isinstance(node, Mapping) else None
            if node is None:
                break
        else:
            return True
    return False


def _find(item: Any, parts: Sequence[str]) -> tuple[bool, Any]:
    """As unstructured.NestedFieldCopy: raises ProviderError where a part of the path leads through a plain value."""
    for part in parts:
        if not isinstance(item, Mapping):
            raise ProviderError(f"unable to parse field to ignore {'.'.join(parts)!r} from live object: {item!r} has "
                                f"no {part!r}")
        if part not in item:
            return False, None
        item = item[part]
    return True, copy.deepcopy(item)


def _remove(item: Object, parts: Sequence[str]) -> None:
    node: Any = item
    for part in parts[:-1]:
        node = node.get(part) if isinstance(node, dict) else None
    if isinstance(node, dict):
        node.pop(parts[-1], None)


def _set(item: Object, parts: Sequence[str], value: Any) -> None:
    node: Any = item
    for part in parts[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            return
    node[parts[-1]] = value
