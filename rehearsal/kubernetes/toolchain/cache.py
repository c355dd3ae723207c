"""The cache of binaries: one writer at a time, complete or absent."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rehearsal.kubernetes.toolchain.errors import ToolchainError


@contextlib.contextmanager
def locked(folder: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock of `folder` (the file beside it); waits for another process that holds it, and says so."""
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / f".{folder.name}.lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report(f"another process is filling {folder}; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, which takes its place when the block ends well and vanishes otherwise."""
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def require_space(folder: Path, gigabytes: float) -> None:
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        raise ToolchainError(f"{folder} has {free:.1f} GB free and {gigabytes:g} GB are needed; make room, or point "
                             "CANDLEFISH_CACHE to a folder with more")


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ToolchainError(f"the disk of {folder} is full; make room, or point CANDLEFISH_CACHE to another "
                                 "disk") from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise ToolchainError(f"{folder} can't be written ({error.strerror}); set CANDLEFISH_CACHE to a folder "
                                 "that can") from error
        raise
