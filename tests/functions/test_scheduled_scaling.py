"""Scheduled scaling: down and up again, whatever fails in between."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from scheduled_scaling import handler
from scheduled_scaling.handler import NOTHING, Run
from scheduled_scaling.platform import Alarms, Clock, Database, NodeGroups, Unfinished
from scheduled_scaling.state import Parameter

pytestmark = pytest.mark.functions

PREFIX = "staging-candlefish-"
DEFAULTS = {"base": {"minSize": 2, "desiredSize": 2}, "spot": {"minSize": 1, "desiredSize": 1}}
EVENING = {"base": {"minSize": 2, "desiredSize": 4}, "spot": {"minSize": 1, "desiredSize": 3}}


class Interrupted(BaseException):
    """The function is killed: nothing catches that."""


class Account:
    """The parts of an account that the function touches, as one client of everything. `fails`: the n-th call that
    changes something is the function's last, before or after it took effect."""

    def __init__(self, database: str = "available", alarms: int = 250) -> None:
        self.groups = {name: {**sizes, "maxSize": 10} for name, sizes in EVENING.items()}
        self.updating = dict.fromkeys(self.groups, 0)
        self.database = database
        self.alarms = {f"{PREFIX}{number:03}": number != 7 for number in range(alarms)} | {"other": True}
        self.state = "{}"
        self.tags: dict[str, str] = {}
        self.calls: list[str] = []
        self.fails, self.after = 0, False
        self.refuses: set[str] = set()  # names of groups, "database"
        self.published: list[dict[str, Any]] = []

    def _change(self, what: str, effect: Callable[[], None]) -> None:
        self.calls.append(what)
        last = len(self.calls) == self.fails
        if last and not self.after:
            raise Interrupted
        effect()
        if last:
            raise Interrupted

    # EKS
    def describe_cluster(self, name: str) -> dict[str, Any]:
        return {"cluster": {"name": name, "tags": self.tags}}

    def describe_nodegroup(self, clusterName: str, nodegroupName: str) -> dict[str, Any]:
        self.updating[nodegroupName] = max(0, self.updating[nodegroupName] - 1)
        return {"nodegroup": {"scalingConfig": dict(self.groups[nodegroupName]),
                              "status": "UPDATING" if self.updating[nodegroupName] else "ACTIVE"}}

    def update_nodegroup_config(self, clusterName: str, nodegroupName: str, scalingConfig: Mapping[str, int]) -> None:
        assert not self.updating[nodegroupName], "ResourceInUseException"
        if nodegroupName in self.refuses:
            raise PermissionError(nodegroupName)

        def effect() -> None:
            self.groups[nodegroupName] |= scalingConfig
            self.updating[nodegroupName] = 3

        self._change(f"scale {nodegroupName}", effect)

    # RDS
    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:
        status, self.database = self.database, {"stopping": "stopped", "starting": "available"}.get(
            self.database, self.database)
        return {"DBInstances": [{"DBInstanceStatus": status}]}

    def stop_db_instance(self, DBInstanceIdentifier: str) -> None:
        assert self.database == "available"
        self._change("stop database", lambda: setattr(self, "database", "stopping"))

    def start_db_instance(self, DBInstanceIdentifier: str) -> None:
        assert self.database == "stopped"
        self._change("start database", lambda: setattr(self, "database", "starting"))

    # CloudWatch
    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_alarms"
        return self

    def paginate(self, AlarmNamePrefix: str, AlarmTypes: list[str]) -> Iterator[dict[str, Any]]:
        names = sorted(name for name in self.alarms if name.startswith(AlarmNamePrefix))
        for start in range(0, len(names), 100):
            page = [{"AlarmName": name, "ActionsEnabled": self.alarms[name]} for name in names[start:start + 100]]
            yield {"MetricAlarms": page[1:], "CompositeAlarms": page[:1]}

    def disable_alarm_actions(self, AlarmNames: list[str]) -> None:
        assert len(AlarmNames) <= 100
        self._change("silence", lambda: self.alarms.update(dict.fromkeys(AlarmNames, False)))

    def enable_alarm_actions(self, AlarmNames: list[str]) -> None:
        assert len(AlarmNames) <= 100
        self._change("wake", lambda: self.alarms.update(dict.fromkeys(AlarmNames, True)))

    # SSM, SNS
    def get_parameter(self, Name: str) -> dict[str, Any]:
        return {"Parameter": {"Value": self.state}}

    def put_parameter(self, Name: str, Value: str, Overwrite: bool) -> None:
        assert len(Value) <= 4096
        self._change("remember", lambda: setattr(self, "state", Value))

    def publish(self, TopicArn: str, Message: str) -> None:
        self.published.append(json.loads(Message)["candlefish"])

    @property
    def is_down(self) -> bool:
        return (all((group["minSize"], group["desiredSize"]) == (0, 0) for group in self.groups.values())
                and self.database in ("stopping", "stopped") and not any(self.silent))

    @property
    def is_up(self) -> bool:
        return (all({"minSize": group["minSize"], "desiredSize": group["desiredSize"]} == EVENING[name]
                    for name, group in self.groups.items()) and self.database == "available")

    @property
    def silent(self) -> list[bool]:
        return [speaks for name, speaks in self.alarms.items() if name.startswith(PREFIX)]


def run(account: Account, database: bool = True, seconds: float = 3600) -> Run:
    left = [seconds]

    def sleep(pause: float) -> None:
        left[0] -= pause

    clock = Clock(lambda: left[0], sleep)
    return Run(NodeGroups(account, "c", clock), Database(account, "db", clock) if database else None,
               Alarms(account, PREFIX), Parameter(account, "state"), DEFAULTS, "KeepRunning")


def test_down_silences_first_and_up_wakes_last() -> None:
    account = Account()
    assert run(account).down() == "down"
    assert account.is_down
    assert account.alarms["other"]
    assert account.calls == ["remember", "silence", "silence", "silence", "scale base", "scale spot", "stop database"]
    account.calls.clear()
    assert run(account).up() == "up"
    assert account.is_up
    assert account.calls == ["start database", "scale base", "scale spot", "wake", "wake", "wake", "remember"]
    assert [name for name, speaks in account.alarms.items() if not speaks] == [f"{PREFIX}007"]  # was silent before


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("action", ["down", "up"])
def test_a_run_killed_at_any_change_is_finished_by_the_next(action: str, after: bool) -> None:
    for number in range(1, 30):
        account = Account()
        if action == "up":
            run(account).down()
            account.calls.clear()
        account.fails, account.after = number, after
        part = run(account)
        with suppress(Interrupted):
            getattr(part, action)()
        hit = len(account.calls) >= number
        account.fails, account.updating = 0, dict.fromkeys(account.groups, 0)
        getattr(run(account), action)()
        assert account.is_down if action == "down" else account.is_up
        if action == "down":
            run(account).up()
            assert account.is_up
        assert not account.alarms[f"{PREFIX}007"]
        assert sum(account.silent) == len(account.silent) - 1
        if not hit:
            return
    raise AssertionError("more than 30 changes")


def test_either_action_repeated_changes_nothing() -> None:
    account = Account()
    run(account).down()
    account.calls.clear()
    run(account).down()
    assert account.calls == []
    run(account).up()
    account.calls.clear()
    assert run(account).up() == "up already"
    assert account.calls == []


def test_the_up_of_a_night_that_was_cut_short_brings_back_what_was() -> None:
    account = Account()
    account.refuses = {"spot"}  # one group goes down, the other does not
    run(account).down()
    account.refuses, account.updating = set(), dict.fromkeys(account.groups, 0)
    run(account).up()
    assert account.is_up


def test_a_cluster_that_is_tagged_to_be_kept_is_left_alone() -> None:
    account = Account()
    account.tags = {"KeepRunning": "release night"}
    assert "left running" in run(account).down()
    assert account.calls == []
    account.tags = {"KeepRunning": "false"}
    assert run(account).down() == "down"


def test_a_part_in_trouble_does_not_keep_the_others_from_being_scaled() -> None:
    account = Account()
    account.refuses = {"base"}
    part = run(account)
    part.down()
    assert account.groups["spot"]["desiredSize"] == 0
    assert account.database == "stopping"
    assert any(problem.startswith("base") for problem in part.problems)


def test_alarms_stay_silent_while_the_environment_is_not_up() -> None:
    account = Account()
    run(account).down()
    account.refuses = {"base"}
    part = run(account)
    part.up()
    assert part.problems
    assert not any(account.silent)
    account.refuses = set()
    run(account).up()
    assert account.is_up
    assert any(account.silent)


def test_nothing_is_taken_away_when_the_alarms_cannot_be_silenced() -> None:
    account = Account()
    account.fails = 2
    with pytest.raises(Interrupted):
        run(account).down()
    assert {name: group["desiredSize"] for name, group in account.groups.items()} == {"base": 4, "spot": 3}


def test_nodes_that_came_in_the_night_are_not_taken_away_in_the_morning() -> None:
    account = Account()
    run(account).down()
    account.groups["base"]["desiredSize"] = 6
    run(account).up()
    assert account.groups["base"] == {"minSize": 2, "desiredSize": 6, "maxSize": 10}


def test_a_group_whose_sizes_nobody_remembers_gets_those_of_the_settings() -> None:
    account = Account()
    account.state = json.dumps({"phase": "down"})
    account.groups = {name: {**NOTHING, "maxSize": 10} for name in account.groups}
    run(account, database=False).up()
    assert {name: group["minSize"] for name, group in account.groups.items()} == {"base": 2, "spot": 1}


def test_an_autoscaler_that_brings_nodes_back_is_noticed() -> None:
    account = Account()
    part = run(account)

    class Autoscaled(NodeGroups):
        def scale(self, group: str, wanted: Mapping[str, int], exactly: bool) -> bool:
            changed = super().scale(group, wanted, exactly)
            account.groups[group]["desiredSize"] = 1
            return changed

    part.groups = Autoscaled(account, "c", part.groups.clock)
    part.down()
    assert part.problems == ["base: base is at 1 instead of 0", "spot: spot is at 1 instead of 0"]


@pytest.mark.parametrize("status", ["backing-up", "modifying"])
def test_a_database_that_is_busy_is_stopped_by_the_next_attempt(status: str) -> None:
    account = Account(database=status)
    part = run(account)
    part.down()
    assert part.problems == [f"db: db is {status}: it can only be stopped when it is available"]
    account.database = "available"
    run(account).down()
    assert account.is_down


def test_a_function_that_runs_out_of_time_says_so_and_goes_on_later() -> None:
    account = Account()
    run(account).down()
    account.updating = dict.fromkeys(account.groups, 1000)
    part = run(account, seconds=60)
    part.up()
    assert "base: base: not yet" in part.problems
    account.updating = dict.fromkeys(account.groups, 0)
    run(account).up()
    assert account.is_up


def entry(account: Account, monkeypatch: pytest.MonkeyPatch, action: str) -> dict[str, Any]:
    monkeypatch.setattr(handler, "_client", lambda service: account)
    monkeypatch.setattr(handler.time, "sleep", lambda seconds: None)
    for name, value in {"CLUSTER_NAME": "c", "NODE_GROUPS": json.dumps(DEFAULTS), "DATABASE_ID": "", "TOPIC_ARN": "t",
                        "ALARM_PREFIX": PREFIX, "STATE_PARAMETER": "s", "KEEP_TAG": "KeepRunning",
                        "ENVIRONMENT": "staging"}.items():
        monkeypatch.setenv(name, value)

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    return handler.handle({"action": action}, Context())


def test_the_entry_reports_what_it_did_and_leaves_the_database_to_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account()
    report = entry(account, monkeypatch, "down")
    assert report["done"] == ["249 alarms silenced", "base scaled to 0", "spot scaled to 0"]
    assert account.database == "available"
    assert account.published[-1]["severity"] == "P3"
    assert entry(account, monkeypatch, "up")["outcome"] == "up"
    assert len(account.published) == 2
    assert entry(account, monkeypatch, "up")["outcome"] == "up already"
    assert len(account.published) == 2  # nothing happened, so nothing is told


def test_the_entry_fails_with_what_is_left_so_that_lambda_calls_again(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account()
    account.refuses = {"spot"}
    with pytest.raises(Unfinished, match="spot"):
        entry(account, monkeypatch, "down")
    assert account.published[-1]["severity"] == "P2"
    with pytest.raises(ValueError, match="'sideways'; allowed: down, up"):
        entry(account, monkeypatch, "sideways")
