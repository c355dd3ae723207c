"""`candlefish recovery` rebuild, failover, failback, export: which engine they take, and what is wrong usage."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from candlefish import recovery, recovery_region, recovery_runner
from candlefish.exits import WrongUsage
from operations.recovery.pulumi_runner import PulumiRunner

pytestmark = pytest.mark.unit
PAGE = Path(__file__).parents[3] / "docs" / "recovery.md"
VERBS = ("export", "rebuild", "failover", "failback")


@pytest.mark.parametrize("verb", VERBS)
def test_the_pages_commands_are_understood(verb: str) -> None:
    command = get_command(recovery.app).commands[verb]  # type: ignore[attr-defined]
    lines = [shlex.split(line, comments=True)[3:] for line in PAGE.read_text().splitlines()
             if line.startswith(f"candlefish recovery {verb} ")]
    assert lines
    for line in lines:
        with command.make_context(verb, list(line)) as context:
            assert context.params["stack"] == line[line.index("--stack") + 1]


def test_without_an_endpoint_it_is_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert isinstance(recovery_runner.runner_of("recovery", print), PulumiRunner)


def test_an_endpoint_that_is_not_the_rehearsals_is_refused(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANDLEFISH_REHEARSAL_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with pytest.raises(WrongUsage, match=r"http://127\.0\.0\.1:4566, where no rehearsal of this project runs"):
        recovery_runner.runner_of("recovery", print)


@pytest.mark.parametrize("verb", ["rebuild", "failover", "failback"])
def test_a_stack_that_stands_in_for_nobody_is_wrong_usage(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_region, "runner_of", lambda *_: pytest.fail("it was begun"))
    done = CliRunner().invoke(recovery.app, [verb, "--stack", "staging"])
    assert isinstance(done.exception, WrongUsage)
    assert "stands in for nobody" in str(done.exception)
