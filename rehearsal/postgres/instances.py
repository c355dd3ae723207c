"""What the emulated instances and snapshots hold. A server is made when somebody connects to its instance, not before:
an instance that nobody has been at holds nothing, and so do its snapshots."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rehearsal.postgres.binaries import Account, Binaries
from rehearsal.postgres.door import Door
from rehearsal.postgres.server import Origin, PostgresError, Server

Login = Callable[[], tuple[str, str]]  # user and password of the master, as they are now


@dataclass(frozen=True)
class Content:
    """What an instance begins with. origin None: an empty database; own: the instance's alone, and goes with it."""

    database: str
    origin: Origin | None = None
    until: datetime | None = None
    own: bool = False

    def forget(self) -> None:
        if self.origin is not None:
            shutil.rmtree(self.origin.base.parent, ignore_errors=True)


class Instance:
    """`address` is what AWS calls it; it answers on `port` of 127.0.0.1, to TLS alone."""

    def __init__(self, home: Path, binaries: Binaries, account: Account, content: Content, login: Login) -> None:
        self.home, self._binaries, self._account = home, binaries, account
        self._content, self._login = content, login
        self._server: Server | None = None
        self._known: tuple[str, str] | None = None  # the login that the server has
        self._lock = threading.RLock()
        self._door = Door(self.open)
        self.stopped = False

    @property
    def port(self) -> int:
        return self._door.port

    @property
    def database(self) -> str:
        return self._content.database

    @property
    def touched(self) -> bool:
        """Whether it holds anything that a new instance would not."""
        return self._server is not None or self._content.origin is not None

    def open(self) -> int:
        """The server's port; it runs then, and knows the master's password of this moment."""
        with self._lock:
            if self.stopped:
                raise PostgresError(f"{self.home.name} is stopped")
            server = self._running()
            wanted = self._login()
            if wanted != self._known:
                server.sql(_master(*wanted, self.database))
                self._known = wanted
            return server.port

    def begin_with(self, content: Content) -> None:
        """Of an instance that was made a moment ago: what it is to hold."""
        with self._lock:
            if self._server is not None:
                self._server.remove()
                self._server = None
            self._content = content

    def snapshot(self, target: Path) -> Content:
        """As it is now, in a folder of its own."""
        with self._lock:
            if not self.touched:
                return Content(self.database)
            running = self._server is not None and self._server.running
            server = self._running()
            origin = server.backup(target / "base")
            if not running and self.stopped:
                server.stop()
            return Content(self.database, origin)

    def log(self) -> Origin | None:
        """What a restore to a point in time starts from; None: nothing was ever written."""
        with self._lock:
            return self._running().origin() if self.touched else None

    def stop(self) -> None:
        with self._lock:
            self.stopped = True
            if self._server is not None:
                self._server.stop()

    def start(self) -> None:
        self.stopped = False

    def remove(self) -> None:
        self._door.close()
        with self._lock:
            self.stopped = True
            if self._server is not None:
                self._server.remove()
            if self._content.own:
                self._content.forget()

    def _running(self) -> Server:
        if self._server is None:
            content = self._content
            self._server = (
                Server.new(self.home, self._binaries, self._account, content.database) if content.origin is None else
                Server.restored(self.home, self._binaries, self._account, content.database, content.origin,
                                content.until))
        if not self._server.running:
            self._server.start()
            self._known = None
        return self._server


class Instances:
    """All of one world, in one folder that goes with it."""

    def __init__(self, home: Path, binaries: Binaries, account: Account) -> None:
        self._home, self._binaries, self._account = home, binaries, account
        home.mkdir(parents=True, exist_ok=True)
        account.own(home)

    def made(self, instance: Instance) -> bool:
        return instance.home.parent == self._home

    def new(self, content: Content, login: Login) -> Instance:
        return Instance(self._folder("instance"), self._binaries, self._account, content, login)

    def snapshot(self, instance: Instance) -> Content:
        return instance.snapshot(self._folder("snapshot"))

    def at(self, instance: Instance, until: datetime | None) -> Content:
        """The instance as it was at a time, or as it is; copied at once, as the instance may be gone when somebody
        connects to what is restored."""
        found = instance.log()
        if found is None:
            return Content(instance.database)
        folder = self._folder("point")
        folder.mkdir()
        shutil.copytree(found.base, folder / "base")
        assert found.archive is not None
        shutil.copytree(found.archive, folder / "archive", ignore=shutil.ignore_patterns("*.new"))
        shutil.copy2(found.base.parent / "password", folder / "password")
        self._account.own(folder, *folder.rglob("*"))
        latest = found.latest if until is None else min(until.astimezone(UTC), found.latest or until)
        return Content(instance.database, Origin(folder / "base", folder / "archive", found.latest), latest,
                       own=True)

    def _folder(self, kind: str) -> Path:
        return self._home / f"{kind}-{uuid.uuid4().hex[:12]}"


def _master(user: str, password: str, database: str) -> str:
    """The master may do what RDS lets it: everything in its database, and no superuser."""
    name, secret = user.replace('"', '""'), password.replace("'", "''")
    literal = user.replace("'", "''")
    return (f"select format('create role %I', '{literal}') where not exists (select from pg_roles where rolname = "
            f"'{literal}') \\gexec\n"
            f"alter role \"{name}\" login createdb createrole password '{secret}';\n"
            f"grant pg_monitor to \"{name}\";\nalter database \"{database}\" owner to \"{name}\";\n"
            f"alter schema public owner to \"{name}\";\n")
