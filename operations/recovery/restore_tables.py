"""A table's items, brought back from its point-in-time recovery.

DynamoDB restores into a new table only. The stack's table stays where it is, with its stream, its ARN and what was
written since: the new table's items are put into it, compared one by one, and the new table is deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from typing import Any

from operations.aws import pages
from operations.errors import NotAcceptable, OperationError
from operations.recovery.account import Account
from operations.recovery.items import described, put_missing
from operations.recovery.waiting import until

_WRITERS = 16
_AT_ONCE = 1000  # in memory
_PAUSE_SECONDS = 2.0
_NEWEST_WITHIN = timedelta(minutes=15)  # the newest moment is "typically five minutes before the current time"
_MADE_WITHIN = timedelta(hours=12)  # a restore that took longer is a case for support

Item = dict[str, Any]


class Put(StrEnum):
    """What became of an item of the restored table."""

    BACK = "back"  # it was missing
    SAME = "same"
    OVERWRITTEN = "overwritten"
    KEPT = "kept"  # written since, and left as it is


@dataclass(frozen=True)
class Restored:
    """items: how many the table had at the moment. counts: of them, by what became of each."""

    table: str
    at: datetime
    items: int
    counts: dict[Put, int]


@dataclass(frozen=True)
class Waiting:
    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


def restore(account: Account, name: str, at: datetime, *, overwrite: bool = False,
            say: Callable[[str], None] = lambda text: None, waiting: Waiting | None = None) -> Restored:
    """The table has again what it had at `at`: what is missing is put back; what was changed since is so only if
    `overwrite`, and what came since stays. A restore that was interrupted is gone on with. Raises OperationError."""
    waiting = waiting or Waiting()
    at = at.replace(microsecond=0)  # DynamoDB takes whole seconds
    dynamodb = account.clients("dynamodb", account.home)
    table = _table(account, dynamodb, name)
    copy = f"{name[:220]}-restored-{at:%Y%m%d%H%M%S}"
    if described(dynamodb, copy) is None:
        _wait_for_moment(dynamodb, name, at, say, waiting)
        say(f"restoring {name} as of {at.isoformat()} into {copy}")
        dynamodb.restore_table_to_point_in_time(SourceTableName=name, TargetTableName=copy, RestoreDateTime=at)
    until(f"{copy} can be read", lambda: (described(dynamodb, copy) or {}).get("TableStatus") == "ACTIVE",
          _MADE_WITHIN.total_seconds(), _PAUSE_SECONDS, waiting.pause, waiting.now)
    _expect_ours(dynamodb, copy, table)
    keys = [each["AttributeName"] for each in table["KeySchema"]]
    counts = dict.fromkeys(Put, 0)
    left = _items(dynamodb, copy)
    with ThreadPoolExecutor(_WRITERS) as pool:
        while some := list(islice(left, _AT_ONCE)):
            for became in pool.map(lambda item: _put(dynamodb, name, keys, item, overwrite), some):
                counts[became] += 1
    _compare(dynamodb, name, copy, keys, counts)
    dynamodb.delete_table(TableName=copy)
    return Restored(name, at, sum(counts.values()), counts)


def _table(account: Account, dynamodb: Any, name: str) -> dict[str, Any]:
    table = described(dynamodb, name)
    if table is None or not name.startswith(f"{account.names.prefix}-"):
        raise NotAcceptable(f"{account.stack} has no table {name} in {account.home}; `candlefish recovery points "
                            f"--stack {account.stack}` lists those that it has")
    return table


def _wait_for_moment(dynamodb: Any, name: str, at: datetime, say: Callable[[str], None], waiting: Waiting) -> None:
    end = waiting.now() + _NEWEST_WITHIN.total_seconds()
    told = False
    while True:
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        window = backups.get("PointInTimeRecoveryDescription") or {}
        if window.get("PointInTimeRecoveryStatus") != "ENABLED":
            raise OperationError(f"{name} has no point-in-time recovery; AWS Backup's daily copy is what is left of it")
        earliest, latest = window["EarliestRestorableDateTime"], window["LatestRestorableDateTime"]
        if at < earliest.replace(microsecond=0):
            raise NotAcceptable(f"--at {at.isoformat()}: {name} can be restored from {earliest.isoformat()} on")
        if at <= latest:
            return
        if waiting.now() > end:
            raise OperationError(f"--at {at.isoformat()}: the newest moment that {name} can be restored to is "
                                 f"{latest.isoformat()}, and has not moved on; give that")
        if not told:
            say(f"{at.isoformat()} can't be restored yet, the newest moment is {latest.isoformat()}: waiting")
            told = True
        waiting.pause(_PAUSE_SECONDS)


def _expect_ours(dynamodb: Any, copy: str, table: dict[str, Any]) -> None:
    """Raises OperationError unless DynamoDB has restored it from the table: in the end it is deleted."""
    summary = (described(dynamodb, copy) or {}).get("RestoreSummary") or {}
    if summary.get("SourceTableArn") != table["TableArn"]:
        raise OperationError(f"there is a table {copy} that was not restored from {table['TableName']}; it is left "
                             "alone. Look whose it is, remove it, and run the command again")


def _items(dynamodb: Any, name: str) -> Iterator[Item]:
    yield from pages(dynamodb, "scan", "Items", TableName=name, ConsistentRead=True)


def _put(dynamodb: Any, name: str, keys: list[str], item: Item, overwrite: bool) -> Put:
    if put_missing(dynamodb, name, keys[0], item):
        return Put.BACK
    found = _found(dynamodb, name, keys, item)
    if found is not None and _digest(found) == _digest(item):
        return Put.SAME
    if not overwrite:
        return Put.KEPT
    dynamodb.put_item(TableName=name, Item=item)
    return Put.OVERWRITTEN


def _found(dynamodb: Any, name: str, keys: list[str], item: Item) -> Item | None:
    key = {part: item[part] for part in keys}
    found: Item | None = dynamodb.get_item(TableName=name, Key=key, ConsistentRead=True).get("Item")
    return found


def _compare(dynamodb: Any, name: str, copy: str, keys: list[str], counts: dict[Put, int]) -> None:
    """Item by item. Items that are written meanwhile may differ; those that were left as they are do."""
    there = {_key(item, keys): _digest(item) for item in _items(dynamodb, name)}
    missing = differing = 0
    for item in _items(dynamodb, copy):
        found = there.get(_key(item, keys))
        missing += found is None
        differing += found is not None and found != _digest(item)
    if missing or differing > counts[Put.KEPT]:
        raise OperationError(f"{name} lacks {missing} items of {copy}, and {differing} differ, of which "
                             f"{counts[Put.KEPT]} were left as they are: somebody still changes it. Stop the writers "
                             f"and run the command again; {copy} is kept")


def _key(item: Item, keys: list[str]) -> str:
    return repr([item[part] for part in keys])


def _digest(item: Item) -> bytes:
    return sha256(repr(_ordered(item)).encode()).digest()


def _ordered(value: Any) -> Any:
    """Maps and sets come in any order; a list's order counts."""
    if not isinstance(value, dict):
        return value
    return [(kind, sorted(held) if kind in ("SS", "NS", "BS") else [_ordered(each) for each in held] if kind == "L"
             else _ordered(held)) for kind, held in sorted(value.items())]
