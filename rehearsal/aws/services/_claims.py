"""Which operation a name was taken by: where a handler itself asks whether a name is free, an operation that is taken
again after an interruption would find its own resource and be refused."""

from __future__ import annotations

from rehearsal.aws.handler import Call

_TYPE = "candlefish:claim"


def is_ours(call: Call, name: str) -> bool:
    """Whether this very operation has taken the name before."""
    known = call.kept.get(call.account, call.region, _TYPE, f"{call.context.type} {name}")
    return known is not None and known["operation"] == call.context.operation


def take(call: Call, name: str) -> None:
    """Before the resource is made."""
    call.kept.put(call.account, call.region, _TYPE, f"{call.context.type} {name}",
                  {"operation": call.context.operation})
