"""Where the servers' folders are: beside the other servers' temporary files, or where the account that runs them can
get to. Those go with their world; `sweep` removes what is left of one that has ended."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import psutil

from rehearsal.postgres.binaries import Account

_SHARED = Path("/tmp")  # TMPDIR may be where that account can't get to
_PREFIX = f"candlefish-databases-{os.getuid()}-"


def place(scratch: Path, account: Account) -> Path:
    if account.uid is None or all(folder.stat().st_mode & stat.S_IXOTH for folder in (scratch, *scratch.parents)):
        return scratch / "databases"
    sweep()
    created = int(psutil.Process().create_time())
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}.{created}.", dir=_SHARED))
    folder.chmod(0o755)
    return folder


def sweep() -> None:
    """Removes the folders whose owners have ended."""
    for left in _SHARED.glob(f"{_PREFIX}*"):
        if not _lives(left.name.removeprefix(_PREFIX)):
            shutil.rmtree(left, ignore_errors=True)


def _lives(owner: str) -> bool:
    """Whether the process whose folder has this ending, `id.created.random`, still runs."""
    pid, created, _ = owner.split(".")
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(created)
    except psutil.NoSuchProcess:
        return False
