"""Who is at work on a service's rollout: a Lease that is renewed, as leader election of client-go does it."""

from __future__ import annotations

import contextlib
import datetime
import getpass
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable

from infra.plans.pods import OWNER, metadata
from kube.client import Client, Conflict, NotFound, Object
from kube.errors import ApiError
from operations.errors import OperationError
from operations.patience import patiently
from operations.rollout.model import Target

SECONDS = 15  # how long a holder that died keeps others out
RENEWED_SECONDS = 4.0
RETRIED_SECONDS = 1.0  # after a renewal that failed
RELEASE_SECONDS = 3.0
LOST_SECONDS = 10.0  # without a renewal for so long a holder stops writing, before another one may begin


class Owned(OperationError):
    """Another process is at work on it."""


def identity() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()} ({os.getpid()}, {uuid.uuid4().hex[:6]})"


def _dead_here(owner: str) -> bool:
    """Whether it was a process of this machine, and has ended."""
    found = re.fullmatch(r".*@(?P<host>.*) \((?P<pid>\d+), \w+\)", owner)
    if found is None or found["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(found["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class Lease:
    """Use as a context manager: held inside. `check` raises once it is not held any more.

    A holder is taken for dead when its Lease did not change for SECONDS as seen by our own clock; clocks of two
    machines are never compared.
    """

    def __init__(self, client: Client, target: Target, holder: str | None = None,
                 now: Callable[[], float] = time.monotonic) -> None:
        self._client, self._target, self.holder, self._now = client, target, holder or identity(), now
        self._renewed = 0.0
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Lease:
        self._acquire()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        with contextlib.suppress(ApiError, OperationError):  # it runs out by itself
            patiently(self._release, seconds=RELEASE_SECONDS)

    def _release(self) -> None:
        found = self._read()
        if found is not None and self._owner(found) == self.holder:
            self._write(found, None)

    def check(self) -> None:
        """Raises Owned when it could not be renewed for too long, or somebody else has it. After the API server was
        away it is renewed here: that succeeds only while nobody else took it."""
        if self._now() - self._renewed > LOST_SECONDS and not self._renew():
            raise Owned(f"the lease of {self._target.name} could not be renewed for {LOST_SECONDS:.0f} s; this rollout "
                        "stops before another process takes over. Run the command again to go on")

    def _acquire(self) -> None:
        found = patiently(self._read)
        if found is not None and (owner := self._owner(found)) and not _dead_here(owner):
            seen = (found["metadata"]["resourceVersion"], self._now())
            while self._now() - seen[1] < SECONDS:
                if self._stop.wait(0.5):
                    break
                found = patiently(self._read)
                if found is None or not (owner := self._owner(found)):
                    break
                if found["metadata"]["resourceVersion"] != seen[0]:
                    raise Owned(f"{owner} is at work on {self._target.name}; `candlefish rollout status "
                                f"{self._target.name}` shows it, `promote` and `abort` ask it")
        try:
            patiently(lambda: self._write(found, self.holder))
        except Conflict as error:
            ours = patiently(self._read)
            if ours is None or self._owner(ours) != self.holder:  # else it was written, and the answer lost
                raise Owned(f"another process has just begun to work on {self._target.name}") from error
        self._renewed = self._now()

    def _owner(self, found: Object) -> str:
        return str(found["spec"].get("holderIdentity") or "")

    def _read(self) -> Object | None:
        try:
            return self._client.get("coordination.k8s.io/v1", "Lease", self._target.journal, self._target.namespace)
        except NotFound:
            return None

    def _write(self, found: Object | None, holder: str | None) -> None:
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body: Object = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": metadata(self._target.journal, self._target.namespace, OWNER),
                "spec": {"leaseDurationSeconds": SECONDS, "renewTime": stamp, "holderIdentity": holder or ""}}
        if found is None:
            self._client.create(body)
        else:
            body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
            self._client.replace(body)

    def _keep(self) -> None:
        pause = RENEWED_SECONDS
        while not self._stop.wait(pause):
            pause = RENEWED_SECONDS if self._renew() else RETRIED_SECONDS

    def _renew(self) -> bool:
        """Whether it is still ours, and written again."""
        with self._lock:
            try:
                found = self._read()
                if found is None or self._owner(found) != self.holder:
                    self._renewed = float("-inf")
                    return False
                began = self._now()
                self._write(found, self.holder)
                self._renewed = began
            except ApiError:
                return False  # `check` counts the time
            return True
