"""`candlefish rollout` for pipelines: what it ends with, and with which exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from candlefish import rollout
from kube.client import Client
from operations.rollout.dry_run import Recorder, Write
from operations.rollout.emergency import Back
from operations.rollout.model import Phase, Record, Result
from tests.cluster.rollout_world import target

ENDED = Record(3, "canary", "image:3", "image:2", "blue", "green", began=100.0, ended=160.5, phase=Phase.DONE,
               judge={"state": {"new_all": {"requests": 7}, "live_all": {"requests": 63}}})


def invoke(monkeypatch: pytest.MonkeyPatch, record: Record, *arguments: str, client: Any = None) -> Any:
    runner = SimpleNamespace(client=client or object.__new__(Client), target=target("somewhere"),
                             weights=lambda: {"blue": 90, "green": 10}, start=lambda image, choice: record,
                             promote=lambda: record)
    monkeypatch.setattr(rollout.Place, "runner", lambda self, say, hold=None, door="": cast(Any, runner))
    return CliRunner().invoke(rollout.app, [*arguments, "--stack", "development"])


@pytest.mark.parametrize(("result", "code"), [
    (Result.PROMOTED, 0), (Result.ROLLED_BACK, 5), (Result.ABORTED, 5), (Result.HELD, 6)])
def test_a_rollout_ends_with_one_object_and_its_exit_code(
        monkeypatch: pytest.MonkeyPatch, result: Result, code: int) -> None:
    record = replace(ENDED, result=result, reason="because")
    ended = invoke(monkeypatch, record, "start", "website", "--image", "image:3", "--strategy", "canary", "--json")
    assert ended.exit_code == code
    assert json.loads(ended.stdout) == {
        "service": "website", "stack": "development", "strategy": "canary", "result": result.value,
        "reason": "because", "revision": 3, "image": "image:3", "weights": {"blue": 90, "green": 10},
        "requests": {"blue": 63, "green": 7}, "seconds": 60.5}


def test_a_promoted_stage_is_no_end_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = invoke(monkeypatch, replace(ENDED, result=Result.RUNNING, judge=None), "promote", "website", "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["requests"]) == (0, None)


def test_a_dry_run_tells_its_writes_and_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = object.__new__(Recorder)
    recorder.writes = [Write("PATCH", "/api/v1/services/website", {"spec": {}})]
    start = ("start", "website", "--image", "image:3", "--dry-run")
    told = invoke(monkeypatch, ENDED, *start, client=recorder)
    assert (told.exit_code, told.stdout) == (0, 'PATCH /api/v1/services/website {"spec": {}}\n')
    listed = json.loads(invoke(monkeypatch, ENDED, *start, "--json", client=recorder).stdout)
    assert listed == {"revision": 3, "strategy": "canary", "image": "image:3", "writes": [
        {"method": "PATCH", "path": "/api/v1/services/website", "body": {"spec": {}}}]}


@pytest.mark.parametrize(("done", "code"), [(True, 0), (False, 1)])
def test_an_emergency_rollback_fails_when_one_is_not_back(
        monkeypatch: pytest.MonkeyPatch, done: bool, code: int) -> None:
    found = [Back("website", True, record=ENDED), Back("paintbox", done, "" if done else "no way back")]
    monkeypatch.setattr(rollout, "emergency_rollback", lambda runner: found)
    ended = CliRunner().invoke(rollout.app, ["emergency-rollback", "--stack", "production", "--json"])
    assert ended.exit_code == code
    assert json.loads(ended.stdout)["services"]["paintbox"]["done"] is done


def test_an_unknown_strategy_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = invoke(monkeypatch, ENDED, "start", "website", "--image", "image:3", "--strategy", "hope")
    assert ended.exit_code == 2


def test_the_live_status_is_shown_anew_until_the_rollout_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(percent: int, record: Record) -> dict[str, Any]:
        colours = {colour: {"image": f"image:{colour}", "replicas": 2, "ready": 2} for colour in ("blue", "green")}
        return {"service": "website", "live": "blue", "colours": colours,
                "weights": {"blue": 100 - percent, "green": percent}, "rollout": record.document()}

    at_work = replace(ENDED, phase=Phase.STAGES, stages=(10.0, 100.0), verdict={"reason": "not enough data"})
    looks = iter([found(10, at_work), found(100, replace(at_work, stage=1)), found(100, ENDED)])
    runner = SimpleNamespace(status=lambda: next(looks))
    monkeypatch.setattr(rollout.Place, "runner", lambda self, say: runner)
    monkeypatch.setattr(rollout, "LIVE_SECONDS", 0.0)
    shown = CliRunner().invoke(rollout.app, ["status", "website", "--stack", "development", "--live"])
    assert shown.exit_code == 0
    assert next(looks, None) is None
    assert "image:green" in shown.stderr
