"""What the automated backups of a deleted instance hold, which moto forgets with it: with DeleteAutomatedBackups=false
they stay, as "retained", and RestoreDBInstanceToPointInTime takes their SourceDbiResourceId."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstanceAutomatedBackup, RDSBackend
from moto.rds.responses import RDSResponse

from rehearsal.postgres.instances import Content


@dataclass(frozen=True)
class Retained:
    """As DescribeDBInstanceAutomatedBackups shows them. content None: nobody knows, as PostgreSQL is not installed."""

    database: Any
    content: Content | None
    latest: datetime  # without a zone, as moto's

    status = "retained"

    @property
    def db_instance_identifier(self) -> str:
        return str(self.database.db_instance_identifier)

    @property
    def dbi_resource_id(self) -> str:
        return str(self.database.dbi_resource_id)

    @property
    def region(self) -> str:
        return str(self.database.region)

    @property
    def restore_window(self) -> dict[str, datetime]:
        return {"EarliestTime": self.database.created, "LatestTime": self.latest}

    def at(self, until: datetime | None) -> Content | None:
        """The content's folder stays with these backups: other restores may follow."""
        if self.content is None or self.content.origin is None:
            return self.content
        latest = self.latest.replace(tzinfo=UTC)
        return replace(self.content, until=latest if until is None else min(until, latest), own=False)


def install() -> None:
    describe = RDSResponse.describe_db_instance_automated_backups

    def with_retained(response: RDSResponse) -> ActionResult:
        name = response.params.get("DBInstanceIdentifier")
        found: Any = describe(response).result
        own = [each for each in _of(response.backend).values() if name in (None, each.db_instance_identifier)]
        # Moto's say neither which instance nor until when: nobody could restore from them.
        others = [each for each in found["DBInstanceAutomatedBackups"]
                  if not (isinstance(each, DBInstanceAutomatedBackup) and each.status == "retained")]
        return ActionResult({"DBInstanceAutomatedBackups": [*others, *own]})

    setattr(RDSResponse, "describe_db_instance_automated_backups", with_retained)  # noqa: B010


def keep(backend: RDSBackend, database: Any, content: Content | None) -> None:
    _of(backend)[database.dbi_resource_id] = Retained(database, content, utcnow())


def find(backend: RDSBackend, resource: str) -> Retained:
    try:
        return _of(backend)[resource]
    except KeyError:
        raise RDSClientError("DBInstanceAutomatedBackupNotFound", f"There are no automated backups of {resource}.") \
            from None


def forget(backend: RDSBackend) -> None:
    for each in _of(backend).values():
        if each.content is not None:
            each.content.forget()
    _of(backend).clear()


def restored(served: Callable[..., Any], backend: RDSBackend, kept: Retained, target: str,
             overrides: dict[str, Any]) -> Any:
    """Moto's own restore, which asks its backend for the source."""
    return served(_WithOneMore(backend, kept.database), kept.db_instance_identifier, target, overrides)


class _WithOneMore:
    def __init__(self, backend: RDSBackend, database: Any) -> None:
        self._backend, self._database = backend, database

    def describe_db_instances(self, db_instance_identifier: str) -> list[Any]:
        return [self._database]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def _of(backend: RDSBackend) -> dict[str, Retained]:
    """By the resource id of the instance that is gone."""
    found: dict[str, Retained] = backend.__dict__.setdefault("retained_backups", {})
    return found
