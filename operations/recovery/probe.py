"""Asks a database from inside the cluster: it is in isolated subnets, where only pods come. The pod is a run of the
weekly upkeep in all but its command: the same image, account, network policy and secret, so that nobody needs more
rights than operators have, and no password leaves the cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from infra.plans.external_secrets import DATABASE_SECRET
from infra.plans.jobs import UPKEEP, UPKEEP_SIZE
from infra.plans.pods import container, labels, metadata, restricted, writable
from infra.settings.model import Settings
from kube.client import NotFound, Object
from operations.cluster import Objects
from operations.errors import OperationError
from operations.recovery import checks

NAME = "recovery-probe"
SECONDS = 900  # for the image to be pulled and every table to be read
_POLL_SECONDS = 0.5
_SESSION = ("-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1 -c default_transaction_read_only=on "
            f"-c statement_timeout={SECONDS}s")
_KEYS = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "username", "PGPASSWORD": "password"}
REFUSED = "password authentication failed"


class Refused(OperationError):
    """The database does not take the password of the cluster's secret."""


def pod(settings: Settings, namespace: str, host: str | None) -> Object:
    """host: another instance than the secret's, with the same login."""
    environment = [{"name": name, "valueFrom": {"secretKeyRef": {"name": DATABASE_SECRET, "key": key}}}
                   for name, key in _KEYS.items() if not (host and name == "PGHOST")]
    environment += [{"name": "PGHOST", "value": host}] if host else []
    environment += [{"name": "PGSSLMODE", "value": "require"}, {"name": "PGOPTIONS", "value": _SESSION},
                    {"name": "PGCONNECT_TIMEOUT", "value": "60"}]
    mounts, volumes = writable(("/tmp",))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata(NAME, namespace, labels(UPKEEP)), "spec": {
        **restricted([container(NAME, settings.workloads.database_tools_image, UPKEEP_SIZE, env=environment,
                                volumeMounts=mounts, args=[
                                    "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                                    "--set=ON_ERROR_STOP=1", "--command", checks.measurement()])],
                     account=UPKEEP, volumes=volumes, pull_secrets=settings.workloads.pull_secrets),
        "restartPolicy": "Never", "activeDeadlineSeconds": SECONDS}}


class Probe:
    def __init__(self, objects: Objects, settings: Settings, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], float] = time.monotonic) -> None:
        self._objects, self._settings, self._pause, self._now = objects, settings, pause, now

    def measure(self, host: str | None = None) -> checks.Measured:
        """The stack's own database, or the instance at `host`. Raises OperationError with what the pod said."""
        self.remove()
        namespace = self._objects.namespace
        self._objects.patiently(lambda: self._objects.client.create(pod(self._settings, namespace, host)))
        try:
            phase = self._end()
            said = self._log()
            if phase != "Succeeded":
                raise (Refused if REFUSED in said else OperationError)(
                    f"{host or 'the database'} could not be asked by pod {namespace}/{NAME}: {said or phase}")
            return checks.read(said)
        finally:
            self.remove()

    def remove(self) -> None:
        """Also of a run that was killed."""
        with suppress(NotFound):
            self._objects.patiently(lambda: self._objects.client.delete(
                "v1", "Pod", NAME, self._objects.namespace, grace_seconds=0))
        self._until("is gone", lambda: self._phase() is None)

    def _end(self) -> str:
        self._until("has ended", lambda: self._phase() in ("Succeeded", "Failed", None))
        return self._phase() or "somebody deleted it"

    def _until(self, what: str, true: Callable[[], bool]) -> None:
        deadline = self._now() + SECONDS
        while not true():
            if self._now() > deadline:
                raise OperationError(f"pod {self._objects.namespace}/{NAME} not {what.removeprefix('is ')} after "
                                     f"{SECONDS} s; kubectl describe says why")
            self._pause(_POLL_SECONDS)

    def _phase(self) -> str | None:
        try:
            return str(self._objects.get("v1", "Pod", NAME).get("status", {}).get("phase", "Pending"))
        except NotFound:
            return None

    def _log(self) -> str:
        client = self._objects.client
        path = client.path("v1", "Pod", NAME, self._objects.namespace, "log")
        return self._objects.patiently(lambda: client.transport.request("GET", path)).text.strip()
