"""RDS's automated backups in another region, which moto does not replicate. Here what they hold follows the instance as
long as it is there, and stands still once it is gone."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.rds.exceptions import DBInstanceNotFoundError
from moto.rds.models import RDSBackend, rds_backends
from moto.rds.responses import RDSResponse


class ReplicatedBackups:
    """As DescribeDBInstanceAutomatedBackups shows them in the region that they go to."""

    def __init__(self, source: Any, arn: str, key: str | None, days: int) -> None:
        self._of = source
        self._latest = self._earliest = utcnow()
        self.db_instance_automated_backups_arn = arn
        self.db_instance_arn = source.db_instance_arn
        self.db_instance_identifier = source.db_instance_identifier
        self.region = source.region
        self.kms_key_id = key
        self.encrypted = key is not None
        self.backup_retention_period = days
        self.instance_create_time = source.instance_create_time
        self.engine, self.engine_version = source.engine, source.engine_version

    @property
    def _there(self) -> bool:
        return rds_backends[self._of.account_id][self.region].databases.get(self.db_instance_identifier) is self._of

    @property
    def status(self) -> str:
        return "replicating" if self._there else "retained"

    @property
    def restore_window(self) -> dict[str, datetime]:
        if self._there:
            self._latest = self._of.latest_restorable_time
        return {"EarliestTime": self._earliest, "LatestTime": self._latest}


def install() -> None:
    setattr(RDSResponse, "start_db_instance_automated_backups_replication", _start)  # noqa: B010 (mypy knows no
    setattr(RDSResponse, "stop_db_instance_automated_backups_replication", _stop)  # noqa: B010 assignment to a method)
    _describe_replicas_too()


def _start(response: RDSResponse) -> ActionResult:
    source = response.params["SourceDBInstanceArn"]
    region, name = source.split(":")[3], source.rpartition(":")[2]
    database = rds_backends[response.current_account][region].databases.get(name)
    if database is None:
        raise DBInstanceNotFoundError(name)
    # The same for the same instance, so that an interrupted start can be taken again.
    arn = (f"arn:aws:rds:{response.region}:{response.current_account}:auto-backup:"
           f"ab-{hashlib.sha256(source.encode()).hexdigest()[:32]}")
    found = ReplicatedBackups(database, arn, response.params.get("KmsKeyId"),
                              int(response.params.get("BackupRetentionPeriod") or 7))
    _replicas(response.backend)[source] = found
    return ActionResult({"DBInstanceAutomatedBackup": found})


def _stop(response: RDSResponse) -> ActionResult:
    source = response.params["SourceDBInstanceArn"]
    found = _replicas(response.backend).pop(source, None)
    if found is None:
        raise DBInstanceNotFoundError(source)
    return ActionResult({"DBInstanceAutomatedBackup": found})


def _describe_replicas_too() -> None:
    describe = RDSResponse.describe_db_instance_automated_backups

    def with_replicas(response: RDSResponse) -> ActionResult:
        name = response.params.get("DBInstanceIdentifier")
        own: Any = describe(response).result
        replicas = [found for found in _replicas(response.backend).values()
                    if name in (None, found.db_instance_identifier)]
        return ActionResult({"DBInstanceAutomatedBackups": [*own["DBInstanceAutomatedBackups"], *replicas]})

    setattr(RDSResponse, "describe_db_instance_automated_backups", with_replicas)  # noqa: B010 (as above)


def _replicas(backend: RDSBackend) -> dict[str, ReplicatedBackups]:
    """By the source instance's ARN."""
    found: dict[str, ReplicatedBackups] = backend.__dict__.setdefault("replicated_backups", {})
    return found
