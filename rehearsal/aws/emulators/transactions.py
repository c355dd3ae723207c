"""A transaction that comes again with its token is answered as before, as in DynamoDB.

MiniStack remembers what was asked by reference, and brings the numbers of an item into their shortest form (`60.0` →
`60`) while it keeps it: the same request would count as another one (IdempotentParameterMismatchException).
"""

from __future__ import annotations

from typing import Any

from ministack.services import dynamodb


def install() -> None:
    """May be called again."""
    carried_out = dynamodb._transact_write_items
    if carried_out.__module__ == __name__:
        return

    def carry_out(data: dict[str, Any]) -> Any:
        if "ClientRequestToken" in data:
            _shorten(data.get("TransactItems"))  # before it is remembered
        return carried_out(data)

    dynamodb._transact_write_items = carry_out


def _shorten(found: Any) -> None:
    """Every number in it, in place; what is none stays, and is refused later."""
    if isinstance(found, list):
        for each in found:
            _shorten(each)
    elif isinstance(found, dict):
        number = found.get("N")
        if len(found) == 1 and isinstance(number, str):
            found["N"] = dynamodb._ddb_canonicalize_number(number) or number
            return
        for each in found.values():
            _shorten(each)
