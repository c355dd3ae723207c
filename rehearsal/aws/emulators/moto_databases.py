"""What PostgreSQL instances of RDS hold. Moto keeps their descriptions; here each is a real server where PostgreSQL is
installed (see rehearsal.postgres), snapshots are base backups, and a restore to a point in time replays the log. Where
it is not, the descriptions are all there is.

Beside that: what moto takes from a restored instance's origin although AWS does not (deletion protection, a managed
password) or although the call says otherwise (a retention of 0), and the limits of a point in time.

`RDS_CONNECTIONS` names the file of libpq's services (PGSERVICEFILE) that tells where the instances answer: a section
an instance, by its identifier and by the host name that AWS gives it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.rds.exceptions import InvalidParameterValue, RDSClientError
from moto.rds.models import MasterUserSecret, RDSBackend

from rehearsal.aws.emulators import moto_retained
from rehearsal.aws.emulators.moto_retained import Retained
from rehearsal.postgres.binaries import NoPostgres, account, find
from rehearsal.postgres.instances import Content, Instance, Instances
from rehearsal.postgres.places import place

CONNECTIONS = "RDS_CONNECTIONS"
_DATABASE = "postgres"  # what an instance has that names no database
_log = logging.getLogger(__name__)
_lock = threading.RLock()
_instances: dict[Any, Instance] = {}  # by moto's DBInstance
_snapshots: dict[Any, Content] = {}  # by moto's DBSnapshot
_worlds: dict[int, Instances] = {}  # by major version


def install() -> None:
    setattr(MasterUserSecret, "__deepcopy__", lambda secret, memo: secret)  # noqa: B010  it would copy the whole account
    for name, around in (
        ("create_db_instance", _created), ("delete_db_instance", _deleted), ("create_db_snapshot", _kept),
        ("copy_db_snapshot", _copied), ("delete_db_snapshot", _dropped), ("modify_db_instance", _modified),
        ("restore_db_instance_from_db_snapshot", _from_snapshot),
        ("restore_db_instance_to_point_in_time", _to_point), ("stop_db_instance", _stopped),
        ("start_db_instance", _started), ("reset", _reset),
    ):
        setattr(RDSBackend, name, _around(getattr(RDSBackend, name), around))


def _around(served: Callable[..., Any], around: Callable[..., Any]) -> Callable[..., Any]:
    def call(backend: RDSBackend, *given: Any, **named: Any) -> Any:
        with _lock:
            return around(served, backend, *given, **named)
    return call


def _created(served: Callable[..., Any], backend: RDSBackend, db_kwargs: dict[str, Any]) -> Any:
    database = served(backend, db_kwargs)
    database.dbi_resource_id = f"db-{secrets.token_hex(13).upper()}"  # moto's is the same for all
    if database.engine == "postgres" and (world := _world(database.engine_version)) is not None:
        content = Content(database.db_name or _DATABASE)
        _instances[database] = world.new(content, lambda: _login(database))
        _write_connections()
    return database


def _deleted(served: Callable[..., Any], backend: RDSBackend, db_instance_identifier: str, *given: Any,
             delete_automated_backups: bool | None = True, **named: Any) -> Any:
    known = backend.databases.get(db_instance_identifier)
    instance = _instances.get(known)
    kept = known is not None and delete_automated_backups is False and known.backup_retention_period
    content = _world_of(instance).at(instance, None) if kept and instance is not None else None
    database = served(backend, db_instance_identifier, *given, delete_automated_backups=delete_automated_backups,
                      **named)
    if kept:
        moto_retained.keep(backend, database, content)
    instance = _instances.pop(database, None)
    if instance is not None:
        instance.remove()
        _write_connections()
    return database


def _kept(served: Callable[..., Any], backend: RDSBackend, *given: Any, **named: Any) -> Any:
    snapshot = served(backend, *given, **named)
    instance = _instances.get(backend.databases[snapshot.db_instance_identifier])
    if instance is not None:
        _snapshots[snapshot] = _world_of(instance).snapshot(instance)
    return snapshot


def _copied(served: Callable[..., Any], backend: RDSBackend, source_db_snapshot_identifier: str, *given: Any,
            **named: Any) -> Any:
    source = backend.get_db_snapshot(source_db_snapshot_identifier)
    snapshot = served(backend, source_db_snapshot_identifier, *given, **named)
    if source in _snapshots:
        _snapshots[snapshot] = _snapshots[source]
    return snapshot


def _dropped(served: Callable[..., Any], backend: RDSBackend, *given: Any, **named: Any) -> Any:
    snapshot = served(backend, *given, **named)
    content = _snapshots.pop(snapshot, None)
    if content is not None and content not in _snapshots.values():
        content.forget()
    return snapshot


def _from_snapshot(served: Callable[..., Any], backend: RDSBackend, from_snapshot_id: str,
                   overrides: dict[str, Any]) -> Any:
    snapshot = backend.get_db_snapshot(from_snapshot_id.partition(":snapshot:")[2] or from_snapshot_id)
    source = snapshot.database
    database = served(backend, from_snapshot_id, overrides)
    content = _snapshots.get(snapshot)
    if content is not None and database in _instances:
        _instances[database].begin_with(content)
    return _as_asked(database, source, overrides)


def _to_point(served: Callable[..., Any], backend: RDSBackend, source_db_identifier: str, target_db_identifier: str,
              overrides: dict[str, Any]) -> Any:
    if resource := overrides.get("source_dbi_resource_id"):
        return _of_retained(served, backend, moto_retained.find(backend, resource), target_db_identifier, overrides)
    source = backend.describe_db_instances(source_db_identifier)[0]
    until = _until(source, source.latest_restorable_time, overrides)
    found = _instances.get(source)
    content = None if found is None else _world_of(found).at(found, until)
    database = served(backend, source_db_identifier, target_db_identifier, overrides)
    if content is not None:
        _instances[database].begin_with(content)
    return _as_asked(database, source, overrides)


def _of_retained(served: Callable[..., Any], backend: RDSBackend, kept: Retained, target: str,
                 overrides: dict[str, Any]) -> Any:
    until = _until(kept.database, kept.latest, overrides)
    database = moto_retained.restored(served, backend, kept, target, overrides)
    if (content := kept.at(until)) is not None:
        _instances[database].begin_with(content)
    return _as_asked(database, kept.database, overrides)


def _until(source: Any, known_until: datetime, overrides: dict[str, Any]) -> datetime | None:
    """The time that is asked for; None: the latest. The bounds are those that DescribeDBInstances tells."""
    if not source.backup_retention_period:
        raise RDSClientError("PointInTimeRestoreNotEnabled",
                             f"Point in time restore is not enabled for {source.db_instance_identifier}.")
    asked = overrides.get("restore_time")
    if asked is None:
        return None
    until = datetime.fromisoformat(asked.replace("Z", "+00:00")) if isinstance(asked, str) else asked
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    made, latest = (each.replace(tzinfo=UTC) for each in (source.created, known_until))
    if not made <= until <= latest:
        raise InvalidParameterValue(f"The restore time {until.isoformat()} is not between {made.isoformat()} and "
                                    f"the latest restorable time {latest.isoformat()}")
    return until


def _as_asked(database: Any, origin: Any, overrides: dict[str, Any]) -> Any:
    """What moto takes from the origin, and AWS does not: deletion protection ("isn't enabled by default"), and a
    managed password, which "applies to RDS for Oracle only" here: the master keeps the password that it had. And 0 is
    an answer, not the lack of one."""
    if database.manage_master_user_password:
        _, password = _login(origin)
        database.update(manage_master_user_password=False)
        database.master_user_password = password
    database.deletion_protection = bool(overrides.get("deletion_protection"))
    if overrides.get("backup_retention_period") is not None:
        database.backup_retention_period = int(overrides["backup_retention_period"])
    return database


def _modified(served: Callable[..., Any], backend: RDSBackend, *given: Any, **named: Any) -> Any:
    database = served(backend, *given, **named)
    _write_connections()  # it may have a new name
    return database


def _stopped(served: Callable[..., Any], backend: RDSBackend, *given: Any, **named: Any) -> Any:
    database = served(backend, *given, **named)
    if database in _instances:
        _instances[database].stop()
    return database


def _started(served: Callable[..., Any], backend: RDSBackend, *given: Any, **named: Any) -> Any:
    database = served(backend, *given, **named)
    if database in _instances:
        _instances[database].start()
    return database


def _reset(served: Callable[..., Any], backend: RDSBackend) -> None:
    for database in list(backend.databases.values()):
        if (instance := _instances.pop(database, None)) is not None:
            instance.remove()
    for snapshot in list(backend.database_snapshots.values()):
        _snapshots.pop(snapshot, None)
    moto_retained.forget(backend)
    served(backend)
    _write_connections()


def _login(database: Any) -> tuple[str, str]:
    if database.manage_master_user_password:
        secret = database.master_user_secret.secret
        held = json.loads(secret.versions[secret.default_version_id]["secret_string"])
        return held["username"], held["password"]
    return database.master_username, database._master_user_password


def _world(engine_version: str) -> Instances | None:
    major = int(engine_version.partition(".")[0])
    if major not in _worlds:
        try:
            binaries, who = find(major), account()
        except NoPostgres as error:
            _log.warning("database instances hold nothing: %s", error)
            return None
        if binaries.major != major:
            _log.warning("PostgreSQL %d stands in for %d", binaries.major, major)
        _worlds[major] = Instances(place(Path(tempfile.gettempdir()), who) / str(major), binaries, who)
    return _worlds[major]


def _world_of(instance: Instance) -> Instances:
    return next(world for world in _worlds.values() if world.made(instance))


def _write_connections() -> None:
    name = os.environ.get(CONNECTIONS)
    if not name:
        return
    sections = []
    for database, instance in _instances.items():
        if not database.endpoint.get("Port"):
            continue
        body = (f"host=127.0.0.1\nport={instance.port}\ndbname={instance.database}\nuser={database.master_username}\n"
                "sslmode=require\n")
        sections += [f"[{title}]\n{body}" for title in (database.db_instance_identifier, database.address)]
    fresh = Path(f"{name}.new")
    fresh.write_text("\n".join(sections))
    fresh.replace(name)
