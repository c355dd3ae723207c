"""Runs an `up` (or `destroy`) and kills its own process at the n-th point where something is about to happen, or just
has: the provider's mutations and the state's writes.

Reads lines `operation n folder` and answers each with a line `exit-code points`; the points are -1 for a killed one.
Each runs in a fork, so that the imports are paid for once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from rehearsal.engine.store import Store
from rehearsal.engine.testing import World
from tests.rehearsal.engine.engine_harness import Stack


def run(operation: str, fatal: int, folder: Path) -> int:
    lock = threading.Lock()
    passed = 0

    def point(*_: Any) -> None:
        nonlocal passed
        with lock:
            passed += 1
            if passed == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    stack = Stack(folder, World.load(folder / "world.json"))
    stack.provider.before = stack.provider.after = point
    write = Store._write

    def watched(self: Store, *arguments: Any, **options: Any) -> None:
        point()
        write(self, *arguments, **options)
        point()

    Store._write = watched  # type: ignore[method-assign]
    getattr(stack.engine(), operation)()
    return passed


def forked(operation: str, fatal: int, folder: Path) -> tuple[int, int]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(run(operation, fatal, folder)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        points = answer.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(points or -1)


if __name__ == "__main__":
    for line in sys.stdin:
        wanted, point, path = line.rstrip("\n").split(" ", 2)
        print(*forked(wanted, int(point), Path(path)), flush=True)
