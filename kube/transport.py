"""HTTP to one API server: retries as client-go does them, typed errors."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import httpx

from kube.errors import ApiError, ServerError, Throttled, Unavailable, from_response
from kube.kubeconfig import Access

ATTEMPTS = 10  # client-go gives up after as many answers of 429
CONNECT_SECONDS = 5.0


Send: TypeAlias = Callable[[], httpx.Response]
# Called once a request with its method and path; what it returns is called for each attempt with what sends it.
Interposer: TypeAlias = Callable[[str, str], Callable[[Send], httpx.Response]]


def _as_it_is(method: str, path: str) -> Callable[[Send], httpx.Response]:
    return lambda send: send()


_interposer: Interposer = _as_it_is


def interpose(interposer: Interposer) -> None:
    """From now on every request of this process goes through it: for tests, which let calls fail."""
    global _interposer
    _interposer = interposer


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
        """The answer, below 400. Raises ApiError and its kinds. Waits and repeats after 429. `counted`: whether an
        interposer sees it; what happens only once a process (discovery) would shift the others."""
        call = f"{method} {path}"
        attempted = (_interposer if counted else _as_it_is)(method, path)
        headers = self._headers(content_type if content is not None else None)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = attempted(lambda: self._send(method, path, query, content, headers))
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
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._unavailable(error) from error

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


def body_of(response: httpx.Response) -> dict[str, Any]:
    document = response.json()
    if not isinstance(document, dict):
        raise ServerError(f"{response.request.url}: the answer is not an object", code=response.status_code)
    return document
