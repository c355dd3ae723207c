"""What a program asks for: one registration, and its translation from and to the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from google.protobuf.struct_pb2 import Value as WireValue  # type: ignore[import-untyped]
from pulumi.runtime.proto import alias_pb2, resource_pb2

from rehearsal.engine.aliases import Alias
from rehearsal.engine.values import Properties
from rehearsal.engine.wire import Decoder, encode

HOOKS = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete", "on_error")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Callback:
    """A function of the program, which its callback server runs."""

    target: str
    token: str


@dataclass(frozen=True)
class Goal:
    """One resource as the program wants it."""

    type: str
    name: str
    custom: bool
    inputs: Properties
    parent: str = ""
    remote: bool = False
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    replacement_trigger: Any = None
    replace_with: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    import_id: str = ""
    timeouts: Mapping[str, float] = field(default_factory=dict)  # create, update, delete, read: seconds
    hide_diffs: tuple[str, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    transforms: tuple[Callback, ...] = ()


def seconds_of(duration: str) -> float:
    """Go's durations: `90s`, `1h30m`, `1.5h`; a bare number is seconds. Raises ValueError."""
    try:
        return float(duration)
    except ValueError:
        pass
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)", duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"`{duration}` is not a duration; write `90s`, `10m` or `1h30m`")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _timeouts(message: Any) -> dict[str, float]:
    return {name: seconds_of(text) for name in ("create", "update", "delete", "read")
            if (text := getattr(message, name))}


def _aliases(messages: Iterable[alias_pb2.Alias]) -> tuple[Alias, ...]:
    found = []
    for message in messages:
        if message.HasField("urn"):
            found.append(Alias(urn=message.urn))
            continue
        spec = message.spec
        parent: str | None = None
        if spec.HasField("noParent") and spec.noParent:
            parent = ""
        elif spec.HasField("parentUrn") and spec.parentUrn:
            parent = spec.parentUrn
        found.append(Alias(name=spec.name, type=spec.type, stack=spec.stack, project=spec.project, parent=parent))
    return tuple(found)


def _spell_aliases(aliases: Iterable[Alias]) -> list[alias_pb2.Alias]:
    messages = []
    for alias in aliases:
        if alias.urn:
            messages.append(alias_pb2.Alias(urn=alias.urn))
            continue
        spec = alias_pb2.Alias.Spec(name=alias.name, type=alias.type, stack=alias.stack, project=alias.project)
        if alias.parent == "":
            spec.noParent = True
        elif alias.parent is not None:
            spec.parentUrn = alias.parent
        messages.append(alias_pb2.Alias(spec=spec))
    return messages


def _hooks(message: Any) -> dict[str, tuple[str, ...]]:
    return {name: names for name in HOOKS if (names := tuple(getattr(message, name)))}


def goal_of(request: resource_pb2.RegisterResourceRequest, directory: Path) -> Goal:
    """Raises ValueError for values or options that can't be read."""
    decoder = Decoder(directory)
    inputs = decoder.properties(request.object)
    trigger = decoder.value(request.replacement_trigger) if request.HasField("replacement_trigger") else None
    return Goal(
        type=request.type, name=request.name, custom=request.custom, inputs=inputs, parent=request.parent,
        remote=request.remote, provider=request.provider, providers=dict(request.providers), version=request.version,
        dependencies=tuple(sorted({*request.dependencies, *decoder.dependencies})),
        property_dependencies={key: tuple(sorted(value.urns))
                               for key, value in sorted(request.propertyDependencies.items())},
        protect=request.protect if request.HasField("protect") else None,
        ignore_changes=tuple(request.ignoreChanges), replace_on_changes=tuple(request.replaceOnChanges),
        replacement_trigger=trigger, replace_with=tuple(request.replace_with),
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        deleted_with=request.deletedWith, additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=_aliases(request.aliases) + tuple(Alias(urn=urn) for urn in request.aliasURNs),
        import_id=request.importId, timeouts=_timeouts(request.customTimeouts), hide_diffs=tuple(request.hideDiffs),
        hooks=_hooks(request.hooks),
        transforms=tuple(Callback(callback.target, callback.token) for callback in request.transforms))


def spell_transform(goal: Goal) -> resource_pb2.TransformRequest:
    """The goal as a transform of the program sees it."""
    options = resource_pb2.TransformResourceOptions(
        depends_on=goal.dependencies, protect=goal.protect, ignore_changes=goal.ignore_changes,
        replace_on_changes=goal.replace_on_changes, version=goal.version, aliases=_spell_aliases(goal.aliases),
        provider=goal.provider, retain_on_delete=goal.retain_on_delete, deleted_with=goal.deleted_with,
        delete_before_replace=goal.delete_before_replace, additional_secret_outputs=goal.additional_secret_outputs,
        providers=dict(goal.providers), hide_diff=goal.hide_diffs, replace_with=goal.replace_with)
    if goal.import_id:
        setattr(options, "import", goal.import_id)
    for name, value in goal.timeouts.items():
        setattr(options.custom_timeouts, name, f"{value:g}s")
    for name, names in goal.hooks.items():
        getattr(options.hooks, name).extend(names)
    if goal.replacement_trigger is not None:
        options.replacement_trigger.CopyFrom(_wire_value(goal.replacement_trigger))
    return resource_pb2.TransformRequest(
        type=goal.type, name=goal.name, custom=goal.custom, parent=goal.parent,
        properties=encode(goal.inputs, outputs=True), options=options)


def _wire_value(value: Any) -> WireValue:
    return encode({"value": value}).fields["value"]


def transformed(goal: Goal, response: resource_pb2.TransformResponse, directory: Path) -> Goal:
    """The goal after a transform; dependencies that new values carry are added."""
    decoder = Decoder(directory)
    inputs = decoder.properties(response.properties)
    goal = replace(goal, inputs=inputs)
    if not response.HasField("options"):
        return replace(goal, dependencies=tuple(sorted({*goal.dependencies, *decoder.dependencies})))
    options = response.options
    trigger = decoder.value(options.replacement_trigger) if options.HasField("replacement_trigger") else None
    return replace(
        goal, dependencies=tuple(sorted({*options.depends_on, *decoder.dependencies})),
        protect=options.protect if options.HasField("protect") else None,
        ignore_changes=tuple(options.ignore_changes), replace_on_changes=tuple(options.replace_on_changes),
        version=options.version or goal.version, aliases=_aliases(options.aliases), provider=options.provider,
        providers=dict(options.providers) or goal.providers, timeouts=_timeouts(options.custom_timeouts),
        retain_on_delete=options.retain_on_delete if options.HasField("retain_on_delete") else None,
        deleted_with=options.deleted_with, additional_secret_outputs=tuple(options.additional_secret_outputs),
        delete_before_replace=options.delete_before_replace if options.HasField("delete_before_replace") else None,
        import_id=getattr(options, "import"), hide_diffs=tuple(options.hide_diff) or goal.hide_diffs,
        replace_with=tuple(options.replace_with), hooks=_hooks(options.hooks), replacement_trigger=trigger)
