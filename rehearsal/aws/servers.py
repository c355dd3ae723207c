"""Starts and ends the embedded AWS: MiniStack, moto, the gateway in front of them and CloudFront's data plane (`cdn`),
on loopback only.

The four outlive the process that started them. The first three hold their state in memory: when one of them is gone,
the rest is ended and all start anew, with a new `incarnation`. The data plane alone is started again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

import rehearsal
from rehearsal.aws.cdn.doors import CONTROL
from rehearsal.errors import RehearsalError
from rehearsal.ports import free_ports, is_free
from rehearsal.postgres import places
from rehearsal.postgres.binaries import VARIABLE as POSTGRES

DEFAULT_ACCOUNT = "000000000000"  # MiniStack's; moto is told the same by the gateway
READY_SECONDS = 60.0
STOP_SECONDS = 5.0
LOOPBACK = "127.0.0.1"
# What runs, and the path that answers once it does.
_READY = {"ministack": "/_ministack/health", "moto": "/moto-api/", "gateway": "/_candlefish/health", "cdn": CONTROL}


class ServerError(RehearsalError):
    """An emulator did not start; says which, and where its log is."""


@dataclass(frozen=True)
class AwsEndpoint:
    """`url` is what `AWS_ENDPOINT_URL` is set to; `incarnation` changes whenever the emulators started empty;
    `cdn_port` is where CloudFront's data plane tells its doors."""

    url: str
    port: int
    incarnation: str
    cdn_port: int


@dataclass(frozen=True)
class Started:
    """A child as it is written down: process id and start time together name a process for good."""

    name: str
    pid: int
    created: float
    port: int

    def process(self) -> psutil.Process | None:
        """The process, or None when it has ended (or its id belongs to another one by now)."""
        try:
            found = psutil.Process(self.pid)
            alive = found.status() != psutil.STATUS_ZOMBIE and abs(found.create_time() - self.created) < 1
        except psutil.NoSuchProcess:
            return None
        return found if alive else None


class Aws:
    """The embedded AWS of one home directory: `servers.json` (what runs), `port` (the gateway's), `logs/`, and
    `scratch/`: temporary files of the servers and of the functions, which go with them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.logs = home / "logs"
        self._scratch = home.absolute() / "scratch"
        self._record = home / "servers.json"

    @property
    def databases(self) -> Path:
        """Where the database instances answer, as libpq's service file; it is there once an instance is."""
        return self._scratch / "pg_service.conf"

    def ensure(self) -> AwsEndpoint:
        """Finds the servers running, or starts them. Raises ServerError with the log's place."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._revive()
            return self.running() or self._start()

    def running(self) -> AwsEndpoint | None:
        """The endpoint when all four live and the gateway answers; else None."""
        record = self._read()
        if record is None or any(child.process() is None for child in record[1]):
            return None
        incarnation, children = record
        ports = {child.name: child.port for child in children}
        if ports.keys() != _READY.keys():  # of another version of this file
            return None
        endpoint = AwsEndpoint(f"http://{LOOPBACK}:{ports['gateway']}", ports["gateway"], incarnation, ports["cdn"])
        return endpoint if _answers(f"{endpoint.url}/_candlefish/health") else None

    def stop(self) -> None:
        """Ends the four and everything they started. Nothing running is fine."""
        if not self.home.exists():
            return
        with self._locked():
            self._end()

    def reset(self) -> None:
        """Empties the running emulators, and what the gateway keeps. Raises ServerError when they don't run."""
        endpoint = self.running()
        if endpoint is None:
            raise ServerError("the embedded AWS does not run; there is nothing to reset")
        request = urllib.request.Request(f"{endpoint.url}/_candlefish/reset", method="POST")
        with urllib.request.urlopen(request, timeout=READY_SECONDS) as response:
            response.read()

    def _start(self) -> AwsEndpoint:
        self._end()
        incarnation = secrets.token_hex(8)
        gateway_port = self._gateway_port()
        ministack_port, moto_port, cdn_port = free_ports(3)
        url = f"http://{LOOPBACK}:{gateway_port}"
        children: list[Started] = []
        environment = _environment(gateway_port, url, moto_port, self._scratch)
        self._scratch.mkdir()
        try:
            for name, port, command in (
                ("ministack", ministack_port, _ministack(ministack_port)),
                ("moto", moto_port, _moto(moto_port)),
                ("gateway", gateway_port, _gateway(gateway_port, ministack_port, moto_port, incarnation)),
                ("cdn", cdn_port, _cdn(cdn_port, gateway_port, self.home / "cdn")),
            ):
                children.append(self._spawn(name, port, command, environment))
                self._write(incarnation, children)
            self._await_ready(children)
        except BaseException:
            self._end()
            raise
        return AwsEndpoint(url, gateway_port, incarnation, cdn_port)

    def _revive(self) -> None:
        """The data plane holds nothing but a cache: when it alone is gone, nothing else is lost with it."""
        record = self._read()
        if record is None or [child.name for child in record[1] if child.process() is None] != ["cdn"]:
            return
        incarnation, children = record
        ports = {child.name: child.port for child in children}
        environment = _environment(ports["gateway"], f"http://{LOOPBACK}:{ports['gateway']}", ports["moto"],
                                   self._scratch)
        port = free_ports(1)[0]
        command = _cdn(port, ports["gateway"], self.home / "cdn")
        revived = [child for child in children if child.name != "cdn"] + [
            self._spawn("cdn", port, command, environment)]
        self._write(incarnation, revived)
        self._await_ready(revived)

    def _spawn(self, name: str, port: int, command: Sequence[str], environment: Mapping[str, str]) -> Started:
        with (self.logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                                     env=dict(environment), start_new_session=True)
        return Started(name, child.pid, psutil.Process(child.pid).create_time(), port)

    def _await_ready(self, children: Sequence[Started]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        for child in children:
            while not _answers(f"http://{LOOPBACK}:{child.port}{_READY[child.name]}"):
                log = self.logs / f"{child.name}.log"
                if child.process() is None:
                    raise ServerError(f"{child.name} ended while it started; its log is {log}:\n{_tail(log)}")
                if time.monotonic() > deadline:
                    raise ServerError(f"{child.name} was not ready within {READY_SECONDS:.0f} s; its log is {log}")
                time.sleep(0.02)

    def _end(self) -> None:
        record = self._read()
        if record is not None:
            _end_all([process for child in record[1] if (process := child.process()) is not None])
        self._record.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)
        places.sweep()

    def _gateway_port(self) -> int:
        """The port of the last time when it is free, so that shells and kubeconfigs of the user stay right."""
        kept = self.home / "port"
        port = int(kept.read_text()) if kept.exists() else 0
        if not port or not is_free(port):
            port = free_ports(1)[0]
            kept.write_text(str(port))
        return port

    def _read(self) -> tuple[str, list[Started]] | None:
        if not self._record.exists():
            return None
        data = json.loads(self._record.read_text())
        return data["incarnation"], [Started(**child) for child in data["children"]]

    def _write(self, incarnation: str, children: Sequence[Started]) -> None:
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps({"incarnation": incarnation, "children": [asdict(child) for child in children]}))
        fresh.replace(self._record)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _ministack(port: int) -> list[str]:
    # Without workers (-w 0) hypercorn serves in the process that we know. Its keep-alive outlives the gateway's, so
    # that the gateway never sends on a connection that is being closed.
    return [sys.executable, "-m", "hypercorn", "-b", f"{LOOPBACK}:{port}", "-w", "0", "--keep-alive", "3600",
            "rehearsal.aws.emulators.ministack:app"]


def _moto(port: int) -> list[str]:
    return [sys.executable, "-m", "rehearsal.aws.servers_moto", "-H", LOOPBACK, "-p", str(port)]


def _gateway(port: int, ministack: int, moto: int, incarnation: str) -> list[str]:
    return [sys.executable, "-m", "rehearsal.aws.gateway", "--port", str(port), "--ministack", str(ministack),
            "--moto", str(moto), "--incarnation", incarnation]


def _cdn(port: int, gateway: int, home: Path) -> list[str]:
    return [sys.executable, "-m", "rehearsal.aws.cdn", "--port", str(port), "--gateway", str(gateway),
            "--home", str(home)]


def _environment(gateway_port: int, url: str, moto_port: int, scratch: Path) -> dict[str, str]:
    """Only what the servers need of our environment: no AWS setting of the user reaches them or the functions."""
    passed = {key: value for key, value in os.environ.items()
              if key in {"PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "SYSTEMROOT", POSTGRES}}
    root = str(Path(rehearsal.__file__).parent.parent)
    return passed | {
        "PYTHONPATH": root, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_EXECUTOR": "local", "GATEWAY_PORT": str(gateway_port), "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_ACCOUNT_ID": DEFAULT_ACCOUNT, "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "LOG_LEVEL": "WARNING",
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "MOTO_PORT": str(moto_port),
        "DOCKER_HOST": "unix:///nonexistent", "TMPDIR": str(scratch),
        "RDS_CONNECTIONS": str(scratch / "pg_service.conf"),
    }


def _end_all(parents: Sequence[psutil.Process]) -> None:
    """SIGTERM to the processes and all their descendants, SIGKILL to what is left; waits until they are gone."""
    family: list[psutil.Process] = []
    for parent in parents:
        with contextlib.suppress(psutil.NoSuchProcess):
            family += [*parent.children(recursive=True), parent]
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal_number)
        _, family = psutil.wait_procs(family, timeout=STOP_SECONDS)
        if not family:
            return


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _tail(log: Path, size: int = 2000) -> str:
    return log.read_text(errors="replace")[-size:]
