"""What a rebuild starts from: of the points in the recovery region the newest that can be restored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from infra.plans.recovery import How, Kept
from operations.errors import OperationError
from operations.recovery.model import UNKNOWN, Judged, Point

_SNAPSHOT = ":snapshot:"  # of the ARN of a recovery point that RDS keeps; the identifier follows


@dataclass(frozen=True)
class Chosen:
    """settings: of the run that makes the database. database, tables: the points; a table's by the word behind its
    prefix, such as `experiments`."""

    settings: dict[str, str]
    database: Point
    tables: dict[str, Point]


def choose(found: Sequence[Judged], region: str, prefix: str) -> Chosen:
    """prefix: of the lost stack's tables, `production-candlefish`. Raises OperationError with every reason,
    and when the region could not be asked for all of them: half an answer would leave tables empty, for good."""
    silent = [fault for each in found if each.point.region == region and each.point.how in (How.REPLICATED, How.COPY)
              and each.point.resource == UNKNOWN for fault in each.faults]
    if silent:
        raise OperationError("; ".join(silent) + ". Nothing was decided; run the command again when it can")
    there = [each.point for each in found if each.point.region == region and each.point.restorable
             and each.point.newest is not None and each.point.source]
    databases = [point for point in there if point.kept is Kept.DATABASE and point.resource == f"{prefix}-db"
                 and _settings(point)]
    if not databases:
        raise OperationError(f"nothing in {region} can bring the database back: {_reasons(found, region)}. "
                             "`candlefish recovery points` says more")
    database = max(databases, key=_age)
    tables: dict[str, Point] = {}
    for point in sorted((point for point in there if point.kept is Kept.TABLE), key=_age):
        tables[point.resource.removeprefix(f"{prefix}-")] = point
    return Chosen(_settings(database), database, tables)


def _settings(point: Point) -> dict[str, str]:
    """For a database (D1). Empty for a point that the program can't restore from: one that AWS Backup keeps itself."""
    if point.how is How.REPLICATED:
        return {"database.restore.sourceInstanceId": point.source}
    if point.how is How.COPY and _SNAPSHOT in point.source:
        return {"database.restore.snapshotId": point.source.partition(_SNAPSHOT)[2]}
    return {}


def _age(point: Point) -> datetime:
    assert point.newest is not None
    return point.newest


def _reasons(found: Iterable[Judged], region: str) -> str:
    told = [f"{each.point.how}: {', '.join(each.faults) or 'there is none that the program can restore from'}"
            for each in found if each.point.kept is Kept.DATABASE and each.point.region == region]
    return "; ".join(told) or f"there is no point of it in {region}"
