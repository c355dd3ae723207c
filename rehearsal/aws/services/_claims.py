"""Which operation a name was taken by: where a handler itself asks whether a name is free, an operation that is taken
again after an interruption would find its own resource and be refused."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.aws.handler import Call

_TYPE = "candlefish:claim"


def is_taken(call: Call, name: str, exists: Callable[[], bool]) -> bool:
    """Whether something of that name was there before this very operation; if not, the name is this operation's now."""
    place = (call.account, call.region, _TYPE, f"{call.context.type} {name}")
    known = call.kept.get(*place)
    if (known is None or known["operation"] != call.context.operation) and exists():
        return True
    call.kept.put(*place, {"operation": call.context.operation})
    return False
