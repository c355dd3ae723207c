"""The provider for `kubernetes:` resources: pulumi-kubernetes' rules against a real API server.

Every object goes through server-side apply with strict field validation. A preview never asks the cluster.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kube.client import Client, Object
from rehearsal.engine.provider import (
    Change,
    Checked,
    Context,
    Diff,
    Failure,
    Found,
    PropertyDiff,
    ProviderError,
    Register,
)
from rehearsal.engine.values import UNKNOWN, Properties, Secret
from rehearsal.kubernetes import provider_diff as diffs
from rehearsal.kubernetes import provider_names as names
from rehearsal.kubernetes import provider_ownership as ownership
from rehearsal.kubernetes import releases
from rehearsal.kubernetes.provider_clusters import Clusters, Configuration
from rehearsal.kubernetes.provider_objects import ADDON_ATTEMPTS, Objects, errors

_PRIVATE = (ownership.INPUTS, ownership.FIELD_MANAGER, ownership.INITIAL_API_VERSION)
# What the server adds to an object and no program would write.
_SERVER_METADATA = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "selfLink")

Validator = Callable[[str, Properties], Sequence[Failure]]


class KubernetesProvider:
    """Implements rehearsal.engine.provider.Provider. `validate(type token, inputs)` may add checks of the inputs'
    shape, such as against the SDK's types; the API server refuses unknown fields in any case. `environment`: AWS
    variables for kubeconfigs that call `aws eks get-token`, over those of this process. `addon_attempts`: how often an
    object of an EKS add-on's kind is tried; a cluster without the agent that follows EKS has nothing to wait for."""

    packages: Sequence[str] = ("kubernetes",)
    identifies = True

    def __init__(self, validate: Validator | None = None, environment: Mapping[str, str] | None = None,
                 addon_attempts: int = ADDON_ATTEMPTS) -> None:
        self._validate = validate
        self._addon_attempts = addon_attempts
        self.clusters = Clusters(environment)

    def close(self) -> None:
        self.clusters.close()

    # Offline

    def check(self, context: Context, old: Properties | None, new: Properties) -> Checked:
        configuration = Configuration.of(context.config)
        if context.type == names.RELEASE:
            return releases.check(context, old, new)
        try:
            token = names.parse(context.type)
        except names.UnsupportedType as error:
            return Checked(new, (Failure("", str(error)),))
        inputs: Properties = copy.deepcopy(new)
        failures = [*(_identity(token, inputs)), *(self._validate(context.type, new) if self._validate else ())]
        inputs["apiVersion"], inputs["kind"] = token.api_version, token.kind
        metadata = inputs.get("metadata")
        if metadata is None:
            metadata = inputs["metadata"] = {}
        if metadata is UNKNOWN:
            return Checked(inputs, tuple(failures))
        if not isinstance(metadata, dict):
            return Checked(inputs, (*failures, Failure("metadata", "must be a mapping")))
        if not _absent(metadata.get("generateName")):
            failures.append(Failure("metadata.generateName", "is not supported in Server-Side Apply mode; leave the "
                                                             "name out, and one is made"))
        if _absent(metadata.get("name")):
            if token.patch:
                failures.append(Failure("metadata.name", "a Patch resource needs the name of the object"))
            else:
                _autoname(context, metadata, old)
        if configuration.namespace and token.namespaced and _absent(metadata.get("namespace")):
            metadata["namespace"] = configuration.namespace
        return Checked(inputs, tuple(failures))

    def diff(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
             new_inputs: Properties) -> Diff:
        if context.type == names.RELEASE:
            return releases.diff(old_inputs, new_inputs)
        token = names.parse(context.type)
        configuration = Configuration.of(context.config)
        old, new = _canonical(token, old_inputs), _canonical(token, new_inputs)
        if token.patch:
            forced: tuple[str, ...] = diffs.IDENTITY
        else:
            mutable = {"ConfigMap": configuration.mutable_config_maps, "Secret": configuration.mutable_secrets}
            forced = diffs.force_new(token.api_version, token.kind, new, mutable.get(token.kind, False))
        found = diffs.differences(old, new, forced)
        changed = {each.path for each in found}
        spelled = [path for path in diffs.respelled(new, old_outputs) if path not in changed]
        properties = (*found, *(PropertyDiff(path, Change.UPDATE) for path in spelled))
        replaces = any(each.replaces for each in properties)
        live_name = {**old["metadata"], **(old_outputs.get("metadata") or {})}.get("name")
        same_place = (new["metadata"].get("name") == live_name
                      and new["metadata"].get("namespace") == old["metadata"].get("namespace"))
        return Diff(properties, delete_before_replace=replaces and same_place and not names.is_autonamed(new))

    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        if old_outputs is None:
            outputs = copy.deepcopy(inputs)
            outputs.setdefault("status", UNKNOWN)
            if isinstance(outputs.get("metadata"), dict):
                outputs["metadata"] = {"uid": UNKNOWN, "resourceVersion": UNKNOWN, **outputs["metadata"]}
            return outputs
        known = {key: value for key, value in old_outputs.items() if key not in _PRIVATE}
        merged = _overlay(known, inputs)
        return merged if isinstance(merged, dict) else dict(inputs)

    def invoke(self, context: Context, token: str, arguments: Properties) -> Properties:
        raise ProviderError(f"the function {token} is not rehearsed: declare the objects as resources instead of "
                            "rendering YAML, kustomizations or charts in the program")

    def construct(self, context: Context, inputs: Properties, register: Register) -> Properties:
        raise ProviderError(f"{context.type} is not rehearsed: declare the objects as resources, or use "
                            f"{names.RELEASE} for a chart")

    # With the cluster

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        if context.type == names.RELEASE:
            with errors(context):
                return releases.create(self._client(context), context, inputs)
        objects, body = self._objects(context), diffs.normalize(inputs)
        manager = ownership.field_manager(inputs, None, context.random)
        with errors(context):
            live = objects.create(body, manager, self._outputs(inputs, manager))
        return names.identifier(live), self._outputs(inputs, manager)(live)

    def update(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
               new_inputs: Properties, ignored: tuple[str, ...]) -> Properties:
        if context.type == names.RELEASE:
            with errors(context):
                return releases.update(self._client(context), context, id, new_inputs)
        objects, body = self._objects(context), diffs.normalize(new_inputs)
        manager = ownership.field_manager(new_inputs, old_outputs, context.random)
        for path in ownership.unresolved(ignored):
            context.report(f"warning: ignoreChanges path {path!r} goes through a list or a quoted key; the provider "
                           "can't leave such a field out of its apply and sends the value in the state")
        with errors(context):
            live = objects.update(id, body, manager, ignored, self._outputs(new_inputs, manager),
                                  names.parse(context.type).patch)
        return self._outputs(new_inputs, manager)(live)

    def read(self, context: Context, id: str, inputs: Properties | None, outputs: Properties | None) -> Found | None:
        configuration = Configuration.of(context.config)
        with errors(context, gone=configuration.delete_unreachable) as unreachable:
            if context.type == names.RELEASE:
                return releases.read(self._client(context), id, inputs)
            token = names.parse(context.type)
            live = self._objects(context).read(token, id)
        if unreachable or live is None:
            return None
        shape = diffs.normalize(inputs) if inputs else None
        found = diffs.pruned(live, shape) if shape else _imported(live)
        manager = ownership.field_manager(found, outputs, context.random)
        return Found(id, self._outputs(found, manager)(live), found)

    def delete(self, context: Context, id: str, inputs: Properties, outputs: Properties) -> None:
        configuration = Configuration.of(context.config)
        with errors(context, gone=configuration.delete_unreachable):
            if context.type == names.RELEASE:
                releases.delete(self._client(context), id)
                return
            token = names.parse(context.type)
            manager = ownership.field_manager(inputs, outputs, context.random)
            self._objects(context).delete(token, id, inputs, manager, self._outputs(inputs, manager))

    def _client(self, context: Context) -> Client:
        return self.clusters.client(Configuration.of(context.config))

    def _objects(self, context: Context) -> Objects:
        return Objects(self._client(context), context, self._addon_attempts)

    def _outputs(self, inputs: Properties, manager: str) -> Callable[[Object], Properties]:
        def outputs(live: Object) -> Properties:
            """The live object as the real provider keeps it, with what it remembers beside it."""
            kept: Properties = copy.deepcopy(live)
            if live.get("kind") == "Secret":
                for key in ("data", "stringData"):
                    if key in kept:
                        kept[key] = Secret(kept[key])
            # Wrapped as a whole: it repeats inputs whose secrets the provider is not told.
            kept[ownership.INPUTS] = Secret(copy.deepcopy(inputs))
            kept[ownership.INITIAL_API_VERSION] = inputs.get("apiVersion", live["apiVersion"])
            kept[ownership.FIELD_MANAGER] = manager
            return kept

        return outputs


def _identity(token: names.Token, inputs: Properties) -> Sequence[Failure]:
    expected = {"apiVersion": token.api_version, "kind": token.kind}
    return [Failure(key, f"is {inputs[key]!r}, but the resource's type says {value!r}")
            for key, value in expected.items() if inputs.get(key) not in (None, value)]


def _autoname(context: Context, metadata: Properties, old: Properties | None) -> None:
    name = old["metadata"].get("name") if old and names.is_autonamed(old) else None
    metadata["name"] = name or names.autoname(context.name, context.random)
    annotations = metadata.get("annotations")
    if annotations is not UNKNOWN:
        metadata["annotations"] = {**(annotations or {}), names.AUTONAMED: "true"}


def _absent(value: Any) -> bool:
    return value is not UNKNOWN and not value


def _canonical(token: names.Token, inputs: Properties) -> dict[str, Any]:
    """Inputs with the namespace that they mean spelt out, so that "default" and none compare equal."""
    plain = diffs.normalize(inputs)
    metadata = plain.get("metadata")
    plain["metadata"] = dict(metadata) if isinstance(metadata, dict) else {}
    if token.namespaced:
        plain["metadata"].setdefault("namespace", "default")
    else:
        plain["metadata"].pop("namespace", None)
    return plain


def _overlay(known: Any, inputs: Any) -> Any:
    if isinstance(known, dict) and isinstance(inputs, dict):
        return {**known, **{key: _overlay(known.get(key), value) for key, value in inputs.items()}}
    return copy.deepcopy(inputs)


def _imported(live: Object) -> Properties:
    found: Properties = copy.deepcopy({key: value for key, value in live.items() if key != "status"})
    for key in _SERVER_METADATA:
        found["metadata"].pop(key, None)
    annotations = found["metadata"].get("annotations") or {}
    for key in ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration"):
        annotations.pop(key, None)
    if not annotations:
        found["metadata"].pop("annotations", None)
    return found
