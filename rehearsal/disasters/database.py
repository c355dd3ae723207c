"""The database is deleted, and what its backups hold is compared row by row."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

from rehearsal.disasters.strikes import Struck, spelled
from rehearsal.disasters.world import DrillError, World
from rehearsal.postgres.binaries import NoPostgres, find

ROWS = 500
_TABLE = "candlefish_drill"


class Rows:
    """Of one table of the drill's own, in whatever instance has the name now."""

    def __init__(self, world: World, name: str) -> None:
        if world.databases is None:
            raise DrillError("the embedded AWS has no database with content: it was started without PostgreSQL; "
                             "install it, then `candlefish rehearse reset`")
        try:
            self._psql = find()["psql"]
        except NoPostgres as error:
            raise DrillError(str(error)) from error
        self._world, self._name, self._connections = world, name, world.databases

    def make(self) -> None:
        self._ask(f"drop table if exists {_TABLE}; create table {_TABLE} (id int primary key, value text not null)")
        values = ", ".join(f"({number}, '{self._world.draw.random()}')" for number in range(ROWS))
        self._ask(f"insert into {_TABLE} values {values}")

    def read(self) -> dict[str, Any]:
        lines = self._ask(f"select id, value from {_TABLE} order by id").splitlines()
        return {f"row {number}": value for number, _, value in (line.partition("|") for line in lines)}

    def drop(self) -> None:
        self._ask(f"drop table if exists {_TABLE}")

    def _ask(self, statements: str) -> str:
        """As the master, whose password RDS made. Raises DrillError with what psql said."""
        instance = self._world.clients("rds").describe_db_instances(DBInstanceIdentifier=self._name)["DBInstances"][0]
        held = self._world.clients("secretsmanager").get_secret_value(
            SecretId=instance["MasterUserSecret"]["SecretArn"])["SecretString"]
        done = subprocess.run(
            [self._psql, "--no-psqlrc", "-Atq", "--set=ON_ERROR_STOP=1"], input=statements, text=True,
            capture_output=True, check=False, env={
                "PATH": os.environ.get("PATH", ""), "PGSERVICEFILE": str(self._connections), "PGSERVICE": self._name,
                "PGPASSWORD": json.loads(held)["password"]})
        if done.returncode:
            raise DrillError(f"{self._name} can't be asked: {done.stderr.strip()}")
        return done.stdout


def database_dropped(world: World) -> Struck:
    """Somebody's key deletes the instance, without a final snapshot. What its automated backups hold is left."""
    if shutil.which("aws") is None:
        raise DrillError("the page's commands need the AWS CLI (`aws`), which is not on PATH; install it")
    instance = world.of("aws:rds/instance:Instance")[0]
    name, rds = str(instance.inputs["identifier"]), world.clients("rds")
    rows = Rows(world, name)
    rows.make()
    kept = rows.read()
    moment = spelled(world.moment())
    rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    made = f"{name}-at-{moment.replace('-', '').replace(':', '').lower()}"

    def tidy() -> None:
        there = {each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]}
        if name in there:  # it came back
            rows.drop()
        if made in there:
            rds.modify_db_instance(DBInstanceIdentifier=made, DeletionProtection=False, ApplyImmediately=True)
            rds.delete_db_instance(DBInstanceIdentifier=made, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)
        if made in {each["DBSnapshotIdentifier"] for each in rds.describe_db_snapshots()["DBSnapshots"]}:
            rds.delete_db_snapshot(DBSnapshotIdentifier=made)

    return Struck({"moment": moment, "restored": made}, kept, rows.read,
                  (f"database.restore.snapshotId={made}",), tidy)
