"""What happens to a rollout's calls: a fault at one write, its end before or after another."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from kube import transport
from kube.client import Client, Conflict, ServerError, Throttled, Unavailable
from kube.kubeconfig import Access
from kube.transport import Send, Transport

AWAY_SECONDS = 1.0  # how long a restarted API server refuses connections, where it is played


class Fault(StrEnum):
    LOST = "response lost"
    CONFLICT = "409"
    THROTTLE = "429"
    ERROR = "500"
    AWAY = "API server restarted"


class Side(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Died(BaseException):
    """The end of the process: no handler of ordinary errors sees it."""


def by_signal() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Fate:
    """Of one run. Writes are counted from 1, without the renewals of the lease (their number is one of time).

    kill_at, fault_at: of a write; 0 is none. die: what ends the process; without it `Died` is raised, by this call and
    every later one of the same client, the lease's thread included.
    """

    kill_at: int = 0
    side: Side = Side.BEFORE
    fault: Fault = Fault.LOST
    fault_at: int = 0
    die: Callable[[], None] | None = None
    writes: list[str] = field(default_factory=list)
    dead: bool = False
    faulted: bool = False
    _away_until: float = 0.0
    now: Callable[[], float] = time.monotonic
    renewing: Callable[[], bool] | None = None  # None: what another thread calls is the lease's
    _owner: int = field(default_factory=threading.get_ident)

    def request(self, method: str, path: str) -> Callable[[Send], httpx.Response]:
        aside = self.renewing() if self.renewing is not None else threading.get_ident() != self._owner
        counted = method != "GET" and not aside
        if counted:
            self.writes.append(f"{method} {path}")
        number = len(self.writes) if counted else 0
        return lambda send: self._attempt(number, method, path, send)

    def _attempt(self, number: int, method: str, path: str, send: Send) -> httpx.Response:
        if self.dead:
            raise Died
        if self.now() < self._away_until:
            raise Unavailable(f"{method} {path}: connection refused (injected)", reason="Unreachable")
        if number and number == self.kill_at and self.side is Side.BEFORE:
            self._end()
        if number and number == self.fault_at and not self.faulted:
            self.faulted = True
            return self._faulty(number, method, path, send)
        response = send()
        self._after(number)
        return response

    def _faulty(self, number: int, method: str, path: str, send: Send) -> httpx.Response:
        call = f"{method} {path}: injected"
        match self.fault:
            case Fault.CONFLICT:
                if method not in ("PUT", "PATCH"):  # no precondition: no conflict
                    response = send()
                    self._after(number)
                    return response
                self._after(number)
                raise Conflict(call, code=409, reason="Conflict")
            case Fault.THROTTLE:
                throttled = Throttled(call, code=429, reason="TooManyRequests")
                throttled.retry_after = 0.0
                raise throttled
            case Fault.ERROR:
                self._after(number)
                raise ServerError(call, code=500, reason="InternalError")
            case Fault.LOST:
                send()
                self._after(number)
                raise Unavailable(call, reason="Timeout")
            case Fault.AWAY:
                self._away_until = self.now() + AWAY_SECONDS
                self._after(number)
                raise Unavailable(call, reason="Unreachable")

    def _after(self, number: int) -> None:
        if number and number == self.kill_at and self.side is Side.AFTER:
            self._end()

    def _end(self) -> None:
        self.dead = True
        if self.die is not None:
            self.die()
        raise Died


_here = threading.local()


class Mortal(Transport):
    """A transport whose calls have a fate."""

    def __init__(self, access: Access, fate: Fate) -> None:
        super().__init__(access)
        self.fate = fate

    def request(self, *args: object, **more: object) -> httpx.Response:
        if self.fate.dead:
            raise Died
        _here.fate = self.fate
        try:
            return super().request(*args, **more)  # type: ignore[arg-type]
        finally:
            _here.fate = None


def _interposed(method: str, path: str) -> Callable[[Send], httpx.Response]:
    fate: Fate | None = getattr(_here, "fate", None)
    return fate.request(method, path) if fate is not None else lambda send: send()


def install() -> None:
    """For this process: once, before the first `mortal`."""
    transport.interpose(_interposed)
    tell = threading.excepthook

    def quiet(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_type is not Died:  # of a thread of a process that is no more
            tell(arguments)

    threading.excepthook = quiet


def mortal(access: Access, fate: Fate) -> Client:
    client = Client(access)
    client.transport.close()
    client.transport = Mortal(access, fate)
    return client
