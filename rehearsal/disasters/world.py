"""The environment that a disaster strikes: its state, its account, and the command line that brings it back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from subprocess import Popen
from typing import Any

from rehearsal.errors import RehearsalError


class DrillError(RehearsalError):
    """A disaster could not be done: the text says what is lacking."""


@dataclass(frozen=True)
class Ran:
    """Of a command: its exit code and what it said at last."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Resource:
    """Of the state. name: the logical one."""

    urn: str
    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]


@dataclass
class World:
    """clients: service → boto3's client, in the stack's region. run, start: words of a command line, waited for or not.
    look: as run, but told nobody. lose_cluster: takes the cluster's machines and data away. lose_zones: ends the nodes
    of these zones, until none is lost any more. front_door: a URL. databases: libpq's service file, where there is
    PostgreSQL."""

    stack: str
    state: Path
    clients: Callable[[str], Any]
    run: Callable[[Sequence[str]], Ran]
    start: Callable[[Sequence[str]], Popen[bytes]]
    lose_cluster: Callable[[], None]
    look: Callable[[Sequence[str]], Ran] = field(default=lambda words: Ran(1, "", "nobody can look"))
    lose_zones: Callable[[Sequence[str]], None] = field(default=lambda zones: None)
    front_door: str = ""
    databases: Path | None = None
    draw: Random = field(default_factory=lambda: Random(0))

    def of(self, type: str) -> list[Resource]:
        """In the order of their URNs. Raises DrillError where there is none."""
        found = sorted((each for each in self.resources() if each.type == type), key=lambda each: each.urn)
        if not found:
            raise DrillError(f"{self.stack} has no {type}: the disaster has nothing to strike")
        return found

    def one(self, type: str, fits: Callable[[Resource], bool] = lambda resource: True) -> Resource:
        """Drawn by the seed."""
        found = [each for each in self.of(type) if fits(each)]
        if not found:
            raise DrillError(f"{self.stack} has no {type} that the disaster could strike")
        return self.draw.choice(found)

    def resources(self) -> list[Resource]:
        if not self.state.exists():
            return []
        document = json.loads(self.state.read_bytes())
        return [Resource(raw["urn"], raw["type"], raw["urn"].rpartition("::")[2], raw.get("id", ""),
                         raw.get("inputs") or {})
                for raw in document["deployment"].get("resources") or () if not raw.get("delete")]

    def moment(self) -> datetime:
        """A whole second that is over: what is done now comes after it. DynamoDB takes no part of a second, and S3
        tells none."""
        moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        while (left := (moment + timedelta(seconds=1) - datetime.now(UTC)).total_seconds()) > 0:
            time.sleep(left)
        return moment
