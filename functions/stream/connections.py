"""The table of connections: one item `#connection` for each, and one for each metric that it subscribes to.

No index is needed: which items a connection can have is known from the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.schema import STREAMED
from common.table import ConditionFailed, Table

CONNECTION = "#connection"
LIFETIME = timedelta(hours=2)  # API Gateway closes a connection then (quotas of WebSocket APIs)
METRICS = tuple(sorted(STREAMED))


class Gone(Exception):
    """The connection is not there any more."""


@dataclass(frozen=True)
class Connections:
    table: Table
    now: datetime

    def add(self, connection: str) -> None:
        self.table.put({"metric": CONNECTION, "connectionId": connection, "connectedAt": self._seconds(),
                        "expiresAt": self._seconds() + int(LIFETIME.total_seconds())})

    def remove(self, connections: Iterable[str]) -> None:
        """With their subscriptions; what is not there is no error."""
        self.table.delete_all({"metric": metric, "connectionId": connection}
                              for connection in connections for metric in (CONNECTION, *METRICS))

    def subscribe(self, connection: str, metrics: Iterable[str]) -> None:
        """Raises Gone: a subscription never outlives its connection."""
        found = self.table.get({"metric": CONNECTION, "connectionId": connection})
        if found is None:
            raise Gone
        key = {"metric": CONNECTION, "connectionId": connection}
        try:
            self.table.transact([self.table.check_action(key, "attribute_exists(connectionId)"), *(
                self.table.put_action({"metric": metric, "connectionId": connection, "expiresAt": found["expiresAt"]})
                for metric in metrics)])
        except ConditionFailed:
            raise Gone from None

    def unsubscribe(self, connection: str, metrics: Iterable[str]) -> None:
        self.table.delete_all({"metric": metric, "connectionId": connection} for metric in metrics)

    def subscribers(self, metric: str) -> Iterator[str]:
        for item in self.table.query("metric = :metric", {":metric": metric}):
            if item["expiresAt"] > self._seconds():
                yield item["connectionId"]

    def count(self) -> int:
        return self.table.count("metric = :metric", {":metric": CONNECTION})

    def _seconds(self) -> int:
        return int(self.now.timestamp())
