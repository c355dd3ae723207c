"""Every recovery point of a stack: database, tables, vaults and buckets, in its region and in the recovery region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from infra.plans.recovery import How, Kept
from operations.errors import OperationError
from operations.recovery import buckets, databases, tables, vaults
from operations.recovery.account import Account
from operations.recovery.model import UNKNOWN, Judged, Point, judge

_AWAY = (How.REPLICATED, How.COPY)


def look(account: Account, now: datetime, *, gone: bool = False) -> list[Judged]:
    """Raises OperationError. A region or a service that doesn't answer is a point that nobody can vouch for: the others
    are told all the same, as this is asked when something is gone. gone: the vaults count as they are, whatever the
    stack's region says that it still has."""
    home, away = account.home, account.away
    found = [*_ask(lambda: databases.here(account), Kept.DATABASE, How.POINT_IN_TIME, home),
             *_ask(lambda: tables.here(account), Kept.TABLE, How.POINT_IN_TIME, home)]
    expected = None if gone else _expected(account)
    found += _ask(lambda: vaults.points(account, home, expected), Kept.DATABASE, How.VAULT, home)
    if away is not None:
        found += _ask(lambda: databases.away(account, away), Kept.DATABASE, How.REPLICATED, away)
        found += _ask(lambda: vaults.points(account, away, expected), Kept.DATABASE, How.COPY, away)
        found += _ask(lambda: buckets.points(account, away, now), Kept.ASSETS, How.REPLICA, away)
        found = _copied(found)
    return [judge(point, now) for point in _since(found)]


def _ask(question: Callable[[], list[Point]], kept: Kept, how: How, region: str) -> list[Point]:
    try:
        return question()
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise OperationError(f"AWS can't be asked: {error}; sign in, or take a rehearsal's environment with "
                             "`candlefish rehearse env`") from error
    except (ClientError, BotoCoreError) as error:
        return [Point(kept, how, UNKNOWN, region, faults=(f"{region} can't be asked: {error}",))]


def _expected(account: Account) -> list[str] | None:
    """ARNs of what the vaults should hold; None where the region does not tell."""
    try:
        database = databases.arn(account)
        return [*([database] if database else []), *tables.arns(account)]
    except (ClientError, BotoCoreError):
        return None


def _copied(points: Sequence[Point]) -> list[Point]:
    """Says of what is kept in the region whether the recovery region has a point of the resource too."""
    there = {(point.kept, point.resource) for point in points if point.how in _AWAY and point.newest is not None}
    return [replace(point, copied=(point.kept, point.resource) in there)
            if point.how in (How.POINT_IN_TIME, How.VAULT) else point for point in points]


def _since(points: Sequence[Point]) -> list[Point]:
    """A vault doesn't know how old a resource is; the resource's own row does."""
    made = {(point.kept, point.resource): point.since for point in points if point.how is How.POINT_IN_TIME}
    return [replace(point, since=point.since or made.get((point.kept, point.resource))) for point in points]
