"""What visitors and operators get over HTTP, as it is: no redirect is followed."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlsplit

import httpx

from operations.verify.model import Unfit

TIMEOUT_SECONDS = 10.0
ATTEMPTS = 2  # a connection that breaks once is no outage
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Answer:
    url: str
    status: int
    headers: Mapping[str, str]  # names in any case
    text: str


class Web:
    """Thread-safe. Connections are kept for as long as it is. A proxy of the machine is not asked for what is on it."""

    def __init__(self, pause: Callable[[float], None] = time.sleep, timeout: float = TIMEOUT_SECONDS) -> None:
        self._pause, self._timeout, self._lock = pause, timeout, Lock()
        self._clients: dict[bool, httpx.Client] = {}

    def get(self, url: str, **headers: str) -> Answer:
        """Raises Unfit when nobody answers."""
        said = ""
        for attempt in range(ATTEMPTS):
            self._pause(1.0 if attempt else 0.0)
            try:
                got = self._client(local(url)).get(url, headers={"User-Agent": "candlefish-verify", **headers})
                return Answer(url, got.status_code, got.headers, got.text)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                said = str(error) or type(error).__name__
        raise Unfit(f"{url} does not answer: {said}")

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _client(self, here: bool) -> httpx.Client:
        """A client reads all trusted certificates when it is made: what is here needs none."""
        with self._lock:
            if here not in self._clients:
                trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if here else ssl.create_default_context()
                self._clients[here] = httpx.Client(timeout=self._timeout, trust_env=not here, verify=trust)
            return self._clients[here]


def local(url: str) -> bool:
    """Whether it is an address of this machine: a rehearsal's."""
    return (urlsplit(url).hostname or "") in LOOPBACK
