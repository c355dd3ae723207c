"""Where PostgreSQL's programs are, and as whom they may run."""

from __future__ import annotations

import functools
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("initdb", "postgres", "pg_basebackup", "psql")
VARIABLE = "CANDLEFISH_POSTGRES"  # the folder of the programs, before all others
# Debian and Ubuntu, Red Hat's and PGDG's packages, Homebrew on Apple silicon and Intel, Postgres.app.
_PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin",
           "usr/local/opt/postgresql@*/bin", "Applications/Postgres.app/Contents/Versions/*/bin")
HOW = ("install PostgreSQL (Debian and Ubuntu: `apt-get install postgresql`; macOS: `brew install postgresql@16`), or "
       f"set {VARIABLE} to the folder of its programs")
_OLDEST = 13  # an earlier one takes a time that its log does not reach for the end of the log


class NoPostgres(Exception):
    """There is none here, or none that can be used; the text says what is missing and how to get it."""


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def find(wanted: int | None = None) -> Binaries:
    """Of the major version that is wanted if it is here, else the newest. Raises NoPostgres."""
    given = os.environ.get(VARIABLE)
    folders = [Path(given)] if given else _folders()
    found = [each for folder in folders if (each := _in(folder)) is not None]
    usable = [each for each in found if each.major >= _OLDEST]
    if not usable:
        there = f"{found[0].folder} has {found[0].major}, too old" if found else "there is no PostgreSQL here"
        raise NoPostgres(f"{there}; {HOW}")
    return max(usable, key=lambda each: (each.major == wanted, each.major))


def _folders() -> list[Path]:
    on_path = shutil.which("initdb")
    return [*([Path(on_path).resolve().parent] if on_path else []), *_installed(Path("/"))]


def _installed(root: Path) -> Iterable[Path]:
    for place in _PLACES:
        yield from sorted(root.glob(place))


@functools.cache
def _in(folder: Path) -> Binaries | None:
    if not all(os.access(folder / name, os.X_OK) for name in NEEDED):
        return None
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r" (\d+)", said)
    return Binaries(folder, int(version[1])) if version else None


@dataclass(frozen=True)
class Account:
    """Who runs the servers: PostgreSQL refuses root. None: whoever we are."""

    uid: int | None = None
    gid: int | None = None

    def own(self, *paths: Path) -> None:
        for path in paths:
            if self.uid is not None and self.gid is not None:
                os.chown(path, self.uid, self.gid)

    @property
    def popen(self) -> dict[str, object]:
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}


def account() -> Account:
    """Raises NoPostgres for root where no other user is known."""
    if os.geteuid() != 0:
        return Account()
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise NoPostgres("PostgreSQL does not run as root, and there is neither a user postgres nor nobody; run the "
                     "rehearsal as another user")
