"""Point-in-time recovery of tables. MiniStack restores what a table holds now, whatever time is asked for.

Here every change of a table whose recovery is on is kept with what was there before it, and a restore takes the changes
after its moment back. The newest moment is now: AWS's is "typically five minutes before", and who restores has to wait
for it as `LatestRestorableDateTime` says.
"""

from __future__ import annotations

import copy
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import dynamodb

Answer = tuple[int, dict[str, str], bytes]
_CHANGES = 100_000  # a table; older ones are forgotten, and the earliest moment moves on


@dataclass
class History:
    """Seconds since 1970. changes: when, partition key, sort key, and the item before it or None."""

    since: float
    changes: deque[tuple[float, Any, Any, Any]] = field(default_factory=lambda: deque(maxlen=_CHANGES))

    def note(self, now: float, partition: Any, sort: Any, before: Any) -> None:
        if len(self.changes) == _CHANGES:
            self.since = self.changes[0][0]
        self.changes.append((now, partition, sort, copy.deepcopy(before)))

    def at(self, moment: float, items: dict[Any, dict[Any, Any]]) -> dict[Any, dict[Any, Any]]:
        """What `items` were after every change up to the moment."""
        found = copy.deepcopy({key: dict(sorts) for key, sorts in items.items()})
        for when, partition, sort, before in reversed(self.changes):
            if when <= moment:
                break
            if before is None:
                found.get(partition, {}).pop(sort, None)
            else:
                found.setdefault(partition, {})[sort] = copy.deepcopy(before)
        return {key: sorts for key, sorts in found.items() if sorts}


_histories: dict[str, History] = {}  # by table id, which a table of the same name does not inherit


def install() -> None:
    """Puts our handling in front of MiniStack's. May be called again."""
    if dynamodb._set_item.__module__ == __name__:
        return
    dynamodb._set_item = _noting(dynamodb._set_item)
    dynamodb._remove_item = _noting(dynamodb._remove_item)
    dynamodb._update_continuous_backups = _switching(dynamodb._update_continuous_backups)
    dynamodb._describe_continuous_backups = _describing(dynamodb._describe_continuous_backups)
    dynamodb._restore_table_to_point_in_time = _restoring(dynamodb._restore_table_to_point_in_time)
    dynamodb._table_description = _told_from_where(dynamodb._table_description)


def _noting(change: Callable[..., Any]) -> Callable[..., Any]:
    def changed(table: dict[str, Any], partition: Any, sort: Any, *item: Any) -> Any:
        before = change(table, partition, sort, *item)
        history = _histories.get(table["TableId"])
        if history is not None:
            history.note(time.time(), partition, sort, before)
        return before

    return changed


def _switching(served: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    def switched(data: dict[str, Any]) -> Answer:
        answer = served(data)
        if answer[0] == 200:
            name = dynamodb._normalize_table_name(data.get("TableName"))
            table = dynamodb._tables[name]["TableId"]
            if dynamodb._pitr_settings[name]:
                _histories.setdefault(table, History(time.time()))
            else:
                _histories.pop(table, None)  # switched on again it begins anew
        return answer

    return switched


def _describing(served: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    def described(data: dict[str, Any]) -> Answer:
        answer = served(data)
        history = _history(data.get("TableName")) if answer[0] == 200 else None
        if history is None:
            return answer
        document = json.loads(answer[2])
        document["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"].update(
            EarliestRestorableDateTime=history.since, LatestRestorableDateTime=time.time())
        changed: Answer = json_response(document)
        return changed

    return described


def _told_from_where(served: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    def described(name: str) -> dict[str, Any]:
        restored = dynamodb._tables[name].get("RestoreSummary")
        return {**served(name), **({"RestoreSummary": restored} if restored else {})}

    return described


def _restoring(served: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    def restored(data: dict[str, Any]) -> Answer:
        source = dynamodb._normalize_table_name(data.get("SourceTableName") or data.get("SourceTableArn") or "")
        if source not in dynamodb._tables:
            return served(data)
        history, moment = _history(source), data.get("RestoreDateTime")
        if history is None:
            return _refused("PointInTimeRecoveryUnavailableException",
                            f"Point in time recovery is not enabled for table '{source}'")
        if (moment is None) is not bool(data.get("UseLatestRestorableTime")):
            return _refused("ValidationException", "Either RestoreDateTime or UseLatestRestorableTime is required")
        if moment is not None and not history.since <= moment <= time.time():
            return _refused("InvalidRestoreTimeException",
                            "RestoreDateTime is not between EarliestRestorableDateTime and LatestRestorableDateTime")
        answer = served(data)
        if answer[0] == 200 and moment is not None:
            target = dynamodb._tables[data["TargetTableName"]]
            target["items"].clear()
            target["items"].update(history.at(moment, dynamodb._tables[source]["items"]))
            dynamodb._items_replaced(target)
            target["RestoreSummary"] = {"SourceTableArn": dynamodb._tables[source]["TableArn"],
                                        "RestoreDateTime": moment, "RestoreInProgress": False}
        return answer

    return restored


def _history(name: Any) -> History | None:
    table = dynamodb._tables.get(dynamodb._normalize_table_name(name))
    return None if table is None else _histories.get(table["TableId"])


def _refused(code: str, text: str) -> Answer:
    answer: Answer = error_response_json(code, text, 400)
    return answer
