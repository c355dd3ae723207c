"""One Kubernetes control plane per `home`: etcd, kube-apiserver, kube-controller-manager, kube-scheduler."""

from __future__ import annotations

import contextlib
import fcntl
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from rehearsal.errors import RehearsalError
from rehearsal.kubernetes import controlplane_components as components
from rehearsal.kubernetes.controlplane_processes import Processes, until
from rehearsal.kubernetes.pki import Authority, write_private
from rehearsal.kubernetes.tokens import authorizer_url
from rehearsal.kubernetes.toolchain import Tools, ensure_tools
from rehearsal.ports import free_ports, is_free, is_open

START_SECONDS = 60.0  # how long a start may take on a loaded machine before it counts as failed; usual: 3 s
# What the next process in the order connects to at once: trying too early costs it a second of back-off.
_LISTENS_FIRST = frozenset({"etcd", "kube-apiserver"})


class ControlPlaneError(RehearsalError):
    """The control plane can't be started; the message says which process, why, and what to do."""


@dataclass(frozen=True)
class Running:
    endpoint: str  # "https://127.0.0.1:PORT"
    ca_pem: str
    kubeconfig: Path  # of a user in system:masters, with a client certificate
    ports: Mapping[str, int]  # by process name, also "etcd-peer"
    home: Path

    @property
    def authority(self) -> Authority:
        """Issues further client or serving certificates of this cluster."""
        return Authority(self.home / "pki", "ca")


class ControlPlane:
    """Starts, finds again and stops the processes. `home` holds certificates, data, logs and ports; all of it can
    be removed once they are stopped. The processes survive the command that started them."""

    def __init__(self, home: Path, name: str, tools: Tools | None = None,
                 report: Callable[[str], None] = lambda message: None, node_grace_seconds: int = 12) -> None:
        """node_grace_seconds: how long a node may be silent before its pods count as not ready."""
        self.home = home.absolute()
        self.name = name
        self.processes = Processes(self.home)
        self._tools = tools
        self._report = report
        self._node_grace_seconds = node_grace_seconds

    def ensure(self, token_webhook_url: str | None = None) -> Running:
        """Makes it run and ready, in about 3 s; a process that died or was started otherwise is started again.

        `token_webhook_url`: where kube-apiserver sends TokenReviews (`tokens.webhook_url`), and beside it
        SubjectAccessReviews; None: client certificates and RBAC only. Raises ControlPlaneError, or ToolchainError when
        the binaries can't be had.
        """
        if token_webhook_url and "?" in token_webhook_url:
            raise ControlPlaneError(f"the webhook URL {token_webhook_url} has a query, which kube-apiserver would "
                                    "drop; put what it says into the path (see tokens.webhook_url)")
        tools = self._tools or ensure_tools(self._report)
        with self._locked():
            ports = self._ports()
            endpoint = f"https://{components.ADDRESS}:{ports['kube-apiserver']}"
            keys = components.credentials(self.home, self.name, endpoint)
            commands = components.commands(
                tools, self.home, ports, keys, self._webhooks(token_webhook_url), self._node_grace_seconds)
            for command in commands:
                if not self.processes.runs(command.name, command.arguments, command.environment):
                    self._report(f"starting {command.name}")
                    self.processes.start(command.name, command.arguments, command.environment)
                if command.name in _LISTENS_FIRST:
                    self._await_listening(command.name, ports[command.name])
            running = Running(endpoint, keys.authority.pem.decode(), keys.administrator, ports, self.home)
            self._await_ready(running, commands)
            return running

    def _webhooks(self, url: str | None) -> components.Webhooks | None:
        if not url:
            return None
        return components.Webhooks(
            components.webhook_configuration(self.home, "token-webhook", url),
            components.webhook_configuration(self.home, "access-webhook", authorizer_url(url)), url)

    def running(self) -> Running | None:
        """The running control plane, or None when any of its processes is not alive."""
        if not all(self.processes.alive(name) for name in components.MEMORY_LIMITS):
            return None
        ports = self._saved_ports()
        authority = self.home / "pki" / "ca.crt"
        if ports is None or not authority.exists():
            return None
        return Running(f"https://{components.ADDRESS}:{ports['kube-apiserver']}", authority.read_text(),
                       self.home / "kubeconfig", ports, self.home)

    def stop(self) -> None:
        """Ends the processes; data and ports stay for the next start. Stopping what is stopped does nothing."""
        if not self.home.exists():
            return
        with self._locked():
            # etcd last: the others would spend their shutdown on reconnecting.
            self.processes.stop(["kube-scheduler", "kube-controller-manager", "kube-apiserver"], grace_seconds=3)
            self.processes.stop(["etcd"])

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.home / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _saved_ports(self) -> dict[str, int] | None:
        file = self.home / "ports.json"
        if not file.exists():
            return None
        ports = json.loads(file.read_text())
        return {name: int(ports[name]) for name in components.PORT_NAMES}

    def _ports(self) -> dict[str, int]:
        """The saved ports. One that another program took meanwhile is replaced, unless it is the API's own: that
        one is written in kubeconfigs and in Pulumi's state."""
        saved = self._saved_ports()
        if saved is None:
            ports = dict(zip(components.PORT_NAMES, free_ports(len(components.PORT_NAMES)), strict=True))
        else:
            ports = dict(saved)
            for name, port in saved.items():
                if self.processes.alive(name.removesuffix("-peer")) or is_free(port):
                    continue
                if name == "kube-apiserver":
                    raise ControlPlaneError(
                        f"port {port} of the cluster {self.name} is in use by {_listener(port)}; stop that program, "
                        f"or remove {self.home / 'ports.json'} to move the cluster to another port")
                ports[name] = free_ports(1)[0]
        if ports != saved:
            write_private(self.home / "ports.json", json.dumps(ports, indent=1).encode())
        return ports

    def _await_listening(self, name: str, port: int) -> None:
        for _ in until(time.monotonic() + START_SECONDS, interval_seconds=0.01):
            if is_open(port):
                return
            self._check_alive(name)
        raise ControlPlaneError(f"{name} of the cluster {self.name} does not listen after {START_SECONDS:.0f} s; its "
                                f"log ends with:\n{self.processes.tail(name)}")

    def _await_ready(self, running: Running, commands: Sequence[components.Command]) -> None:
        deadline = time.monotonic() + START_SECONDS
        checks = {"kube-apiserver": "/readyz", "kube-controller-manager": "/healthz", "kube-scheduler": "/readyz"}
        context = ssl.create_default_context(cadata=running.ca_pem)
        with httpx.Client(verify=context, trust_env=False, timeout=5.0) as client:
            for name, path in checks.items():
                url = f"https://{components.ADDRESS}:{running.ports[name]}{path}"
                self._await_answer(client, name, url, deadline)
                if name == "kube-apiserver":
                    self._start_what_gave_up(commands)

    def _await_answer(self, client: httpx.Client, name: str, url: str, deadline: float) -> None:
        answer = "no answer yet"
        for _ in until(deadline):
            self._check_alive("etcd", name)
            try:
                response = client.get(url)
            except httpx.TransportError as error:
                answer = str(error)
                continue
            if response.status_code == 200:
                return
            answer = f"{response.status_code} {response.text}"
        raise ControlPlaneError(
            f"{name} of the cluster {self.name} was not ready after {START_SECONDS:.0f} s: {answer}\n"
            f"its log, {self.home / 'logs'}/{name}.log, ends with:\n{self.processes.tail(name)}")

    def _start_what_gave_up(self, commands: Sequence[components.Command]) -> None:
        """kube-controller-manager ends when the API server is not healthy within ten seconds, as on a busy machine."""
        for command in commands:
            if not self.processes.alive(command.name):
                self._report(f"starting {command.name} again")
                self.processes.start(command.name, command.arguments, command.environment)

    def _check_alive(self, *names: str) -> None:
        for name in names:
            if not self.processes.alive(name):
                raise ControlPlaneError(
                    f"{name} of the cluster {self.name} ended while starting. Its log, "
                    f"{self.home / 'logs'}/{name}.log, ends with:\n{self.processes.tail(name)}")


def _listener(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        pass  # macOS tells only root
    return "another program"
