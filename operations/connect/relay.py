"""A pod that relays TCP into the data subnets, where only the cluster's pods come. It listens on its own loopback
alone: a port-forward gets there, nobody in the network does. A Job, with a deadline and a time to live, so that the
cluster removes it whatever becomes of who asked for it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from infra.plans.guards import RELAY_LABELS
from infra.plans.jobs import UPKEEP
from infra.plans.pods import container, labels, metadata, restricted
from infra.settings.model import Resources, Settings
from kube.client import NotFound, Object
from operations.cluster import Objects
from operations.errors import OperationError
from operations.rollout.cluster import waiting
from operations.rollout.pods import HOPELESS, is_ready

NAME = "connect"
LIFE_SECONDS = 4 * 3600
READY_SECONDS = 180.0  # for a node to pull the image
_KEPT_SECONDS = 60  # a Job that has ended
_POLL_SECONDS = 0.5
_SIZE = Resources(cpu_millis=10, memory_mib=16, cpu_limit_millis=250, memory_limit_mib=64)


def job(settings: Settings, name: str, namespace: str, host: str, port: int) -> Object:
    """The database's tools image is Alpine's: BusyBox' nc relays (`-lk` listens again, `-e` runs one per connection).
    The account is that of the weekly upkeep, which may nothing."""
    marks = {**labels(NAME), **RELAY_LABELS}
    listen = ["nc", "-lk", "-s", "127.0.0.1", "-p", str(port), "-e", "nc", host, str(port)]
    spec = restricted([container(NAME, settings.workloads.database_tools_image, _SIZE, args=listen,
                                 ports=[{"name": "relay", "containerPort": port, "protocol": "TCP"}])],
                      account=UPKEEP, pull_secrets=settings.workloads.pull_secrets)
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(name, namespace, marks), "spec": {
        "backoffLimit": 0, "activeDeadlineSeconds": LIFE_SECONDS, "ttlSecondsAfterFinished": _KEPT_SECONDS,
        "template": {"metadata": {"labels": marks}, "spec": {
            **spec, "restartPolicy": "Never", "terminationGracePeriodSeconds": 1}}}}


class Relay:
    """One Job's pod."""

    def __init__(self, objects: Objects, name: str, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], float] = time.monotonic) -> None:
        self._objects, self.name, self._pause, self._now = objects, name, pause, now

    def ready(self) -> None:
        """Waits. Raises OperationError for a pod that does not start."""
        deadline = self._now() + READY_SECONDS
        while not is_ready(pod := self._pod() or {"metadata": {}}):
            reasons = list(waiting(pod))
            if ended(pod) or any(reason.startswith(HOPELESS) for reason in reasons) or self._now() > deadline:
                raise OperationError(f"the relay {self._objects.namespace}/{self.name} does not start: "
                                     f"{'; '.join(reasons) or 'no pod was made; kubectl describe job says why'}")
            self._pause(_POLL_SECONDS)

    def pod(self) -> str:
        """Its name. Raises OperationError when the relay is there no more."""
        found = self._pod()
        if found is None or ended(found) or not is_ready(found):
            raise OperationError(f"the relay {self._objects.namespace}/{self.name} has ended: it was deleted, its node "
                                 f"went, or its {LIFE_SECONDS // 3600} hours are over; connect again")
        return str(found["metadata"]["name"])

    def _pod(self) -> Object | None:
        return next(iter(self._objects.labelled("Pod", {"batch.kubernetes.io/job-name": self.name})), None)


def ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


@contextmanager
def relay(objects: Objects, settings: Settings, target: str, host: str, port: int,
          say: Callable[[str], None]) -> Iterator[Relay]:
    """Yields a relay to host and port that is ready; at the end it is gone, or going."""
    name = f"{NAME}-{target}-{secrets.token_hex(3)}"
    objects.create(job(settings, name, objects.namespace, host, port))
    try:
        say(f"the relay {objects.namespace}/{name} starts")
        made = Relay(objects, name)
        made.ready()
        yield made
    finally:
        with suppress(NotFound):
            objects.patiently(lambda: objects.client.delete("batch/v1", "Job", name, objects.namespace))
