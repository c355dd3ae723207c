"""What a cluster needs beside its control plane, as one process: nodes, load balancer, add-on controllers.

    python -m rehearsal.kubernetes.agent --home DIR --kubeconfig FILE --account ID --region R --cluster NAME
                                         (--aws-endpoint URL | --node-groups FILE)

Everything listens on 127.0.0.1, on free ports that are kept in `{home}/ports.json` and used again. With
`--node-groups` instead of `--aws-endpoint` the cluster lives without AWS: nodes from the file (see
`node.groups.FileNodeGroups`), no ELBv2 objects, no metrics, no external secrets.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from rehearsal import doors
from rehearsal.errors import RehearsalError
from rehearsal.kubernetes.controlplane_processes import Processes
from rehearsal.kubernetes.pki import write_private
from rehearsal.ports import free_ports, is_free

ROOT = Path(__file__).resolve().parents[2]
NAME = "agent"
PORT_NAMES = ("front-door", "kubelet", "metrics", "cluster-proxy", "control")
START_SECONDS = 60.0


class AgentError(RehearsalError):
    """The process can't be started; the message says why and what to do."""


@dataclass(frozen=True)
class Wanted:
    """What the process is told. `aws_endpoint` or `node_groups`: exactly one.

    authority         folder of the cluster's CA (`{controlplane home}/pki`); None: an authority of its own
    database_connections   libpq's service file with where RDS's instances answer; None: there are none
    isolation         "process" (one a container) or "task" (all containers in one)
    endpoint_lag_seconds      how late the load balancer follows a change of endpoints
    metrics_period_seconds    how often the load balancer publishes to CloudWatch (60 on AWS)
    backoff_seconds   first CrashLoopBackOff delay
    """

    kubeconfig: Path
    cluster: str
    account: str
    region: str
    aws_endpoint: str = ""
    node_groups: Path | None = None
    authority: Path | None = None
    database_connections: Path | None = None
    isolation: str = "process"
    endpoint_lag_seconds: float = 0.0
    metrics_period_seconds: float = 10.0
    backoff_seconds: float = 10.0


@dataclass(frozen=True)
class RunningAgent:
    front_door_url: str  # plain HTTP; requests arrive at targets with X-Forwarded-Proto as the listener says
    proxy_url: str  # HTTP proxy that knows `{service}.{namespace}.svc`
    control_url: str  # GET /state: nodes, pods, load balancers as JSON; PUT /zones: which are lost
    home: Path
    pid: int

    def address_of(self, host: str) -> str:
        """`127.0.0.1:PORT` where requests count as sent to the public name `host`; of a name that no rule has, the
        front door's own, where the Host header decides."""
        port = doors.read(self.home).get(host.lower())
        return f"127.0.0.1:{port}" if port else self.front_door_url.removeprefix("http://")


class Agent:
    """Starts, finds again and stops the process of one cluster. It outlives the command that started it."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._processes = Processes(self.home)

    def ensure(self, wanted: Wanted) -> RunningAgent:
        """Makes it run as `wanted`, restarting it when it was started otherwise; returns when it answers.

        Raises AgentError with the end of its log.
        """
        with self._locked():
            ports = self._ports()
            command = command_line(self.home, wanted)
            environment = {"PYTHONPATH": str(ROOT)}
            if not self._processes.runs(NAME, command, environment):
                self._processes.start(NAME, command, environment)
            self._await_ready(ports)
            return self._described(ports)

    def running(self) -> RunningAgent | None:
        """None when it is not alive."""
        if not (self.home / "ports.json").exists() or not self._processes.alive(NAME):
            return None
        return self._described(json.loads((self.home / "ports.json").read_text()))

    def stop(self) -> None:
        """Ends it and every pod's process; nothing happens when it does not run."""
        if self.home.exists():
            with self._locked():
                self._processes.stop([NAME], grace_seconds=10)

    def _described(self, ports: dict[str, int]) -> RunningAgent:
        return RunningAgent(f"http://127.0.0.1:{ports['front-door']}", f"http://127.0.0.1:{ports['cluster-proxy']}",
                            f"http://127.0.0.1:{ports['control']}", self.home, self._processes.recorded()[NAME].pid)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.home / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _ports(self) -> dict[str, int]:
        """The kept ones; one that another program took meanwhile is replaced while the process is down."""
        file = self.home / "ports.json"
        kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        alive = self._processes.alive(NAME)
        fresh = iter(free_ports(len(PORT_NAMES)))
        ports = {name: kept[name] if name in kept and (alive or is_free(kept[name])) else next(fresh)
                 for name in PORT_NAMES}
        if ports != kept:
            write_private(file, json.dumps(ports, indent=1).encode())
        return ports

    def _await_ready(self, ports: dict[str, int]) -> None:
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(trust_env=False, timeout=5.0) as client:
            while time.monotonic() < deadline:
                if not self._processes.alive(NAME):
                    raise AgentError(f"the agent of {self.home} ended while starting. Its log, "
                                     f"{self.home}/logs/{NAME}.log, ends with:\n{self._processes.tail(NAME)}")
                with contextlib.suppress(httpx.TransportError):
                    if client.get(f"http://127.0.0.1:{ports['control']}/ready").status_code == 200:
                        return
                time.sleep(0.05)
        raise AgentError(f"the agent of {self.home} was not ready after {START_SECONDS:.0f} s. Its log ends with:\n"
                         f"{self._processes.tail(NAME)}")


def command_line(home: Path, wanted: Wanted) -> tuple[str, ...]:
    """Options are the fields of `Wanted`; those that are empty are left out."""
    given = {name: value for name, value in asdict(wanted).items() if value not in ("", None)}
    return (sys.executable, "-m", "rehearsal.kubernetes.agent", "--home", str(home),
            *(text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", str(value))))


if __name__ == "__main__":
    from rehearsal.kubernetes.controllers.process import main

    main(sys.argv[1:])
