"""A port on loopback that starts what is behind it when somebody comes."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable

from rehearsal.ports import free_ports

LOOPBACK = "127.0.0.1"
_CHUNK = 1 << 16
_log = logging.getLogger(__name__)


class Door:
    """`behind`: the port of the server, started by then; what it raises closes the visitor's connection."""

    def __init__(self, behind: Callable[[], int]) -> None:
        self._behind = behind
        self.port = free_ports(1)[0]
        self._listener = socket.create_server((LOOPBACK, self.port))
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No new visitors, and those who are in go."""
        for each in (self._listener, *list(self._open)):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(visitor,), daemon=True).start()

    def _serve(self, visitor: socket.socket) -> None:
        try:
            server = socket.create_connection((LOOPBACK, self._behind()))
        except Exception:
            _log.exception("the database behind port %d can't be reached", self.port)
            visitor.close()
            return
        self._open |= {visitor, server}
        back = threading.Thread(target=_pump, args=(server, visitor), daemon=True)
        back.start()
        _pump(visitor, server)
        back.join()
        self._open -= {visitor, server}
        visitor.close()
        server.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for each in (target, source):  # either end that goes takes the other with it
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_WR)
