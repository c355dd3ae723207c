"""The child process that runs the program."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.errors import ProgramFailed

_HOST = Path(__file__).with_name("host.py")
_STACKS_WITHIN_SECONDS = 1.0
_QUIET = {"GRPC_VERBOSITY": "ERROR"}  # gRPC's own notes on closed connections are no output of the program


class Program:
    """Starts the program and follows it. `on_line(stream, text)` gets its output, line by line, as it comes."""

    def __init__(self, project: Project, stack: str, config: StackConfig, *, address: str, preview: bool,
                 parallel: int, threads: int, environment: Mapping[str, str], mend: bool,
                 on_line: Callable[[str, str], None]) -> None:
        settings = {
            "directory": str(project.directory), "root": str(project.directory), "program": _entry(project),
            "project": project.name, "stack": stack, "config": dict(config.values),
            "secret_keys": sorted(config.secret_keys), "address": address, "preview": preview,
            "parallel": parallel, "threads": threads, "mend": mend,
        }
        ours, theirs = socket.socketpair()
        interpreter = str(project.python or sys.executable)
        with theirs:
            # -P: the engine's own directory must not shadow the program's modules. A session of its own: Ctrl-C on
            # the terminal is for the engine, which lets running steps finish.
            self._process = subprocess.Popen(
                [interpreter, "-P", str(_HOST), str(theirs.fileno())], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()],
                cwd=project.directory, env={**_QUIET, **os.environ, **environment}, start_new_session=True)
        self._channel = ours.makefile("rw", encoding="utf-8")
        self._socket = ours
        with contextlib.suppress(BrokenPipeError):
            self._channel.write(json.dumps(settings) + "\n")
            self._channel.flush()
        self.started = time.monotonic()
        self._failure: dict[str, Any] = {}
        self._errors: list[str] = []
        self._threads = [threading.Thread(target=target, args=arguments, daemon=True) for target, arguments in (
            (self._read, ("stdout", self._process.stdout, on_line)),
            (self._read, ("stderr", self._process.stderr, on_line)),
            (self._listen, ()))]
        for thread in self._threads:
            thread.start()

    def _read(self, name: str, stream: IO[bytes], on_line: Callable[[str, str], None]) -> None:
        for line in stream:
            text = line.decode(errors="replace").rstrip("\r\n")
            if name == "stderr":
                self._errors = [*self._errors[-200:], text]
            on_line(name, text)

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._channel:
                self._failure = json.loads(line)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        code = self._process.wait(timeout)
        for thread in self._threads:
            thread.join(timeout=5)
        return code

    def failure(self, mask: Callable[[str], str]) -> ProgramFailed | None:
        """Why the ended program failed, or None."""
        code = self._process.returncode
        if code == 0:
            return None
        text = self._failure.get("text") or "\n".join(self._errors) or "it ended without a word"
        return ProgramFailed(mask(_trimmed(text)), code)

    def stacks(self) -> str:
        """Where the program's threads stand. It reports them on stderr."""
        before = len(self._errors)
        self._process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + _STACKS_WITHIN_SECONDS
        while time.monotonic() < deadline and self.running:
            self._threads[1].join(timeout=0.1)
        return "\n".join(self._errors[before:])

    def kill(self) -> None:
        """Ends the program and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.wait()
        self._socket.close()


def _entry(project: Project) -> str:
    """runpy runs a folder with a `__main__.py` as `python folder` would."""
    main = project.directory / project.main
    if main.name == "__main__.py":
        return str(main.parent)
    return str(main)


def _trimmed(traceback: str) -> str:
    """Without the frames of the host and of the SDK's runner, which say nothing about the program."""
    lines = traceback.splitlines()
    kept: list[str] = []
    skipping = False
    for line in lines:
        if line.startswith("  File "):
            skipping = any(part in line for part in (str(_HOST), "<frozen runpy>", "/asyncio/base_events.py",
                                                     "/pulumi/runtime/stack.py"))
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept)
