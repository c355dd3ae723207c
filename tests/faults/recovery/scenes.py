"""The commands as they are swept: each in an account of its own, run as often as it takes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from infra.plans.places import EDGE_REGION
from infra.settings.model import Settings
from operations.recovery.account import Account
from operations.recovery.direction import Side
from operations.recovery.failover import BACK, OVER, Failover, Move
from operations.recovery.journal import Journal
from operations.recovery.public_names import PublicNames, zone_of
from operations.recovery.rebuild import Parts, Rebuild
from tests.faults.recovery.account import AWAY, LOST, STANDING, Contents, Held, state_of
from tests.faults.recovery.calls import Calls, Position, Trouble
from tests.faults.recovery.names import SILENT, Names
from tests.faults.recovery.program import STACK, Program

COMMANDS = ("rebuild", OVER, BACK)
MOST_PAUSES = 50
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

    def held(self) -> Held:
        """What there is, apart from what differs between two lives."""

    def protected(self) -> Held:
        """What there was before the command, and must be so whatever befalls it."""


class Pauses:
    """Of one run: they take no time, and a run that waits for what never comes ends."""

    def __init__(self) -> None:
        self._left = MOST_PAUSES

    def __call__(self, seconds: float) -> None:
        self._left -= 1
        if self._left < 0:
            raise AssertionError(f"it waited {MOST_PAUSES} times, and would wait on")


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
                ask=lambda url: 200, pause=Pauses())).run()

    def alone(self) -> None:
        trouble, target = self.calls.trouble, self.calls.target
        self.calls = Calls(self.url, real=True)
        self.calls.born(self.contents.account, trouble, target)

    def protected(self) -> Held:
        return self._before

    def held(self) -> Held:
        return self.contents.held()


@dataclass
class Moving:
    """`candlefish recovery failover`, or `failback` after one: names between the distributions of two stacks."""

    url: str
    home: Path
    command: str  # OVER or BACK
    calls: Calls = field(init=False)
    contents: Contents = field(init=False)
    _names: Names = field(init=False)
    _before: Held = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calls, self._hands = Calls(self.url), Calls(self.url)

    def born(self, trouble: Trouble | None, target: Position | None) -> None:
        account = str(next(_accounts))
        for calls in (self._hands, self.calls):
            calls.born(account, None, None)
        self.contents, self._names = Contents(self._hands, account), Names(self._hands)
        self._names.fill()
        if self.command == BACK:
            self._moved(OVER)
            self._names.bring_home()
        self._before = self._names.apart()
        self.calls.born(account, trouble, target)

    def run(self) -> None:
        self._moved(self.command)

    def _moved(self, operation: str) -> None:
        of = self.calls.client

        def side(settings: Settings) -> Side:
            return Side(Account(settings.environment, settings, of),
                        lambda: Cluster(self.calls, {"since": SILENT}))  # type: ignore[arg-type, return-value]

        with self.calls.running(operation):
            zone = zone_of(of("route53", EDGE_REGION), LOST.domain.name)
            Failover(Move(
                side(LOST), side(STANDING), PublicNames(
                    of("cloudfront", EDGE_REGION), of("route53", EDGE_REGION), zone, Pauses()),
                Journal(of("ssm", AWAY), STACK, OVER), lambda host: f"https://{host}", lambda text: None,
                ask=lambda url: 200), operation).run()

    def alone(self) -> None:
        trouble, target = self.calls.trouble, self.calls.target
        self.calls = Calls(self.url, real=True)
        self.calls.born(self.contents.account, trouble, target)

    def protected(self) -> Held:
        return self._before

    def held(self) -> Held:
        return self._names.held()


def scene_of(command: str, url: str, home: Path) -> Scene:
    return Rebuilding(url, home) if command == "rebuild" else Moving(url, home, command)
