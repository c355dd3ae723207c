"""A DynamoDB table with plain values, and calls that are tried again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from common.retries import Retries, Unavailable, code, reasons

Item = dict[str, Any]  # str, int, float, bool, None, list, dict, set[str]
BATCH = 25  # BatchWriteItem
TRANSACTION = 100  # TransactWriteItems


class ConditionFailed(Exception):
    """What a write demanded does not hold. `failed`: the positions in a transaction."""

    def __init__(self, failed: Sequence[int] = (0,)) -> None:
        super().__init__(f"conditions failed: {list(failed)}")
        self.failed = tuple(failed)


class Table:
    """`client`: boto3's low-level client."""

    def __init__(self, client: Any, name: str, retries: Retries | None = None) -> None:
        self.client = client
        self.name = name
        self.retries = retries or Retries()

    def get(self, key: Item) -> Item | None:
        """The item as of the last write."""
        found = self.retries.call(self.client.get_item, TableName=self.name, Key=pack(key), ConsistentRead=True)
        return unpack(found["Item"]) if "Item" in found else None

    def put(self, item: Item, condition: str | None = None, values: Item | None = None) -> None:
        """Raises ConditionFailed."""
        self._conditional(self.client.put_item, **self.put_action(item, condition, values)["Put"])

    def update(self, key: Item, expression: str, values: Item, condition: str | None = None,
               names: Mapping[str, str] | None = None) -> None:
        """Raises ConditionFailed."""
        self._conditional(self.client.update_item,
                          **self.update_action(key, expression, values, condition, names)["Update"])

    def delete(self, key: Item, condition: str | None = None, values: Item | None = None) -> bool:
        """Whether there was one. Raises ConditionFailed."""
        answer = self._conditional(self.client.delete_item, ReturnValues="ALL_OLD",
                                   **self.delete_action(key, condition, values)["Delete"])
        return "Attributes" in answer

    def query(self, condition: str, values: Item, *, index: str | None = None, names: Mapping[str, str] | None = None,
              limit: int | None = None, start: Item | None = None, consistent: bool = False,
              keys: str | None = None) -> Iterator[Item]:
        """All items, page by page; at most `limit`. `keys`: only these attributes, separated by commas."""
        arguments: dict[str, Any] = {"TableName": self.name, "KeyConditionExpression": condition,
                                     "ExpressionAttributeValues": pack(values), "ConsistentRead": consistent}
        if index:
            arguments["IndexName"] = index
        if names:
            arguments["ExpressionAttributeNames"] = dict(names)
        if keys:
            arguments["ProjectionExpression"] = keys
        if start:
            arguments["ExclusiveStartKey"] = pack(start)
        given = 0
        while True:
            if limit is not None:
                arguments["Limit"] = limit - given
            page = self.retries.call(self.client.query, **arguments)
            for item in page["Items"]:
                given += 1
                yield unpack(item)
            if "LastEvaluatedKey" not in page or (limit is not None and given >= limit):
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def count(self, condition: str, values: Item) -> int:
        """How many items a query would give."""
        arguments: dict[str, Any] = {"TableName": self.name, "KeyConditionExpression": condition, "Select": "COUNT",
                                     "ExpressionAttributeValues": pack(values)}
        total = 0
        while True:
            page = self.retries.call(self.client.query, **arguments)
            total += int(page["Count"])
            if "LastEvaluatedKey" not in page:
                return total
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def delete_all(self, keys: Iterable[Item]) -> int:
        """Deletes items by their keys; returns how many were asked to go. Raises Unavailable when the table takes no
        more, having deleted some."""
        waiting: list[Item] = [{"DeleteRequest": {"Key": pack(key)}} for key in keys]
        total = len(waiting)
        attempt = 0
        while waiting:
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            answer = self.retries.call(self.client.batch_write_item, RequestItems={self.name: batch})
            refused = answer.get("UnprocessedItems", {}).get(self.name, [])
            waiting += refused
            attempt = attempt + 1 if refused else 0
            if attempt >= self.retries.attempts:
                raise Unavailable(f"{len(waiting)} items were not taken in {attempt} attempts")
            if refused:
                self.retries.sleep(self.retries.wait(attempt))
        return total

    def transact(self, actions: Sequence[Item]) -> None:
        """All or nothing. Raises ConditionFailed with the positions of those whose condition does not hold.

        A write whose answer was lost is known by its token when it is tried again, and does not meet itself.
        """
        try:
            self.retries.call(self.client.transact_write_items, TransactItems=list(actions),
                              ClientRequestToken=str(uuid4()))
        except Exception as error:
            found = [index for index, reason in enumerate(reasons(error)) if reason == "ConditionalCheckFailed"]
            if code(error) == "TransactionCanceledException" and found:
                raise ConditionFailed(found) from error
            raise

    def put_action(self, item: Item, condition: str | None = None, values: Item | None = None) -> Item:
        return {"Put": self._with({"Item": pack(item)}, condition, values)}

    def update_action(self, key: Item, expression: str, values: Item, condition: str | None = None,
                      names: Mapping[str, str] | None = None) -> Item:
        action = self._with({"Key": pack(key), "UpdateExpression": expression}, condition, values)
        return {"Update": action | ({"ExpressionAttributeNames": dict(names)} if names else {})}

    def delete_action(self, key: Item, condition: str | None = None, values: Item | None = None) -> Item:
        return {"Delete": self._with({"Key": pack(key)}, condition, values)}

    def check_action(self, key: Item, condition: str, values: Item | None = None) -> Item:
        return {"ConditionCheck": self._with({"Key": pack(key)}, condition, values)}

    def _with(self, action: Item, condition: str | None, values: Item | None) -> Item:
        action |= {"TableName": self.name}
        if condition:
            action["ConditionExpression"] = condition
        if values:
            action["ExpressionAttributeValues"] = pack(values)
        return action

    def _conditional(self, function: Any, **arguments: Any) -> Item:
        try:
            answer: Item = self.retries.call(function, **arguments)
        except Exception as error:
            if code(error) == "ConditionalCheckFailedException":
                raise ConditionFailed from error
            raise
        return answer


def pack(item: Mapping[str, Any]) -> Item:
    return {name: _pack(value) for name, value in item.items()}


def unpack(item: Mapping[str, Any]) -> Item:
    return {name: _unpack(value) for name, value in item.items()}


def _pack(value: Any) -> Item:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": repr(value)}
        case dict():
            return {"M": pack(value)}
        case list() | tuple():
            return {"L": [_pack(each) for each in value]}
        case set() | frozenset():
            return {"SS": sorted(value)}
    raise TypeError(f"a table cannot hold a {type(value).__name__}")


def _unpack(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            number = float(content)
            return int(number) if number.is_integer() and "." not in content else number
        case "M":
            return unpack(content)
        case "L":
            return [_unpack(each) for each in content]
        case "SS":
            return set(content)
    return content
