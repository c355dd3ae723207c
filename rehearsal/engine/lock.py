"""One process at a time works on a state file."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from rehearsal.engine.errors import Locked


class StateLock:
    """An advisory lock beside the state file. The system drops it when its process dies, so a stale one is simply
    taken over; the file says who holds it. A lock left by another host (a shared file system) is never taken over."""

    def __init__(self, state: Path) -> None:
        self.path = state.with_name(state.name + ".lock")
        self._file: IO[str] | None = None

    def __enter__(self) -> StateLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Locked(_describe(_owner(file)), self.path) from error
        owner = _owner(file)
        if owner and owner.get("host") != socket.gethostname():
            file.close()
            raise Locked(_describe(owner), self.path)
        _write(file, {"pid": os.getpid(), "host": socket.gethostname(),
                      "since": datetime.now(UTC).isoformat(timespec="seconds")})
        self._file = file
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if self._file is not None:
            _write(self._file, {})
            self._file.close()
            self._file = None


def _write(file: IO[str], owner: dict[str, object]) -> None:
    file.seek(0)
    file.truncate()
    if owner:
        json.dump(owner, file)
    file.flush()


def _owner(file: IO[str]) -> dict[str, object]:
    file.seek(0)
    try:
        owner = json.loads(file.read() or "{}")
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def _describe(owner: dict[str, object]) -> str:
    if not owner:
        return "another process"
    return f"process {owner.get('pid')} on {owner.get('host')} since {owner.get('since')}"
