"""The process that containers come from: orders as JSON lines on stdin, events as JSON lines on stdout.

Orders: `{"start": {…}}` with the fields of `container.Start`, `{"signal": "TERM"|"KILL", "id": …}`.
Events: `{"started": id, "pid": …, "ports": {"3000": 41234}}`, `{"exited": id, "code": 0, "signal": 0}`.

`--isolation process` forks one child a container: everything is imported once and shared, so that a container
costs milliseconds and its own pages only. `--isolation task` runs all of them in this process, for large clusters.
At the end of stdin all containers are killed; a child also ends when this process is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any

from rehearsal.kubernetes.standin.container import EXIT_KILLED, Container, Start, order, sockets_for


def say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Processes:
    """One forked process a container. This process stays without threads and without an event loop of its own."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._alive_read, self._alive_write = os.pipe()
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        gc.freeze()
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ, "orders")
        selector.register(self._wake_read, selectors.EVENT_READ, "children")
        rest = b""
        while True:
            for key, _ in selector.select():
                if key.data == "children":
                    with contextlib.suppress(BlockingIOError):
                        self._wake_read.recv(4096)
                    self._reap()
                    continue
                data = os.read(0, 1 << 16)
                if not data:
                    self._kill_all()
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))

    def _obey(self, message: dict[str, Any]) -> None:
        if "start" in message:
            self._fork(order(message["start"]))
        elif (pid := self._pids.get(message["id"])) is not None:
            os.kill(pid, getattr(signal, f"SIG{message['signal']}"))

    def _fork(self, start: Start) -> None:
        sockets, bound = sockets_for(start.ports)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = self._child(start, sockets)
            finally:
                os._exit(code & 0xFF)
        for one in sockets:
            one.close()
        self._pids[start.id] = pid
        say({"started": start.id, "pid": pid, "ports": bound})

    def _child(self, start: Start, sockets: list[socket.socket]) -> int:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._wake_read.close()
        self._wake_write.close()
        os.close(self._alive_write)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        log = open(start.log, "a", buffering=1)  # noqa: SIM115  it lives as long as the process
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        return asyncio.run(self._contain(start, sockets))

    async def _contain(self, start: Start, sockets: list[socket.socket]) -> int:
        container = Container(start, sockets, sys.stdout)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, container.terminate)
        loop.add_reader(self._alive_read, lambda: os._exit(1))  # the host is gone
        return await container.run()

    def _reap(self) -> None:
        for id, pid in list(self._pids.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                del self._pids[id]
                code = os.waitstatus_to_exitcode(status)
                say({"exited": id, "code": max(code, 0), "signal": max(-code, 0)})

    def _kill_all(self) -> None:
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)


class Tasks:
    """All containers in this process."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Container, asyncio.Task[int]]] = {}

    async def run(self) -> None:
        reader = asyncio.StreamReader(limit=1 << 22)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            message = json.loads(line)
            if "start" in message:
                self._start(order(message["start"]))
            elif (found := self._running.get(message["id"])) is not None:
                container, task = found
                if message["signal"] == "KILL":
                    task.cancel()
                else:
                    container.terminate()

    def _start(self, start: Start) -> None:
        sockets, bound = sockets_for(start.ports)
        log = open(start.log, "a", buffering=1)  # noqa: SIM115  closed when the task is done
        container = Container(start, sockets, log)
        task = asyncio.get_running_loop().create_task(container.run())
        self._running[start.id] = (container, task)
        say({"started": start.id, "pid": os.getpid(), "ports": bound})

        def done(ended: asyncio.Task[int]) -> None:
            log.close()
            del self._running[start.id]
            code = EXIT_KILLED if ended.cancelled() else ended.result()
            say({"exited": start.id, "code": max(code, 0), "signal": max(-code, 0)})

        task.add_done_callback(done)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.argv[1:] == ["--isolation", "task"]:
        asyncio.run(Tasks().run())
    elif sys.argv[1:] == ["--isolation", "process"]:
        Processes().run()
    else:
        sys.exit("usage: host --isolation process|task")


if __name__ == "__main__":
    main()
