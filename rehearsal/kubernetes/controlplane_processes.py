"""Detached processes that outlive the command that started them, found again by process id and start time."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from rehearsal.kubernetes.pki import write_private

CLOCK_SLACK_SECONDS = 2.0  # start times are told in seconds and drift with the clock


@dataclass(frozen=True)
class Recorded:
    pid: int
    started: float  # seconds since the epoch, as psutil tells it
    command: tuple[str, ...]
    environment: Mapping[str, str]


class Processes:
    """The processes of one `home`: `{home}/processes.json`, logs in `{home}/logs/{name}.log`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._file = home / "processes.json"

    def recorded(self) -> dict[str, Recorded]:
        if not self._file.exists():
            return {}
        data = json.loads(self._file.read_text())
        return {name: Recorded(entry["pid"], entry["started"], tuple(entry["command"]), entry["environment"])
                for name, entry in data.items()}

    def alive(self, name: str) -> bool:
        entry = self.recorded().get(name)
        return entry is not None and _process(entry) is not None

    def runs(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Whether `name` is alive and was started just so."""
        entry = self.recorded().get(name)
        return (entry is not None and entry.command == tuple(command) and dict(entry.environment) == dict(environment)
                and _process(entry) is not None)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts it in a session of its own, its output appended to the log. A running one is stopped first."""
        self.stop([name])
        with open(self._log(name), "ab") as log:
            # An own session: Ctrl-C in the terminal must not reach the cluster.
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                     start_new_session=True, cwd=self.home, env={**_base_environment(), **environment})
        try:
            started = psutil.Process(child.pid).create_time()
        except psutil.NoSuchProcess:
            started = 0.0
        self._record(name, Recorded(child.pid, started, tuple(command), dict(environment)))

    def stop(self, names: Sequence[str], grace_seconds: float = 5.0) -> None:
        """Ends the named processes together: SIGTERM, then SIGKILL after the grace."""
        entries = self.recorded()
        found = [process for name in names if name in entries
                 for process in [_process(entries[name])] if process is not None]
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        _, left = psutil.wait_procs(found, timeout=grace_seconds)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=grace_seconds)
        for name in names:
            self._record(name, None)

    def tail(self, name: str, lines: int = 15) -> str:
        """The end of the log, for an error message."""
        log = self._log(name)
        if not log.exists():
            return "(no log)"
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def memory_bytes(self) -> dict[str, int]:
        """Resident memory of each living process."""
        return {name: process.memory_info().rss for name, entry in self.recorded().items()
                for process in [_process(entry)] if process is not None}

    def _log(self, name: str) -> Path:
        folder = self.home / "logs"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / f"{name}.log"

    def _record(self, name: str, entry: Recorded | None) -> None:
        entries = self.recorded()
        if entry is None:
            entries.pop(name, None)
        else:
            entries[name] = entry
        data = {key: {"pid": each.pid, "started": each.started, "command": list(each.command),
                      "environment": dict(each.environment)} for key, each in entries.items()}
        write_private(self._file, json.dumps(data, indent=1).encode())


def _base_environment() -> dict[str, str]:
    """What a control-plane process sees of our environment: no proxies, no credentials."""
    return {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "LANG") if key in os.environ}


def _process(entry: Recorded) -> psutil.Process | None:
    try:
        process = psutil.Process(entry.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process if abs(process.create_time() - entry.started) <= CLOCK_SLACK_SECONDS else None
    except psutil.NoSuchProcess:
        return None


def until(deadline: float, interval_seconds: float = 0.05) -> Iterator[float]:
    """Yields the seconds left until `deadline` (monotonic clock), pausing between two looks."""
    while (left := deadline - time.monotonic()) > 0:
        yield left
        time.sleep(min(interval_seconds, left))
