"""Lookups wait for what the controller makes, and say so when it doesn't."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.workloads import lookup
from tests.unit.components import answering
from tests.unit.components.answering import Registrations, record

pytestmark = pytest.mark.unit

TOKEN = "aws:lb/getTargetGroup:getTargetGroup"


def looked_up(monkeypatch: pytest.MonkeyPatch, misses: int) -> tuple[Registrations, list[Mapping[str, Any]]]:
    """Looks a target group up that is there after `misses` questions."""
    asked: list[Mapping[str, Any]] = []

    def answer(arguments: Mapping[str, Any]) -> Any:
        asked.append(arguments)
        if len(asked) <= misses:
            return {}, [("", "Search returned 0 results")]
        return {"arn": "arn:group"}

    monkeypatch.setattr(answering, "ANSWERS", {**answering.ANSWERS, TOKEN: answer})
    monkeypatch.setattr(lookup, "INTERVAL_SECONDS", 0)

    def program() -> SimpleNamespace:
        bucket = aws.s3.Bucket("door")
        return SimpleNamespace(arn=lookup.eventually(TOKEN, {"name": pulumi.Output.from_input("group")},
                                                     lambda found: found["arn"], after=bucket, parent=bucket))

    return record(program), asked


def test_what_is_not_there_yet_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, asked = looked_up(monkeypatch, misses=3)
    assert recorded.built.arn == "arn:group"
    assert asked == [{"name": "group"}] * 4


def test_what_never_comes_is_an_error_that_names_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "TIMEOUT_SECONDS", -1)
    with pytest.raises(TimeoutError, match=r"the load balancer controller has not made it .*Search returned 0 results"):
        looked_up(monkeypatch, misses=1)


def test_a_preview_shows_what_is_not_there_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    recorded, asked = looked_up(monkeypatch, misses=1)
    assert len(asked) == 1
    assert not hasattr(recorded.built, "arn")
