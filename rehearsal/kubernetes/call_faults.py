"""Injected faults on calls of the Kubernetes API; see `rehearsal.faults`. Active in a process that imports this."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from kube import transport
from kube.errors import ServerError, Throttled, Unavailable
from rehearsal import faults

MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class _Step:
    urn: str
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_step: contextvars.ContextVar[_Step | None] = contextvars.ContextVar("kubernetes_call_site", default=None)


@contextlib.contextmanager
def call_site(urn: str) -> Iterator[None]:
    """Calls inside belong to the resource `urn`: faults are chosen for (urn, ordinal of the call from here)."""
    token = _step.set(_Step(urn))
    try:
        yield
    finally:
        _step.reset(token)


def _request(method: str, path: str) -> Callable[[transport.Send], httpx.Response]:
    site = _next_site(method, path)
    if site is None:
        return lambda send: send()

    def attempt(send: transport.Send) -> httpx.Response:
        fault = faults.choose(site)
        if fault is faults.Fault.KILL_BEFORE:
            faults.die()
        if fault is faults.Fault.ERROR:
            raise ServerError(f"{method} {path}: Internal error occurred: injected fault", code=500,
                              reason="InternalError")
        if fault is faults.Fault.THROTTLE:
            throttled = Throttled(f"{method} {path}: the server has received too many requests (injected fault)",
                                  code=429, reason="TooManyRequests")
            throttled.retry_after = 0.0  # a sweep over all positions must not sleep a second at each
            raise throttled
        response = send()
        if fault is faults.Fault.KILL_AFTER:
            faults.die()
        if fault is faults.Fault.TIMEOUT:
            raise Unavailable(f"{method} {path}: timed out waiting for the answer (injected fault)", reason="Timeout")
        return response

    return attempt


def _next_site(method: str, path: str) -> faults.Site | None:
    step = _step.get()
    if step is None:
        return None
    with step.lock:
        step.calls += 1
        return faults.Site(step.urn, step.calls, "kubernetes", f"{method} {_resource(path)}", method in MUTATING)


def _resource(path: str) -> str:
    """"/apis/apps/v1/namespaces/x/deployments/web/status" → "deployments/status"; "/api/v1/namespaces/x" →
    "namespaces"; other paths as they are."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        rest = rest[2:]
    if not rest:
        return path
    return "/".join([rest[0], *rest[2:]])


transport.interpose(_request)
