"""What may be lost and how long it may take when all goes wrong (D6): the one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from infra.plans.backup import COMPLETION_WINDOW_MINUTES, START_WINDOW_MINUTES


class Kept(StrEnum):
    """What is kept."""

    DATABASE = "database"
    TABLE = "table"
    ASSETS = "assets"
    BACKUPS = "backups"


class How(StrEnum):
    """How a recovery point is kept, and where."""

    POINT_IN_TIME = "point in time"  # in the region, to any second
    SNAPSHOT = "snapshot"  # RDS's own, in the region
    REPLICATED = "replicated backups"  # RDS's automated backups in the recovery region
    VAULT = "vault"  # AWS Backup, in the region
    COPY = "copied to vault"  # AWS Backup, in the recovery region
    REPLICA = "replica"  # S3 objects in the recovery region


@dataclass(frozen=True)
class Objective:
    """rpo: how much may be lost. grace: how far beyond it a newest point is seen although all goes well, because the
    next one is being made; in it a point is due, beyond it late."""

    rpo: timedelta
    grace: timedelta = timedelta(0)


# RDS puts its logs away every five minutes, and DynamoDB's newest point is "typically five minutes before now": read a
# little later, both are a little older.
_FIVE_MINUTES = Objective(timedelta(minutes=5), timedelta(minutes=1))
_QUARTER = Objective(timedelta(minutes=15))
# The plan's own windows: a daily point is begun up to an hour later and may take six.
_DAILY = Objective(timedelta(hours=24), timedelta(minutes=START_WINDOW_MINUTES + COMPLETION_WINDOW_MINUTES))

OBJECTIVES: Mapping[tuple[Kept, How], Objective] = {
    (Kept.DATABASE, How.POINT_IN_TIME): _FIVE_MINUTES,
    (Kept.DATABASE, How.REPLICATED): _QUARTER,
    (Kept.DATABASE, How.VAULT): _DAILY,
    (Kept.DATABASE, How.COPY): _DAILY,
    (Kept.TABLE, How.POINT_IN_TIME): _FIVE_MINUTES,
    (Kept.TABLE, How.VAULT): _DAILY,
    (Kept.TABLE, How.COPY): _DAILY,
    (Kept.ASSETS, How.REPLICA): _QUARTER,
}

APPLICATION_WITHIN = timedelta(minutes=30)
DATABASE_WITHIN = timedelta(hours=2)
ENVIRONMENT_WITHIN = timedelta(hours=4)  # the whole of it, anew
