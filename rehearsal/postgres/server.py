"""One PostgreSQL server with a log archive, as RDS runs one: base backups, and a way to any second in between.

    server = Server.new(folder, find(), account(), database="candlefish")
    server.start(); server.sql("create table …"); moment = server.flush()
    copy = Server.restored(other, server.binaries, server.account, server.origin(), moment)

Folder: `data`, `archive` (complete log segments), `base` (the backup that the archive goes on from), `log`, `password`
(of `rdsadmin`, the superuser that is RDS's own), certificate and key. Listens on 127.0.0.1 alone, without sockets of
the file system. What is written survives the end of its process, not that of the machine (fsync is off).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal.ports import free_ports
from rehearsal.postgres.binaries import Account, Binaries
from rehearsal.postgres.certificate import write_certificate

ADMIN = "rdsadmin"
LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0  # also of a restore, which replays its log before it answers
STOP_SECONDS = 20.0
ARCHIVE_SECONDS = 20.0
ARCHIVE_TIMEOUT_SECONDS = 300  # "RDS uploads transaction logs … every 5 minutes" (user guide, point-in-time recovery)
_LOOK_SECONDS = 0.05
_ACCESS = "local all all reject\nhostssl all all 127.0.0.1/32 scram-sha-256\n" \
          "hostssl replication rdsadmin 127.0.0.1/32 scram-sha-256\n"


class PostgresError(Exception):
    """PostgreSQL did not do it; the text has what it said, or the end of its log."""


@dataclass(frozen=True)
class Origin:
    """What a server can be made of: a base backup, and the log since if there is one. `latest`: the last second that
    the log reaches; None: the backup is whole by itself and stands for its own moment."""

    base: Path
    archive: Path | None = None
    latest: datetime | None = None


class Server:
    def __init__(self, home: Path, binaries: Binaries, account: Account, database: str) -> None:
        self.home, self.binaries, self.account, self.database = home, binaries, account, database
        self.data, self.archive, self.base = home / "data", home / "archive", home / "base"
        self.port = 0
        self.stopped_at: datetime | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def new(cls, home: Path, binaries: Binaries, account: Account, database: str) -> Server:
        """With an empty database. The base backup is of the moment before anything could be written."""
        server = cls(home, binaries, account, database)
        server._folders()
        password = home / "password"
        password.write_text(secrets.token_hex(16))
        password.chmod(0o600)
        account.own(password)
        server._run("initdb", "--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256",
                    "--wal-segsize=1", f"--username={ADMIN}", f"--pwfile={password}", "-D", str(server.data))
        server._configure()
        subprocess.run([binaries["postgres"], "--single", "-D", str(server.data), "template1"], check=True, cwd=home,
                       input=f'create database "{database}"\n'.encode(), capture_output=True, env=_ENVIRONMENT,
                       **account.popen)  # type: ignore[call-overload]
        _copy(server.data, server.base, account)
        return server

    @classmethod
    def restored(cls, home: Path, binaries: Binaries, account: Account, database: str, origin: Origin,
                 until: datetime | None = None) -> Server:
        """As the origin was at `until`, which its log must reach; None: as late as it goes. It replays when it is
        started. Nothing of the origin is needed afterwards."""
        server = cls(home, binaries, account, database)
        server._folders()
        _copy(origin.base, server.data, account)
        shutil.copy2(origin.base.parent / "password", home / "password")
        account.own(home / "password")
        server._configure()
        if origin.archive is not None:
            source = home / "source"
            # Links: a segment is never written to again, and outlives the origin so.
            shutil.copytree(origin.archive, source, copy_function=os.link, ignore=shutil.ignore_patterns("*.new"))
            account.own(source, *source.iterdir())
            recovery = [f"restore_command = 'cp \"{source}/%f\" \"%p\"'", "recovery_target_action = 'promote'",
                        "recovery_target_timeline = 'latest'"]
            if until is not None and (origin.latest is None or until < origin.latest):
                recovery.append(f"recovery_target_time = '{until.astimezone(UTC).isoformat()}'")
            with (server.data / "postgresql.auto.conf").open("a") as file:
                file.write("\n".join(recovery) + "\n")
            (server.data / "recovery.signal").touch()
            account.own(server.data / "recovery.signal")
        return server

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it takes writes: a restored one has replayed its log. Raises PostgresError."""
        if self.running:
            return
        self.port = self.port or free_ports(1)[0]
        log = (self.home / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self.binaries["postgres"], "-D", str(self.data), "-p", str(self.port)], cwd=self.home, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, env=_ENVIRONMENT, **self.account.popen)  # type: ignore[call-overload]
        self.stopped_at = None
        self._await_writes()
        if not self.base.exists():  # of a restored one: its own log begins here
            self.backup(self.base)

    def stop(self, *, immediately: bool = False) -> None:
        """In good order, the last of the log archived; or as when the power fails."""
        if self._process is None or not self.running:
            return
        self._process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.stopped_at = datetime.now(UTC)

    def remove(self) -> None:
        self.stop(immediately=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def flush(self) -> datetime:
        """Puts the log away up to now, and returns that moment: a restore can go to it or to any second before. Of a
        server that has ended, the moment at which it did."""
        if not self.running:
            if self.stopped_at is None:
                raise PostgresError(f"{self.home.name} has never run; there is nothing to put away")
            return self.stopped_at
        # A restore to a time ends at the first commit after it: without one the log would not be known to reach it.
        moment = datetime.fromisoformat(self.sql("select clock_timestamp()").replace(" ", "T"))
        self.sql("select txid_current()")
        segment = self.sql("select pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + ARCHIVE_SECONDS
        while not (self.archive / segment).exists():
            if time.monotonic() > deadline:
                raise PostgresError(f"{segment} was not archived within {ARCHIVE_SECONDS:.0f} s\n{self._tail()}")
            time.sleep(_LOOK_SECONDS)
        return moment.astimezone(UTC)

    def origin(self) -> Origin:
        """What this server can be restored from, to any second since it was new or restored."""
        return Origin(self.base, self.archive, self.flush())

    def backup(self, target: Path) -> Origin:
        """A base backup that is whole by itself, into a folder that is not there yet, while the server goes on."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self.account.own(target.parent)
        self._run("pg_basebackup", "-D", str(target), "--checkpoint=fast", "--wal-method=fetch", "--no-sync",
                  "-h", LOOPBACK, "-p", str(self.port), "-U", ADMIN, environment=self._login)
        password = target.parent / "password"
        if not password.exists():
            shutil.copy2(self.home / "password", password)
        return Origin(target)

    def sql(self, statements: str, database: str | None = None) -> str:
        """What psql prints without headings, fields separated by |. Raises PostgresError."""
        return self._run("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
                         "-h", LOOPBACK, "-p", str(self.port), "-U", ADMIN, "-d", database or self.database,
                         environment=self._login, given=statements).strip()

    @property
    def _login(self) -> dict[str, str]:
        return {"PGPASSWORD": (self.home / "password").read_text(), "PGSSLMODE": "require", "PGCONNECT_TIMEOUT": "5"}

    def _folders(self) -> None:
        self.home.mkdir(parents=True)
        self.archive.mkdir(mode=0o700)
        self.account.own(self.home, self.archive)

    def _configure(self) -> None:
        """After every copy: what names folders is this server's own, and a recovery that is over is forgotten."""
        certificate, key = write_certificate(self.home)
        self.account.own(certificate, key)
        (self.data / "pg_hba.conf").write_text(_ACCESS)
        (self.data / "postgresql.auto.conf").write_text("\n".join((
            f"listen_addresses = '{LOOPBACK}'", "unix_socket_directories = ''", "fsync = off", "ssl = on",
            f"ssl_cert_file = '{certificate}'", f"ssl_key_file = '{key}'", "wal_level = replica", "archive_mode = on",
            f"archive_command = 'cp \"%p\" \"{self.archive}/%f.new\" && mv \"{self.archive}/%f.new\" "
            f"\"{self.archive}/%f\"'", f"archive_timeout = {ARCHIVE_TIMEOUT_SECONDS}", "shared_buffers = 32MB",
            "max_connections = 50", "password_encryption = 'scram-sha-256'", "log_timezone = 'UTC'",
            "timezone = 'UTC'")) + "\n")
        self.account.own(self.data / "pg_hba.conf", self.data / "postgresql.auto.conf")

    def _await_writes(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not self.running:
                raise PostgresError(f"PostgreSQL of {self.home.name} ended while it started:\n{self._tail()}")
            try:
                if self.sql("select pg_is_in_recovery()", "postgres") == "f":
                    return
            except PostgresError as error:
                if time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL of {self.home.name} does not answer after {START_SECONDS:.0f} s: "
                                        f"{error}\n{self._tail()}") from error
            time.sleep(_LOOK_SECONDS)

    def _run(self, program: str, *arguments: str, environment: dict[str, str] | None = None,
             given: str | None = None) -> str:
        more: dict[str, Any] = dict(self.account.popen)
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [self.binaries[program], *arguments], cwd=self.home, env={**_ENVIRONMENT, **(environment or {})},
            input=given, text=True, capture_output=True, check=False, **more)
        if done.returncode:
            raise PostgresError(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _tail(self, size: int = 2000) -> str:
        log = self.home / "log"
        return log.read_text(errors="replace")[-size:] if log.exists() else ""


_ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}


def _copy(source: Path, target: Path, account: Account) -> None:
    """A data folder as it stands still, without what belongs to a running process."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("postmaster.pid", "recovery.signal"))
    paths: Sequence[Path] = [target, *target.rglob("*")]
    account.own(*paths)
    target.chmod(0o700)
