"""The function's entry: `handle`, called by two schedules.

In:  `{"action": "down" | "up"}`.
Out: `{"action", "outcome", "done": […]}`. Raises Unfinished when a part failed: Lambda calls twice more, and each call
     goes on where the last one stopped. The report goes to the topic either way.

Down: the alarms are silenced, then the node groups go to 0, then the database is stopped. Up, in the reverse order: the
database is started, the node groups get the sizes that they had, and when both are there the alarms speak again.

Environment: CLUSTER_NAME, NODE_GROUPS (JSON: `{name: {"minSize", "desiredSize"}}`, for groups whose sizes were never
             remembered), DATABASE_ID (empty: the database runs through), ALARM_PREFIX, STATE_PARAMETER, KEEP_TAG,
             TOPIC_ARN, ENVIRONMENT.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from .platform import Alarms, Clock, Database, NodeGroups, Sizes, Unfinished
from .state import DOWN, UP, Parameter, State

NOTHING: Sizes = {"minSize": 0, "desiredSize": 0}


@dataclass
class Run:
    """One call. `defaults`: the groups and the sizes of the settings; `database` None: it is not touched."""

    groups: NodeGroups
    database: Database | None
    alarms: Alarms
    parameter: Parameter
    defaults: Mapping[str, Sizes]
    keep_tag: str
    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def down(self) -> str:
        if self.groups.kept(self.keep_tag):
            return f"left running: the cluster has the tag {self.keep_tag}"
        state = self.parameter.read()
        if state.phase != DOWN:  # else an earlier call has kept what was, and now there are zeros
            sizes = {group: self.groups.sizes(group) for group in self.defaults}
            state = State(DOWN, sizes, tuple(self.alarms.silent()))
            self.parameter.write(state)
        self.done.append(f"{self.alarms.silence()} alarms silenced")  # if this fails nothing else may be taken away
        for group in self.defaults:
            self._part(group, partial(self.groups.scale, group, NOTHING, exactly=True), "scaled to 0")
        if self.database is not None:
            self._part(self.database.id, self.database.stop, "stopping")
        for group in self.defaults:
            self._part(group, partial(self.groups.check, group, NOTHING, exactly=True))
        return "down"

    def up(self) -> str:
        state = self.parameter.read()
        if state.phase == UP:
            return "up already"
        if self.database is not None:
            self._part(self.database.id, self.database.start, "starting")
        sizes = {group: state.groups.get(group, settings) for group, settings in self.defaults.items()}
        for group, wanted in sizes.items():
            self._part(group, partial(self.groups.scale, group, wanted, exactly=False),
                       f"scaled to {wanted['desiredSize']}")
        for group, wanted in sizes.items():
            self._part(group, partial(self.groups.check, group, wanted, exactly=False))
        if self.database is not None:
            self._part(self.database.id, self.database.wait_until_available)
        if not self.problems:  # they would only say what this report says
            self.done.append(f"{self.alarms.wake(but=state.silentBefore)} alarms woken")
            self.parameter.write(State(UP))
        return "up"

    def _part(self, name: str, do: Callable[[], bool | None], words: str = "") -> None:
        """One part's trouble must not keep the others as they were."""
        try:
            if do():
                self.done.append(f"{name} {words}")
        except Exception as error:
            self.problems.append(f"{name}: {error}"[:300])


def handle(event: dict[str, str], context: Any) -> dict[str, Any]:
    action = event.get("action")
    if action not in (DOWN, UP):
        raise ValueError(f"action is {action!r}; allowed: {DOWN}, {UP}")
    run = _run(lambda: float(context.get_remaining_time_in_millis()) / 1000)
    outcome = "failed"
    try:
        outcome = run.down() if action == DOWN else run.up()
    except Exception as error:
        run.problems.append(f"{type(error).__name__}: {error}"[:300])
    report = {"action": action, "outcome": outcome if not run.problems else "unfinished", "done": run.done}
    print(json.dumps({**report, "problems": run.problems}))
    if run.done or run.problems or outcome.startswith("left"):
        _client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(
            message(action, outcome, run.done, run.problems, os.environ["ENVIRONMENT"])))
    if run.problems:
        raise Unfinished("; ".join(run.problems))
    return report


def message(action: str, outcome: str, done: Sequence[str], problems: Sequence[str],
            environment: str) -> dict[str, Any]:
    """As the notifications read it."""
    title = f"Scheduled scaling {action}: {'unfinished' if problems else outcome}"
    return {"candlefish": {"title": title, "text": "\n".join([*done, *(f"Trouble: {each}" for each in problems)]),
                           "severity": "P2" if problems else "P3", "source": "scheduled-scaling",
                           "key": f"scheduled-scaling/{environment}/{action}"}}


def _run(remaining_seconds: Callable[[], float]) -> Run:
    clock = Clock(remaining_seconds, time.sleep)
    database = os.environ["DATABASE_ID"]
    return Run(
        NodeGroups(_client("eks"), os.environ["CLUSTER_NAME"], clock),
        Database(_client("rds"), database, clock) if database else None,
        Alarms(_client("cloudwatch"), os.environ["ALARM_PREFIX"]),
        Parameter(_client("ssm"), os.environ["STATE_PARAMETER"]),
        json.loads(os.environ["NODE_GROUPS"]), os.environ["KEEP_TAG"])


@cache
def _client(service: str) -> Any:
    import boto3  # the runtime's own

    return boto3.client(service)
