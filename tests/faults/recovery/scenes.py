"""The commands as they are swept: each in an account of its own, run as often as it takes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from operations.recovery.account import Account
from operations.recovery.journal import Journal
from operations.recovery.rebuild import Parts, Rebuild
from tests.faults.recovery.account import AWAY, LOST, STANDING, Contents, Held, state_of
from tests.faults.recovery.calls import Calls, Position, Trouble
from tests.faults.recovery.program import STACK, Program

_accounts = itertools.count(300_000_000_001)


class Scene(Protocol):
    """One command in one kind of account."""

    command: str
    calls: Calls
    contents: Contents

    def born(self, trouble: Trouble | None, target: Position | None) -> None:
        """A new account with its contents."""

    def run(self) -> None:
        """One process of the command. Raises what it raises."""

    def alone(self) -> None:
        """For a process of its own, which must not share a connection with this one."""

    def harmed(self) -> str:
        """What became of data that the command must leave alone; empty: nothing."""

    def held(self) -> Held: ...


class Cluster:
    """Answers as a cluster whose pods are ready would."""

    def __init__(self, calls: Calls, data: Mapping[str, Any] | None = None) -> None:
        self._calls, self._data = calls, data or {}

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, version: str, kind: str, name: str, namespace: str) -> Any:
        answers: Mapping[str, Callable[[], Any]] = {
            "Service": lambda: {"spec": {"selector": {"color": "blue"}}},
            "Deployment": lambda: {"spec": {"replicas": 2}, "status": {"readyReplicas": 2}},
            "ConfigMap": lambda: {"metadata": {"name": name, "managedFields": [{"time": self._data["since"]}]},
                                  "data": {"READ_ONLY": "true"}}}
        return self._calls.kubernetes(f"GET {kind}", name, answers[kind])


@dataclass
class Rebuilding:
    """`candlefish recovery rebuild` from production's copies; production itself is still there to be harmed."""

    url: str
    home: Path
    command: str = "rebuild"
    calls: Calls = field(init=False)
    contents: Contents = field(init=False)
    _before: Held = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calls, self._hands = Calls(self.url), Calls(self.url)

    def born(self, trouble: Trouble | None, target: Position | None) -> None:
        account = str(next(_accounts))
        self._hands.born(account, None, None)
        self.contents = Contents(self._hands, account)
        self.contents.fill()
        self._before = self.contents.held()
        self.calls.born(account, trouble, target)
        self.calls.take = self.contents.take

    def run(self) -> None:
        program = Program(self.calls, state_of(self.home, self.contents.account), self.contents.account,
                          self.contents.key)
        with self.calls.running(self.command):
            Rebuild(Parts(
                Account(LOST.environment, LOST, self.calls.client), STANDING, program,
                lambda: Cluster(self.calls),  # type: ignore[arg-type, return-value]
                Journal(self.calls.client("ssm", AWAY), STACK, "rebuild"), lambda text: None, {},
                ask=lambda url: 200, pause=lambda seconds: None)).run()

    def alone(self) -> None:
        trouble, target = self.calls.trouble, self.calls.target
        self.calls = Calls(self.url, real=True)
        self.calls.born(self.contents.account, trouble, target)

    def harmed(self) -> str:
        now = self.contents.held()
        return "; ".join(f"{name}: {held} became {now.get(name)}" for name, held in self._before.items()
                         if now.get(name) != held)

    def held(self) -> Held:
        return self.contents.held()
