"""pulumi-aws as far as an engine can tell, on the embedded AWS: what all resource types have in common.

A type's own calls are its handler's (`rehearsal.aws.services`). Here: checks, auto-names, default tags, kept
properties, diffs, errors in a sentence.
"""

from __future__ import annotations

import functools
import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from rehearsal.aws import provider_account, services
from rehearsal.aws.clients import Clients, Recorded
from rehearsal.aws.coverage import Observations
from rehearsal.aws.handler import COMPONENTS, DATA_SOURCES, HANDLERS, Call, Handler, Reference
from rehearsal.aws.kept import GatewayKept
from rehearsal.aws.provider_diff import Spelling, differences, document
from rehearsal.aws.provider_errors import explained
from rehearsal.aws.provider_names import filled, is_chosen, with_prefixed
from rehearsal.aws.provider_outputs import Outputs
from rehearsal.aws.servers import LOOPBACK, AwsEndpoint
from rehearsal.engine.provider import (
    Change,
    Checked,
    Context,
    Diff,
    Found,
    NotFound,
    PropertyDiff,
    ProviderError,
    Register,
)
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.engine.wire import contains_unknown
from rehearsal.sdk import replacements
from rehearsal.sdk.check import check as check_types
from rehearsal.sdk.source import NoSuchType
from rehearsal.sdk.types import Types, default_cache

_IMPORTED = re.compile(r"^(.+)@([a-z]{2}(?:-[a-z]+)+-\d)$")  # `id@region`, as pulumi-aws 7 imports from a region


class AwsProvider:
    """Implements `rehearsal.engine.provider.Provider`. Shared by all threads and all provider resources of a run:
    each call brings its provider's configuration in the context."""

    packages: Sequence[str] = ("aws", "eks")
    identifies = True

    def __init__(self, endpoint: AwsEndpoint, types: Types | None = None,
                 observations: Observations | None = None,
                 on_call: Callable[[Recorded], None] | None = None, remember_references: bool = True) -> None:
        """`remember_references`: what was found to exist is not asked for again before something is deleted; False
        makes the same calls whatever the order of the steps, as fault sweeps need."""
        load_services()
        self._clients = Clients(endpoint.url, on_call)
        self._kept = GatewayKept(LOOPBACK, endpoint.port)
        self._types = types or Types(default_cache())
        self._replacements = replacements.installed()
        self.observations = observations or Observations()
        self._outputs = Outputs(self._kept, self.observations)
        self._existing: set[tuple[str, str, str, str]] | None = set() if remember_references else None

    def check(self, context: Context, old: Properties | None, new: Properties) -> Checked:
        if _is_provider(context.type):
            return Checked(new)
        handler = _handler(context.type)
        given = {name: value for name, value in new.items() if value is not None}
        for name in handler.documents:
            if isinstance(given.get(name), dict | list):
                given[name] = UNKNOWN if contains_unknown(given[name]) else json.dumps(given[name])
        failures = check_types(self._type(context.type), given)
        inputs, more = filled(handler, context, old, given, self._replacements)
        return Checked(inputs, (*failures, *more))

    def diff(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
             new_inputs: Properties) -> Diff:
        if _is_provider(context.type):
            return Diff(tuple(differences(context.type, old_inputs, new_inputs, {}, self._replacements)))
        handler = _handler(context.type)
        found = differences(context.type, old_inputs, new_inputs, _spellings(handler), self._replacements)
        if handler.tags_property and not any(diff.path.partition(".")[0].partition("[")[0] == "tags" for diff in found):
            new_tags = provider_account.tags(context.config, new_inputs)
            if "tagsAll" in old_outputs and old_outputs["tagsAll"] != new_tags:
                found.append(PropertyDiff("tagsAll", Change.UPDATE))
        region = self._region(handler, context, new_inputs)
        if old_outputs.get("region") not in (None, region) and not any(diff.path == "region" for diff in found):
            found.append(PropertyDiff("region", Change.UPDATE, replaces=True))
        replaces = any(diff.replaces for diff in found)
        fixed = replaces and handler.naming is not None and not is_chosen(handler, new_inputs) and (
            old_inputs.get(handler.naming.property) == new_inputs.get(handler.naming.property))
        return Diff(tuple(found), delete_before_replace=fixed or (
            replaces and self._replacements.deletes_first(context.type)))

    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        if _is_provider(context.type):
            return inputs
        handler = _handler(context.type)
        names = self._type(context.type).outputs
        given = _plain(inputs)
        if old_outputs is not None:
            known = {name: value for name, value in old_outputs.items() if name not in given}
        else:
            known = dict.fromkeys(names, UNKNOWN) | dict(handler.defaults)
        known |= {"region": self._region(handler, context, inputs)}
        if handler.tags_property:
            known["tagsAll"] = provider_account.tags(context.config, inputs)
        return {**known, **given}

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        if _is_provider(context.type):
            return context.name, inputs
        handler = _handler(context.type)
        given = with_prefixed(handler, context, _plain(inputs))
        with self._operation(handler, context, given) as call:
            self._check_references(handler, call, given, frozenset(given))
            id = call.made(handler.create(call, given))
            self._outputs.keep(handler, call, id, given)
            outputs = self._outputs.read(handler, call, id, given, given)
            if outputs is None:
                raise ProviderError(f"{context.type} {context.name!r}: was created as {id!r}, but cannot be found")
            return id, outputs

    def read(self, context: Context, id: str, inputs: Properties | None, outputs: Properties | None) -> Found | None:
        if _is_provider(context.type):
            return Found(id, outputs or inputs or {}, inputs or {})
        handler = _handler(context.type)
        known = _plain({**(outputs or {}), **(inputs or {})})
        if not known and (imported := _IMPORTED.match(id)):
            id, known = imported[1], {"region": imported[2]}
        with self._operation(handler, context, known) as call:
            found = self._outputs.read(handler, call, id, known, None)
        if found is None:
            return None
        return Found(id, found, self._outputs.inputs_of(
            handler, call, self._type(context.type), inputs, found, _spellings(handler)))

    def update(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
               new_inputs: Properties, ignored: tuple[str, ...]) -> Properties:
        if _is_provider(context.type):
            return new_inputs
        handler, given = _handler(context.type), _plain(new_inputs)
        diffs = self.diff(context, id, old_inputs, old_outputs, new_inputs).properties
        if diffs:
            names = {re.split(r"[.\[]", diff.path)[0] for diff in diffs} - set(ignored)
        else:  # a creation failed half-way, and nobody knows which of its calls took effect: all are made again
            names = {name for name in given if not self._replacements.forces(context.type, name).replaces}
            names |= {handler.tags_property} if handler.tags_property else set()
        changed = frozenset("tags" if name == "tagsAll" else name for name in names)
        known = _plain({**old_outputs, **old_inputs})
        with self._operation(handler, context, given) as call:
            self._check_references(handler, call, given, changed)
            if changed - set(handler.kept) or handler.kept_whole:
                handler.update(call, id, self._whole(handler, call, id, known, old_inputs), given, changed)
            self._outputs.keep(handler, call, id, given)
            outputs = self._outputs.read(handler, call, id, given, given)
        if outputs is None:
            raise NotFound(f"{context.type} {id}")
        return outputs

    def delete(self, context: Context, id: str, inputs: Properties, outputs: Properties) -> None:
        if _is_provider(context.type):
            return
        handler = _handler(context.type)
        known = _plain({**outputs, **inputs})
        if self._existing is not None:
            self._existing = set()
        with self._operation(handler, context, known) as call:
            handler.delete(call, id, self._whole(handler, call, id, known, inputs))
            self._outputs.forget(handler, call, id)

    def invoke(self, context: Context, token: str, arguments: Properties) -> Properties:
        if token not in DATA_SOURCES:
            raise ProviderError(f"the data source {token} is not part of the rehearsal; add a function with "
                                "@data_source to a module of rehearsal/aws/services")
        call = self._call(context, arguments, provider_account.region(context.config, arguments))
        with explained(context, arguments):
            return DATA_SOURCES[token](call, arguments)

    def construct(self, context: Context, inputs: Properties, register: Register) -> Properties:
        if context.type not in COMPONENTS:
            raise ProviderError(f"the packaged component {context.type} is not part of the rehearsal; add a function "
                                "with @component to a module of rehearsal/aws/services")
        context = replace(context, config=context.providers.get("aws", context.config))
        call = self._call(context, {}, provider_account.region(context.config))
        with explained(context, inputs):
            return COMPONENTS[context.type](call, inputs, register)

    def _region(self, handler: Handler, context: Context, inputs: Properties) -> str:
        return handler.global_region or provider_account.region(context.config, inputs)

    def _call(self, context: Context, inputs: Properties, region: str) -> Call:
        return Call(context, provider_account.account(context.config), region,
                    provider_account.tags(context.config, inputs), self._clients, self._kept)

    @contextmanager
    def _operation(self, handler: Handler, context: Context, inputs: Properties) -> Iterator[Call]:
        if context.cancelled.is_set():
            raise ProviderError(f"{context.type} {context.name!r}: cancelled before it began")
        call = self._call(context, inputs, self._region(handler, context, inputs))
        with explained(context, self._type(context.type).inputs, call, inputs):
            yield call

    def _check_references(self, handler: Handler, call: Call, inputs: Properties, changed: frozenset[str]) -> None:
        for reference in handler.references(inputs):
            if re.split(r"[.\[]", reference.property)[0] in changed and not self._exists(reference, call):
                raise ProviderError(
                    f"{call.context.type} {call.context.name!r}: property `{reference.property}`: {reference.value!r} "
                    f"does not exist in account {call.account}, region {call.region}")

    def _whole(self, handler: Handler, call: Call, id: str, known: Properties, inputs: Properties) -> Properties:
        """With what AWS has computed, which nobody has read of a creation that failed half-way."""
        if set(known) - set(inputs):
            return known
        return {**(self._outputs.read(handler, call, id, known, None) or {}), **known}

    def _exists(self, reference: Reference, call: Call) -> bool:
        known = self._existing
        key = (call.account, call.region, reference.kind, reference.value)
        if known is not None and key in known:
            return True
        found = reference.exists(call)
        if found and reference.kind and known is not None:
            known.add(key)  # to the set from before the question: a deletion meanwhile has begun another
        return found

    def _type(self, token: str) -> Any:
        try:
            return self._types.get(token)
        except NoSuchType as error:
            raise ProviderError(str(error)) from error


@functools.cache
def load_services() -> None:
    """Imports every module of `rehearsal.aws.services`, which registers the handlers."""
    for module in pkgutil.iter_modules(services.__path__):
        importlib.import_module(f"{services.__name__}.{module.name}")


def _handler(type: str) -> Handler:
    if type not in HANDLERS:
        raise ProviderError(f"the resource type {type} is not part of the rehearsal; add a handler for it with "
                            "@resource to a module of rehearsal/aws/services (see rehearsal/aws/handler.py)")
    return HANDLERS[type]


def _is_provider(type: str) -> bool:
    return type.startswith("pulumi:providers:")


def _spellings(handler: Handler) -> dict[str, Spelling]:
    return {**dict.fromkeys(handler.documents, document), **handler.aliases}


def _plain(inputs: Properties) -> Properties:
    """Without the engine's marks and without what is not given."""
    return {name: value for name, value in inputs.items() if not name.startswith("__") and value is not None}
