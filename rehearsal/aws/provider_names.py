"""Auto-names: what a resource is called when the program does not say."""

from __future__ import annotations

import json
import random
from typing import Any

from rehearsal.aws.handler import Handler
from rehearsal.engine.provider import Context, Failure
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.sdk.replacements import Replacements

DEFAULTS = "__defaults"  # the inputs that the provider chose, under the key that Pulumi's bridge uses in the state
_DIGITS = 7


def filled(handler: Handler, context: Context, old: Properties | None, new: Properties,
           replacements: Replacements) -> tuple[Properties, list[Failure]]:
    """The inputs with a name. One that the provider chose before stays; a replacement (old is None) gets another, as
    both exist for a while."""
    naming = handler.naming
    if naming is None or new.get(naming.property) is not None or new.get(f"{naming.property}Prefix") is not None:
        return new, []
    if old and naming.property in old.get(DEFAULTS, ()) and old.get(naming.property):
        name = old[naming.property]
    else:
        suffix = handler.name_suffix(new)
        name = f"{context.name}-{_digits(handler, context, new, replacements)}{suffix}"
        name = name.lower() if naming.lower else name
        if len(name) > naming.maximum:
            return new, [Failure(naming.property, f"the name {name!r} that is made from the resource's logical name "
                                 f"has {len(name)} characters, {naming.maximum} are allowed; set "
                                 f"`{naming.property}`, or shorten the logical name")]
    return {**new, naming.property: name, DEFAULTS: [naming.property]}, []


def with_prefixed(handler: Handler, context: Context, inputs: Properties) -> Properties:
    """What is sent for a `namePrefix`: a name with 26 hex digits behind the prefix, as the provider makes it."""
    naming = handler.naming
    prefix = inputs.get(f"{naming.property}Prefix") if naming is not None else None
    if naming is None or not prefix or inputs.get(naming.property) is not None:
        return inputs
    draw = random.Random(f"{context.seed}:{context.urn}:{context.operation}")
    return {**inputs, naming.property: f"{prefix}{draw.getrandbits(104):026x}{naming.suffix}"}


def is_chosen(handler: Handler, inputs: Properties) -> bool:
    """Whether the name is the provider's choice, so that two of the resource can exist at once."""
    return handler.naming is None or handler.naming.property in inputs.get(DEFAULTS, ()) or (
        inputs.get(handler.naming.property) is None)


def _digits(handler: Handler, context: Context, inputs: Properties, replacements: Replacements) -> str:
    """By seed, URN and the inputs that can only change by a replacement: the same run draws the same name, and the
    successor of a replaced resource another one."""
    forcing = {name: value for name, value in inputs.items()
               if replacements.forces(handler.type, name).replaces}
    draw = random.Random(f"{context.seed}:{context.urn}:{json.dumps(forcing, sort_keys=True, default=_plain)}")
    return f"{draw.getrandbits(4 * _DIGITS):0{_DIGITS}x}"


def _plain(value: Any) -> str:
    return "unknown" if value is UNKNOWN else repr(value)
