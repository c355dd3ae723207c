"""The table of events. An event that is already there is left as it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from .events import Event


class Store(Protocol):
    def put(self, event: Event) -> bool:
        """False: an event of that id is there already. Errors of the table are raised: the batch is tried again, and
        what was written then counts as there already."""
        ...


class DynamoStore:
    """Key `eventId`; `expiresAt` is the table's TTL attribute, in seconds since 1970."""

    def __init__(self, client: Any, table: str, retention: timedelta) -> None:
        self._client = client
        self._table = table
        self._retention = retention

    def put(self, event: Event) -> bool:
        try:
            self._client.put_item(TableName=self._table, Item=self._item(event),
                                  ConditionExpression="attribute_not_exists(eventId)")
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _item(self, event: Event) -> dict[str, dict[str, str]]:
        item = {
            "eventId": {"S": event.id},
            "type": {"S": event.type},
            "at": {"S": event.at.isoformat(timespec="milliseconds")},
            "expiresAt": {"N": str(int((event.at + self._retention).timestamp()))},
        }
        item |= {name: {"N": repr(value)} for name, value in event.numbers.items()}
        return item | {name: {"S": value} for name, value in event.words.items()}
