"""TCP ports of 127.0.0.1."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below what Linux (32768) and macOS (49152) hand out to outgoing connections, and below Kubernetes' node ports
# (30000): a port that a stack keeps while it is down is not taken by any program that asks for "some" port.
RANGE = range(20000, 30000)


def free_ports(count: int, cursor: Path | None = None) -> list[int]:
    """Distinct TCP ports of 127.0.0.1 that nothing listens on at this moment. Raises OSError when there are too few.

    Processes that ask at the same time get different ones: all of a user take turns through the range. `cursor`: the
    file that remembers where they are.
    """
    with open(cursor or Path(tempfile.gettempdir(), f"candlefish-ports.{os.getuid()}"), "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        last = file.read()
        start = int(last) - RANGE.start + 1 if last.isdigit() and int(last) in RANGE else random.randrange(len(RANGE))
        ports: list[int] = []
        for offset in range(len(RANGE)):
            if len(ports) == count:
                break
            port = RANGE[(start + offset) % len(RANGE)]
            if is_free(port):
                ports.append(port)
        if len(ports) < count:
            raise OSError(f"{len(ports)} TCP ports of 127.0.0.1 from {RANGE.start} to {RANGE.stop - 1} are free, "
                          f"{count} are needed; stop what uses them")
        file.truncate(0)
        file.write(str(ports[-1]))
    return ports


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_open(port: int) -> bool:
    """Whether something on 127.0.0.1 accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
