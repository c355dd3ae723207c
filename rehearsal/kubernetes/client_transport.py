"""HTTP to one API server: retries as client-go does them, typed errors, injected faults."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from rehearsal import faults
from rehearsal.kubernetes.client_errors import ApiError, ServerError, Throttled, Unavailable, from_response
from rehearsal.kubernetes.client_kubeconfig import Access

ATTEMPTS = 10  # client-go gives up after as many answers of 429
CONNECT_SECONDS = 5.0
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


class Transport:
    """Thread-safe. `pause` waits between attempts (seconds); tests replace it."""

    def __init__(self, access: Access, timeout_seconds: float = 30.0,
                 pause: Callable[[float], None] = time.sleep) -> None:
        self.access = access
        self.pause = pause
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=30.0)
        # trust_env off: a proxy of the machine must not see loopback traffic.
        self._http = httpx.Client(base_url=access.endpoint, verify=access.context, trust_env=False, limits=limits,
                                  timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS))

    def close(self) -> None:
        self._http.close()

    def request(self, method: str, path: str, *, query: Mapping[str, str] | None = None, content: bytes | None = None,
                content_type: str = "application/json", counted: bool = True) -> httpx.Response:
        """The answer, below 400. Raises ApiError and its kinds. Waits and repeats after 429. `counted`: whether it
        is a call of the resource's step; what happens only once a process (discovery) would shift the others."""
        call = f"{method} {path}"
        site = _next_site(method, path) if counted else None
        headers = self._headers(content_type if content is not None else None)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._attempt(site, method, path, query, content, headers)
                if response.status_code < 400:
                    return response
                raise from_response(response, call)
            except Throttled as error:
                if attempt == ATTEMPTS:
                    raise
                self.pause(min(error.retry_after, 10.0))
        raise AssertionError("unreachable: the last attempt returns or raises")

    @contextlib.contextmanager
    def stream(self, path: str, query: Mapping[str, str], idle_seconds: float) -> Iterator[httpx.Response]:
        """A long answer; httpx.ReadTimeout after `idle_seconds` without a line."""
        timeout = httpx.Timeout(idle_seconds, connect=CONNECT_SECONDS)
        try:
            with self._http.stream("GET", path, params=dict(query), headers=self._headers(None),
                                   timeout=timeout) as response:
                if response.status_code >= 400:
                    response.read()
                    raise from_response(response, f"WATCH {path}")
                yield response
        except httpx.ConnectError as error:
            raise self._unavailable(error) from error

    def _attempt(self, site: faults.Site | None, method: str, path: str, query: Mapping[str, str] | None,
                 content: bytes | None, headers: Mapping[str, str]) -> httpx.Response:
        fault = faults.choose(site) if site is not None else None
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
        response = self._send(method, path, query, content, headers)
        if fault is faults.Fault.KILL_AFTER:
            faults.die()
        if fault is faults.Fault.TIMEOUT:
            raise Unavailable(f"{method} {path}: timed out waiting for the answer (injected fault)", reason="Timeout")
        return response

    def _send(self, method: str, path: str, query: Mapping[str, str] | None, content: bytes | None,
              headers: Mapping[str, str]) -> httpx.Response:
        for attempt in (1, 2):
            try:
                return self._http.request(method, path, params=dict(query or {}), content=content,
                                          headers=dict(headers))
            except httpx.RemoteProtocolError as error:
                # The server closed an idle connection as we took it from the pool: nothing was processed.
                if attempt == 2 or "without sending a response" not in str(error):
                    raise self._unavailable(error) from error
            except httpx.TransportError as error:
                raise self._unavailable(error) from error
        raise AssertionError("unreachable: the second attempt returns or raises")

    def _headers(self, content_type: str | None) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if content_type:
            headers["Content-Type"] = content_type
        if self.access.token is not None:
            headers["Authorization"] = f"Bearer {self.access.token()}"
        return headers

    def _unavailable(self, error: Exception) -> ApiError:
        """"Timeout": the request was sent, and nobody knows whether it took effect."""
        lost = isinstance(error, httpx.ReadTimeout | httpx.ReadError)
        return Unavailable(f"the Kubernetes API server {self.access.endpoint} can't be reached: "
                           f"{str(error) or type(error).__name__}", reason="Timeout" if lost else "Unreachable")


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


def body_of(response: httpx.Response) -> dict[str, Any]:
    document = response.json()
    if not isinstance(document, dict):
        raise ServerError(f"{response.request.url}: the answer is not an object", code=response.status_code)
    return document
