"""Time that passes only when somebody waits: rollouts by the thousand, with lags and drains of a minute."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import FunctionType, SimpleNamespace
from typing import Any

import operations.rollout
from operations.rollout import assess, lease

TICK_SECONDS = 0.05


class Clock:
    """ticks: called after each TICK_SECONDS. `renewals`: leases that are held, by the thread that would renew them."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.at = start
        self.ticks: list[Callable[[], None]] = []
        self.renewals: dict[Any, float] = {}
        self.renewing = False

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        end = self.at + seconds
        while self.at < end - 1e-9:
            self.at += TICK_SECONDS
            for tick in self.ticks:
                tick()
            for thread, due in list(self.renewals.items()):
                if self.at >= due and thread in self.renewals:
                    self.renewals[thread] = self.at + lease.RENEWED_SECONDS
                    thread.renew()


class _Thread:
    """In place of the lease's: its work is done as the clock passes."""

    def __init__(self, clock: Clock, target: Callable[[], None]) -> None:
        self._clock, self._lease = clock, target.__self__  # type: ignore[attr-defined]

    def start(self) -> None:
        self._clock.renewals[self] = self._clock.now() + lease.RENEWED_SECONDS

    def join(self, timeout: float = 0.0) -> None:
        self._clock.renewals.pop(self, None)

    def renew(self) -> None:
        """One round of `Lease._keep`."""
        rounds = iter((False, True))
        self._clock.renewing = True
        self._lease._stop.wait = lambda seconds: next(rounds)
        try:
            self._lease._keep()
        except BaseException:  # of a process that is no more: nobody renews
            self._clock.renewals.pop(self, None)
        finally:
            self._clock.renewing = False
            del self._lease._stop.wait


class _Event:
    def __init__(self, clock: Clock) -> None:
        self._clock, self._set = clock, False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, seconds: float) -> bool:
        if not self._set:
            self._clock.sleep(seconds)
        return self._set


class _AtOnce:
    """In place of the pool of the judge's readings: a source that is played takes no time."""

    def __init__(self, **more: Any) -> None:
        pass

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        done = Future[Any]()
        done.set_result(call(*arguments))
        return done

    def shutdown(self, **more: Any) -> None:
        pass


@contextmanager
def playing(clock: Clock) -> Iterator[None]:
    """Rollouts take their time from the clock: whatever defaults to the machine's is given this one."""
    stand_ins = {time.sleep: clock.sleep, time.monotonic: clock.now, time.time: clock.now}
    changed: list[tuple[FunctionType, tuple[Any, ...] | None]] = []
    for function in _functions():
        kept = function.__defaults__
        if kept and any(callable(value) and value in stand_ins for value in kept):
            changed.append((function, kept))
            function.__defaults__ = tuple(stand_ins.get(value, value) if callable(value) else value for value in kept)
    threads = SimpleNamespace(Event=lambda: _Event(clock), Lock=threading.Lock,
                              Thread=lambda target, daemon: _Thread(clock, target))
    replaced = [(vars(lease), "threading", lease.__dict__["threading"]),
                (vars(assess), "ThreadPoolExecutor", assess.__dict__["ThreadPoolExecutor"])]
    vars(lease)["threading"], vars(assess)["ThreadPoolExecutor"] = threads, _AtOnce
    try:
        yield
    finally:
        for names, name, kept_value in replaced:
            names[name] = kept_value
        for function, kept in changed:
            function.__defaults__ = kept


def _functions() -> Iterator[FunctionType]:
    """Of all modules of rollouts, methods included."""
    for found in pkgutil.iter_modules(operations.rollout.__path__, "operations.rollout."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if inspect.isfunction(value):
                yield value
            elif inspect.isclass(value) and value.__module__ == module.__name__:
                yield from (each for each in vars(value).values() if inspect.isfunction(each))
