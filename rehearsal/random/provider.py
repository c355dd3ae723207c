"""pulumi-random as a provider: every input is fixed at creation, and the value lives in the state only."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from rehearsal.engine.provider import (
    Change,
    Checked,
    Context,
    Diff,
    Found,
    PropertyDiff,
    ProviderError,
    Register,
)
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.random.values import DEFAULTS, MAKERS, Maker
from rehearsal.sdk.check import check as check_types
from rehearsal.sdk.source import NoSuchType
from rehearsal.sdk.types import Types, default_cache


class RandomProvider:
    """Implements `rehearsal.engine.provider.Provider`. A value depends on the seed, the URN and the inputs, so that a
    replacement draws another one and a repeated creation the same."""

    packages: Sequence[str] = ("random",)
    identifies = False  # a password's id is "none"

    def __init__(self, types: Types | None = None) -> None:
        self._types = types or Types(default_cache())

    def check(self, context: Context, old: Properties | None, new: Properties) -> Checked:
        if _is_provider(context):
            return Checked(new)
        _maker(context)
        given = {name: value for name, value in new.items() if value is not None}
        try:
            return Checked(given, tuple(check_types(self._types.get(context.type), given)))
        except NoSuchType as error:
            raise ProviderError(str(error)) from error

    def diff(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
             new_inputs: Properties) -> Diff:
        if _is_provider(context):
            return Diff()
        return Diff(tuple(
            PropertyDiff(name, _change(old_inputs.get(name), new_inputs.get(name)), replaces=True)
            for name in sorted({*old_inputs, *new_inputs})
            if not name.startswith("__") and old_inputs.get(name) != new_inputs.get(name)))

    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        if _is_provider(context):
            return inputs
        if old_outputs is not None:
            return {**old_outputs, **inputs}
        outputs = dict.fromkeys(self._types.get(context.type).outputs, UNKNOWN)
        return {**outputs, **DEFAULTS.get(context.type, {}), **inputs}

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        if _is_provider(context):
            return context.name, inputs
        draw = random.Random(f"{context.seed}:{context.urn}:{json.dumps(inputs, sort_keys=True)}")
        id, made = _maker(context)(draw, inputs)
        return id, {**DEFAULTS.get(context.type, {}), **inputs, **made}

    def read(self, context: Context, id: str, inputs: Properties | None, outputs: Properties | None) -> Found | None:
        if outputs is None:
            raise ProviderError(f"{context.type} {context.name!r}: random values cannot be imported here")
        return Found(id, outputs, inputs or {})

    def update(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
               new_inputs: Properties, ignored: tuple[str, ...]) -> Properties:
        return {**old_outputs, **new_inputs}

    def delete(self, context: Context, id: str, inputs: Properties, outputs: Properties) -> None:
        """Nothing exists outside the state."""

    def invoke(self, context: Context, token: str, arguments: Properties) -> Properties:
        raise ProviderError(f"pulumi-random has no data source {token}")

    def construct(self, context: Context, inputs: Properties, register: Register) -> Properties:
        raise ProviderError(f"pulumi-random has no component {context.type}")


def _maker(context: Context) -> Maker:
    if context.type not in MAKERS:
        raise ProviderError(f"the resource type {context.type} is not part of the rehearsal; add it to MAKERS in "
                            "rehearsal/random/values.py")
    return MAKERS[context.type]


def _is_provider(context: Context) -> bool:
    return context.type.startswith("pulumi:providers:")


def _change(before: object, after: object) -> Change:
    if before is None:
        return Change.ADD
    return Change.DELETE if after is None else Change.UPDATE
