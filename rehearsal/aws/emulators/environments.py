"""Execution environments as in Lambda: a function's process has a clean environment, as much memory and time as was
configured, and starts anew after it was ended for either.

Memory is what the process has resident, measured from outside while it works. A limit of the operating system's
(RLIMIT_AS, RLIMIT_DATA) counts what is reserved, which threads and allocators do by the hundred megabytes without using
it, and it raises MemoryError where Lambda ends the process. Linux tells the highest value that there was, so that no
peak is missed; elsewhere one between two looks is. What a function's own child processes use is not counted.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import ProvidedWorker, Worker

from rehearsal.aws.emulators.environment_variables import environment
from rehearsal.aws.emulators.report import Spent
from rehearsal.aws.emulators.worker_script import END_OF_LOG, amended

LOOK_SECONDS = 0.02
INIT_SECONDS = 10.0  # Lambda's limit for the code outside the handler; what overruns it gets the function's time too
_EXIT_SECONDS = 2.0  # between the end of a process's output and its own
_LOG_SECONDS = 1.0  # until the last lines of a process that ended are read
_MEBIBYTE = 1024 * 1024
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_KIND = re.compile(r"(\w+)(?::|$)", re.MULTILINE)
_INIT_FAILED = "Worker init failed: "  # how MiniStack begins the text of the script's own message
_starting = threading.local()


def install() -> None:
    lambda_runtime.subprocess = _Processes()
    lambda_runtime._PYTHON_WORKER_SCRIPT = amended(lambda_runtime._PYTHON_WORKER_SCRIPT)
    lambda_runtime._worker_class_for = lambda config: (
        ProvidedWorker if str(config.get("Runtime", "")).startswith("provided") else Environment)


class Failed(Exception):
    """An invocation did not end with an answer; `kind` is the error's type as Lambda names it."""

    def __init__(self, kind: str, message: str, trace: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = trace

    def payload(self, request_id: str) -> dict[str, Any]:
        """Lambda's error object; one of the function's own has the request and the frames."""
        return {"errorMessage": str(self), "errorType": self.kind} | (
            {} if self.trace is None else {"requestId": request_id, "stackTrace": list(self.trace)})


class _Processes:
    """`subprocess` as MiniStack's workers see it: a function's process starts with the environment that is its own, and
    in a group of its own, so that it ends with everything it started."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, command: Sequence[str], *, env: Mapping[str, str], **more: Any) -> subprocess.Popen[str]:
        worker: Environment | None = getattr(_starting, "worker", None)
        if worker is None:
            return subprocess.Popen(command, env=env, **more)
        found = shutil.which(command[0]) or command[0]  # Node is looked for on the server's PATH, not the function's
        process = subprocess.Popen([found, *command[1:]], env=environment(worker.config, env, worker._tmpdir),
                                   start_new_session=True, **more)
        worker.watch_start(process)
        return process


class Environment(Worker):  # type: ignore[misc]
    """One process of one function; `invoke` is called by one thread at a time, as MiniStack leases them."""

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        super().__init__(func_name, config, code_zip)
        self._started = threading.Event()
        self._ended_for: Failed | None = None  # why the process was ended while it started
        self._request = ""
        self._began = self._spent = 0.0  # when the process or the invocation began; milliseconds of the handler
        self._peak = 0  # bytes

    def watch_start(self, process: subprocess.Popen[str]) -> None:
        """The code outside the handler may take neither more memory nor time without end; its caller waits for it."""
        self._began, self._peak = time.perf_counter(), 0
        self._started.clear()
        threading.Thread(target=self._watch_start, args=(process,), daemon=True).start()

    def _watch_start(self, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + INIT_SECONDS + self.config.get("Timeout", 3)
        while not self._started.wait(LOOK_SECONDS):
            if self._has_too_much(process):
                self._ended_for = self._out_of_memory()
            elif time.monotonic() >= deadline:
                self._ended_for = self._timed_out()
            if self._ended_for:
                _kill(process)
                return

    def _spawn(self) -> None:
        """Raises Failed when the function's module cannot be loaded."""
        _starting.worker, self._ended_for = self, None
        try:
            super()._spawn()
        except RuntimeError as error:
            said, process = str(error), self._proc
            if process is not None and not said.startswith(_INIT_FAILED):
                with suppress(subprocess.TimeoutExpired):  # its output ended, so it does
                    process.wait(_EXIT_SECONDS)
            _kill(process)
            if self._ended_for:
                raise self._ended_for from error
            if process is not None and not said.startswith(_INIT_FAILED):
                raise _ended(process.returncode, self._request) from error
            raise _said(said.removeprefix(_INIT_FAILED)) from error
        finally:
            _starting.worker = None
            self._started.set()

    def invoke(self, event: Any, request_id: str, *, trace_id: str | None = None, depth: Any = None,
               durable: Mapping[str, Any] | None = None, invoked_function_arn: str | None = None) -> dict[str, Any]:
        """MiniStack's answer (`status`, `result` or `error`, `log`, `cold_start`), `spent`, and for an error `payload`,
        which is Lambda's object."""
        with self._lock:
            cold = self._proc is None or self._proc.poll() is not None
            said = {"event": event, "ctx": {
                "request_id": request_id, "timeout_ms": int(self.config.get("Timeout", 3) * 1000), "trace_id": trace_id,
                "depth": depth, "durable": dict(durable or {}), "invoked_function_arn":
                    self.config.get("FunctionArn", "") if invoked_function_arn is None else invoked_function_arn}}
            self._request, self._spent = request_id, 0.0
            start: float | None = None
            try:
                if cold:
                    self._spawn()
                    start = self._elapsed()
                answer = {"status": "ok", "result": self._ask(said)}
            except Failed as error:
                answer = {"status": "error", "error": str(error), "payload": error.payload(request_id)}
            return {**answer, "cold_start": cold, "log": self._log(), "spent": Spent(self._spent, start, self._peak)}

    def _ask(self, said: Mapping[str, Any]) -> Any:
        """The function's answer. Raises Failed; the process is gone then, unless the function itself raised."""
        process = self._proc
        answers: list[Mapping[str, Any]] = []
        reader = threading.Thread(target=_converse, args=(process, said, answers), daemon=True)
        self._began = time.perf_counter()
        deadline = time.monotonic() + self.config.get("Timeout", 3)
        reader.start()
        while reader.is_alive():
            reader.join(max(0.0, min(LOOK_SECONDS, deadline - time.monotonic())))
            self._spent = self._elapsed()
            if self._has_too_much(process):
                _kill(process)
                raise self._out_of_memory()
            if reader.is_alive() and time.monotonic() >= deadline:
                _kill(process)
                raise self._timed_out()
        if not answers:
            with suppress(subprocess.TimeoutExpired):  # its output ended, so it does
                process.wait(_EXIT_SECONDS)
            _kill(process)
            raise _ended(process.returncode, self._request)
        self._spent = float(answers[0].get("milliseconds", self._spent))  # the script for Node does not tell it
        if answers[0]["status"] == "error":
            raise _said(str(answers[0]["error"]), answers[0].get("trace"))
        return answers[0].get("result")

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._began) * 1000

    def _has_too_much(self, process: subprocess.Popen[str]) -> bool:
        self._peak = max(self._peak, resident_bytes(process.pid))
        return self._peak > int(self.config.get("MemorySize", 128)) * _MEBIBYTE

    def _out_of_memory(self) -> Failed:
        return Failed("Runtime.OutOfMemory",
                      f"RequestId: {self._request} Error: Runtime exited with error: signal: killed")

    def _timed_out(self) -> Failed:
        seconds = float(self.config.get("Timeout", 3))
        return Failed("Sandbox.Timedout",
                      f"RequestId: {self._request} Error: Task timed out after {seconds:.2f} seconds")

    def _log(self) -> str:
        """What was written to stderr up to this invocation's end, or to the process's."""
        if not str(self.config.get("Runtime", "")).startswith("python"):
            return str(self._drain_stderr_bounded())  # MiniStack's script for Node marks no end
        lines: list[str] = []
        deadline = time.monotonic() + _LOG_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            thread = self._stderr_thread
            over = thread is None or not thread.is_alive()
            try:
                line = self._stderr_queue.get(block=not over, timeout=min(left, LOOK_SECONDS))
            except queue.Empty:
                if over:
                    break
                continue
            if line == END_OF_LOG + self._request:
                break
            lines.append(line)
        return "\n".join(lines)


def resident_bytes(pid: int) -> int:
    """The most that the process ever had (Linux), or what it has now; 0 when it has ended."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 if found else 0  # a process that ended and is not reaped has none
    except OSError:
        with suppress(psutil.NoSuchProcess):
            return int(psutil.Process(pid).memory_info().rss)
    return 0


def _converse(process: subprocess.Popen[str], said: Mapping[str, Any], answers: list[Mapping[str, Any]]) -> None:
    """Appends the one answer; none when the process ends before. What the function's own child processes print comes
    between."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError, ValueError):  # the process was ended meanwhile
        process.stdin.write(json.dumps(said) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            with suppress(json.JSONDecodeError):
                found = json.loads(line)
                if isinstance(found, dict) and found.get("status") in ("ok", "error"):
                    answers.append(found)
                    return


def _said(error: str, trace: str | None = None) -> Failed:
    """What the script in the process told; the one for Node tells text, and the kind at its trace's beginning."""
    try:
        told = json.loads(error)
        return Failed(told["errorType"], told["errorMessage"], told["stackTrace"])
    except (ValueError, KeyError, TypeError):
        kind = _KIND.match(trace or "")
        return Failed(kind[1] if kind else "Error", error, (trace or "").splitlines(keepends=True))


def _ended(code: int, request_id: str) -> Failed:
    how = f"signal: {signal.strsignal(-code) or -code}".lower() if code < 0 else f"exit status {code}"
    said = f"Runtime exited with error: {how}" if code else "Runtime exited without providing a reason"
    return Failed("Runtime.ExitError", f"RequestId: {request_id} Error: {said}")


def _kill(process: subprocess.Popen[str] | None) -> None:
    """The process and all that it started."""
    if process is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
