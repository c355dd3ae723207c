"""What a rollout is about, and what is kept of it in the cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from infra.plans.kubernetes import COLOURS
from infra.settings.model import Service, Settings
from operations.errors import NotAcceptable, OperationError


class Phase(StrEnum):
    """The steps of a rollout, of which each strategy has its own; `BACK` and `CLEAR` are the way back from any before
    `RETIRE`."""

    PREPARE = "prepare"  # nothing is changed: image, room, what is live
    MIGRATE = "migrate"  # the service's migration as a Job, with the new image
    DEPLOY = "deploy"  # the idle colour gets the pods, and as many as are live
    CHECK = "check"  # from inside the cluster, against the colour's own Service
    SWITCH = "switch"  # weights at the front door, then the live Service's selector
    STAGES = "stages"  # the same by shares; the selector with the last one
    VERIFY = "verify"  # through the front door
    HOLD = "hold"  # both colours stay: the way back is one write
    RETIRE = "retire"  # the old colour goes
    BACK = "back"  # weights and selector return
    CLEAR = "clear"  # the new colour goes
    DONE = "done"


class Strategy(StrEnum):
    BLUE_GREEN = "blue-green"
    CANARY = "canary"
    ROLLING = "rolling"


class Readings(StrEnum):
    """Where the judge's samples come from."""

    CLOUDWATCH = "cloudwatch"
    PROMETHEUS = "prometheus"
    BOTH = "both"  # requests from CloudWatch, what it does not measure from Prometheus
    NONE = "none"


class OnHold(StrEnum):
    """What becomes of a stage that lacks data for too long."""

    STOP = "stop"  # at the weight that is reached, until somebody decides
    PROMOTE = "promote"
    ABORT = "abort"
    WAIT = "wait"


class Result(StrEnum):
    RUNNING = "running"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    HELD = "held"  # waits for `promote` or `abort`
    ABORTED = "aborted"


class Wish(StrEnum):
    """What somebody asks of a rollout that another process is at work on."""

    NONE = ""
    PROMOTE = "promote"
    ABORT = "abort"


class Held(OperationError):
    """A stage lacks what it takes to go on or back: it stays at its weight, and somebody decides."""


def other(colour: str) -> str:
    blue, green = COLOURS
    return green if colour == blue else blue


@dataclass(frozen=True)
class Target:
    """One service of one stack."""

    stack: str
    settings: Settings
    service: Service

    @classmethod
    def of(cls, stack: str, settings: Settings, name: str) -> Target:
        """Raises NotAcceptable for a service that the stack does not have."""
        for service in settings.services:
            if service.name == name:
                return cls(stack, settings, service)
        known = ", ".join(service.name for service in settings.services)
        raise NotAcceptable(f"{stack} has no service {name!r}; it has {known}")

    @property
    def namespace(self) -> str:
        return self.settings.cluster.namespace

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def fronted(self) -> bool:
        """Whether the front door reaches it."""
        return bool(self.service.paths)

    @property
    def journal(self) -> str:
        return f"rollout-{self.name}"


@dataclass(frozen=True)
class Record:
    """A rollout as the journal has it. Times are seconds since the epoch.

    live, idle: colours when it began. image, previous: of the new and of the old pods. replicas: how many the new
    colour gets; minimum: of its autoscaler once the old colour is gone; least, grown: fewer pods the live and the new
    colour do not get by themselves. began, held: when it started, and when the hold did. asked: somebody asked for the
    way back; decided, returned: when that was, and when weights and selector were written. notes: what happened, in
    words, oldest first.

    stages: shares of the traffic in percent, rising; stage: the place of the one at work; entered: when the load
    balancer was seen to have its weights, 0: not yet. limited: the first is to be as small as the judge's readings ask
    for. readings, prometheus, on_hold: what was chosen. judge: what it remembers; judged: the stage that it judges (-1:
    none yet); mark: until when it has read; verdict: the last one, with its numbers.
    """

    revision: int
    strategy: str
    image: str
    previous: str
    live: str
    idle: str
    began: float
    phase: Phase = Phase.PREPARE
    result: Result = Result.RUNNING
    wish: Wish = Wish.NONE
    replicas: int = 0
    minimum: int = 0
    held: float = 0.0
    ended: float = 0.0
    reason: str = ""
    by: str = ""
    notes: tuple[str, ...] = ()
    least: int = 0
    grown: int = 0
    asked: bool = False
    decided: float = 0.0
    returned: float = 0.0
    stages: tuple[float, ...] = ()
    stage: int = 0
    entered: float = 0.0
    limited: bool = False
    readings: Readings = Readings.NONE
    prometheus: str = ""
    on_hold: OnHold = OnHold.STOP
    judge: Mapping[str, Any] | None = None
    judged: int = -1
    mark: float = 0.0
    verdict: Mapping[str, Any] | None = None

    @property
    def finished(self) -> bool:
        return self.phase is Phase.DONE

    @property
    def returning(self) -> bool:
        return self.phase in (Phase.BACK, Phase.CLEAR)

    @property
    def percent(self) -> float:
        """Of the stage at work."""
        return self.stages[self.stage]

    @property
    def percent_before(self) -> float:
        return self.stages[self.stage - 1] if self.stage else 0.0

    @property
    def last_stage(self) -> bool:
        return self.stage == len(self.stages) - 1

    def noted(self, note: str, **changes: Any) -> Record:
        return replace(self, notes=(*self.notes, note)[-50:], **changes)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Record:
        known = {entry.name for entry in fields(cls)}
        given = {key: value for key, value in document.items() if key in known}
        return cls(**{**given, "phase": Phase(given["phase"]), "result": Result(given["result"]),
                      "wish": Wish(given["wish"]), "notes": tuple(given["notes"]),
                      "stages": tuple(given.get("stages", ())),
                      "readings": Readings(given.get("readings", Readings.NONE)),
                      "on_hold": OnHold(given.get("on_hold", OnHold.STOP))})


@dataclass(frozen=True)
class Book:
    """All that is written down of a service: the rollout at work or the last one, and those before, oldest first."""

    current: Record | None = None
    past: tuple[Record, ...] = ()
    version: str = field(default="", compare=False)  # of the object that it was read from; empty: there is none

    KEPT = 20

    @property
    def next_revision(self) -> int:
        return 1 + max((record.revision for record in self.all), default=0)

    @property
    def all(self) -> tuple[Record, ...]:
        return (*self.past, self.current) if self.current else self.past

    def begun(self, record: Record) -> Book:
        past = (*self.past, replace(self.current, judge=None)) if self.current else self.past
        return replace(self, current=record, past=past[-self.KEPT:])

    def data(self) -> dict[str, str]:
        """As a ConfigMap's data."""
        return {"current": json.dumps(self.current.document()) if self.current else "",
                "past": json.dumps([record.document() for record in self.past])}

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Book:
        """From the ConfigMap. Raises OperationError when somebody spoilt it."""
        data = item.get("data") or {}
        try:
            current = Record.of(json.loads(data["current"])) if data.get("current") else None
            past = tuple(Record.of(entry) for entry in json.loads(data.get("past") or "[]"))
        except (ValueError, KeyError, TypeError) as error:
            metadata = item["metadata"]
            raise OperationError(
                f"the journal (ConfigMap {metadata['namespace']}/{metadata['name']}) can't be read ({error}); restore "
                "it, or delete it: the rollout's state is then taken from the cluster, the history is lost") from error
        return cls(current, past, item["metadata"]["resourceVersion"])
