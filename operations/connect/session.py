"""A port of this machine, from when it leads where it should until nobody wants it any more."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from infra.plans.guards import MONITORING_NAMESPACE
from infra.settings.model import Settings
from kube.client import Client, NotFound
from kube.portforward import Forward
from operations.cluster import Objects
from operations.connect.relay import relay
from operations.connect.targets import KINDS, LOOPBACK, Place, Target
from operations.errors import NotAcceptable, OperationError
from operations.recovery.account import Clients
from operations.rollout.pods import is_ready

ANSWER_SECONDS = 30.0  # for the first answer through everything
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Session:
    """pod: raises OperationError when what the port leads to is gone."""

    target: Target
    place: Place
    port: int
    pod: Callable[[], str]

    def document(self, stack: str) -> dict[str, Any]:
        return {"stack": stack, "target": self.target.value, "host": LOOPBACK, "port": self.port,
                "command": self.place.line(self.port), "password": self.place.password}


def listening(target: Target, port: int | None) -> socket.socket:
    """port: None for the target's own, 0 for any that is free. Raises NotAcceptable for one that can't be had."""
    wanted = KINDS[target].local_port if port is None else port
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((LOOPBACK, wanted))
        found.listen()
    except OSError as error:
        found.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"can't be had ({error.strerror})"
        raise NotAcceptable(f"port {wanted} of this machine {why}; give another with --port, or --port 0 for any that "
                            "is free") from None
    return found


@contextmanager
def connected(stack: str, settings: Settings, target: Target, client: Client, clients: Clients,
              listener: socket.socket, say: Callable[[str], None]) -> Iterator[Session]:
    """Yields when the target has answered on the listener's port. At the end port and relay are free again. Raises
    OperationError with what is missing."""
    place, port = KINDS[target].find(stack, settings, clients), listener.getsockname()[1]
    with ExitStack() as stacked:
        if place.relayed:
            objects = Objects(client, settings.cluster.namespace)
            pod = stacked.enter_context(relay(objects, settings, target, place.host, place.port, say)).pod
            namespace, at = objects.namespace, place.port
        else:
            service = Service(Objects(client, MONITORING_NAMESPACE), place.host, place.port)
            pod, namespace, at = service.pod, MONITORING_NAMESPACE, service.port()
        faults: list[str] = []

        def told(fault: str) -> None:
            faults.append(fault)
            if answered:
                say(fault)

        answered = False
        stacked.enter_context(Forward(client, namespace, pod, at, listener, told))
        _answered(target, place, port, faults)
        answered = True
        yield Session(target, place, port, pod)


class Service:
    """Of the cluster: its ready pods, and their port."""

    def __init__(self, objects: Objects, name: str, port: int) -> None:
        self._objects, self._name, self._port = objects, name, port

    def pod(self) -> str:
        """The name of a ready one. Raises OperationError when there is none."""
        pods = [each for each in self._objects.labelled("Pod", self._read()["selector"]) if is_ready(each)]
        if not pods:
            raise OperationError(f"Service {self._objects.namespace}/{self._name} has no ready pod; kubectl get pods "
                                 f"-n {self._objects.namespace} says why")
        return str(pods[0]["metadata"]["name"])

    def port(self) -> int:
        """Of the pods' container."""
        wanted = next((each.get("targetPort", each["port"]) for each in self._read()["ports"]
                       if each["port"] == self._port), None)
        if isinstance(wanted, int):
            return wanted
        pod = self._objects.get("v1", "Pod", self.pod())
        for each in pod["spec"]["containers"]:
            for port in each.get("ports") or ():
                if port.get("name") == wanted:
                    return int(port["containerPort"])
        raise OperationError(f"Service {self._objects.namespace}/{self._name} has no port {self._port}")

    def _read(self) -> Mapping[str, Any]:
        try:
            spec: Mapping[str, Any] = self._objects.get("v1", "Service", self._name)["spec"]
        except NotFound:
            raise OperationError(f"the cluster has no Service {self._objects.namespace}/{self._name}: is the add-on "
                                 "monitoring installed?") from None
        return spec


def _answered(target: Target, place: Place, port: int, faults: list[str]) -> None:
    """Raises OperationError when nothing speaks as the target does."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            if KINDS[target].answers(port):
                return
            said = "something else answers"
        except OSError as error:
            said = str(error) or type(error).__name__
        if time.monotonic() > deadline:
            raise OperationError(f"{target} at {place.host}:{place.port} does not answer through the cluster: "
                                 f"{faults[-1] if faults else said}")
        time.sleep(_POLL_SECONDS)
