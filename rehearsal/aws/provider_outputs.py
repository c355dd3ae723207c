"""A resource's outputs: what was read from the emulator, what is kept beside it, what the program said."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.aws import provider_account
from rehearsal.aws.coverage import Observations, Service, touched
from rehearsal.aws.handler import Call, Handler, KeptObjects
from rehearsal.aws.provider_diff import Spelling, document, same
from rehearsal.engine.values import Properties
from rehearsal.sdk import replacements
from rehearsal.sdk.types import Kind, ResourceType


class Outputs:
    def __init__(self, kept: KeptObjects, observations: Observations) -> None:
        self._kept = kept
        self._observations = observations

    def keep(self, handler: Handler, call: Call, id: str, inputs: Properties) -> None:
        """Stores the properties that the handler declares as kept; one that is gone from the inputs goes there too."""
        if handler.kept and not handler.kept_whole:
            held = {name: inputs[name] for name in handler.kept if name in inputs}
            if held or self._kept.get(call.account, call.region, _kept_type(handler), id):
                self._kept.put(call.account, call.region, _kept_type(handler), id, held)

    def forget(self, handler: Handler, call: Call, id: str) -> None:
        if handler.kept and not handler.kept_whole:
            self._kept.delete(call.account, call.region, _kept_type(handler), id)

    def read(self, handler: Handler, call: Call, id: str, known: Properties,
             sent: Properties | None) -> Properties | None:
        """All outputs, or None when the resource is gone. `sent`: the inputs of a creation or update just made; their
        read-back is noted for the coverage report."""
        observed = handler.read(call, id, known)
        if observed is None:
            return None
        observed = {name: value for name, value in observed.items() if value is not None}
        if sent is not None:
            kept = {name: sent[name] for name in handler.kept if name in sent}
            self._note(handler, sent, observed)
        else:
            kept = self._held(handler, call, id)
        outputs = {**handler.defaults, **(sent or {}), **observed, **kept, "region": call.region}
        if handler.tags_property is not None:
            outputs.pop("tags", None)
            outputs |= self._tags(call, known, observed)
        return outputs

    def inputs_of(self, handler: Handler, call: Call, type: ResourceType, inputs: Properties | None,
                  outputs: Properties, spellings: Mapping[str, Spelling]) -> Properties:
        """What a program would have to say to get `outputs`. With `inputs` (a refresh): those, with the values that
        have drifted; without (an import): every input that differs from its default."""
        if inputs is None:
            return {name: value for name, value in outputs.items()
                    if name in type.inputs and name not in ("tagsAll", "region") and value not in ("", [], {})
                    and handler.defaults.get(name) != value} | self._own_region(call)
        result, sets = dict(inputs), replacements.installed().sets(handler.type)
        for name in touched(inputs):
            if name not in outputs or (name == "tags" and handler.tags_property is None):
                continue
            before, now = inputs[name], outputs[name]
            if name in spellings:
                before, now = spellings[name](before), spellings[name](now)
            asked = type.inputs.get(name)
            now = _as_asked(now, before, type, asked.kind if asked else "any")
            if not same(before, now, name, sets) and not _is_reordered(before, now):
                result[name] = outputs[name] if name in spellings else now
        if handler.tags_property and outputs.get("tags") and "tags" not in inputs:
            result["tags"] = outputs["tags"]
        return result

    def _held(self, handler: Handler, call: Call, id: str) -> Properties:
        if not handler.kept or handler.kept_whole:
            return {}
        return self._kept.get(call.account, call.region, _kept_type(handler), id) or {}

    def _tags(self, call: Call, known: Properties, observed: Properties) -> Properties:
        """`tags`: the resource's own; `tagsAll`: with the provider's default tags. A handler's read gives all."""
        everything = {key: value for key, value in observed.get("tags", call.tags).items()
                      if not key.startswith("aws:")}
        own, shared = known.get("tags") or {}, provider_account.tags(call.context.config, {})
        tags = {key: value for key, value in everything.items() if key in own or shared.get(key) != value}
        return {"tagsAll": everything, **({"tags": tags} if tags or "tags" in known else {})}

    def _own_region(self, call: Call) -> Properties:
        configured = call.context.config.get("region")
        return {"region": call.region} if configured not in (None, call.region) else {}

    def _note(self, handler: Handler, sent: Properties, observed: Properties) -> None:
        for name in touched(sent):
            if name in handler.kept or handler.kept_whole or name == "region" or name == handler.tags_property:
                continue
            before, now = sent[name], observed.get(name)
            spelling = handler.aliases.get(name) or (document if name in handler.documents else None)
            if spelling is not None:
                before, now = spelling(before), spelling(now)
            service = Service.LOST if name not in observed else (
                Service.EMULATED if _is_within(before, now) else Service.ALTERED)
            self._observations.record(handler.type, name, service)


def _kept_type(handler: Handler) -> str:
    return f"properties:{handler.type}"


def _as_asked(now: object, asked: object, type: ResourceType, kind: Kind) -> object:
    """What came back without the keys that the service fills in inside a nested type (`vpcConfig.vpcId`). A map whose
    keys are the program's own (tags, variables) stays whole: a key that somebody added to it is drift."""
    if isinstance(kind, dict) and "list" in kind and isinstance(now, list) and isinstance(asked, list):
        if len(now) == len(asked):
            return [_as_asked(item, other, type, kind["list"]) for item, other in zip(now, asked, strict=True)]
    elif isinstance(kind, dict) and "object" in kind and isinstance(now, dict) and isinstance(asked, dict):
        fields = type.types[kind["object"]]
        return {key: _as_asked(now[key], asked[key], type, fields[key].kind if key in fields else "any")
                for key in asked if key in now}
    return now


def _is_reordered(before: object, now: object) -> bool:
    """Lists of the API's sets come back in any order."""
    if not isinstance(before, list) or not isinstance(now, list) or len(before) != len(now):
        return False
    rest = list(now)
    for item in before:
        match = next((index for index, other in enumerate(rest) if same(item, other)), None)
        if match is None:
            return False
        del rest[match]
    return True


def _is_within(before: object, now: object) -> bool:
    """Whether everything that was sent came back; what the service adds inside an object doesn't matter."""
    if isinstance(before, dict) and isinstance(now, dict):
        return all(value is None or _is_within(value, now.get(key)) for key, value in before.items())
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return all(any(_is_within(item, other) for other in now) for item in before)
    return same(before, now)
