"""Drills: the table of disasters, and what is said of a recovery that does not succeed. Nothing is broken here."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from subprocess import Popen
from types import MappingProxyType
from typing import Any

import pytest
from typer.main import get_command

from candlefish import app, drills, recovery
from infra.settings.load import load_file
from operations.recovery import restore
from operations.recovery.account import Account
from operations.recovery.restoration import Point
from rehearsal.disasters.drill import Drill, Drilled, Targets, rehearsed_words
from rehearsal.disasters.strikes import Struck
from rehearsal.disasters.table import (
    CALLS,
    DISASTERS,
    LOST_ZONE,
    RESTORED_DATABASE,
    RESTORED_TABLE,
    Command,
    Disaster,
    Loss,
    Severity,
    Within,
    rehearsed,
)
from rehearsal.disasters.world import DrillError, Ran, World

pytestmark = pytest.mark.unit

NAT, TARGETS = "aws:ec2/natGateway:NatGateway", Targets(1800, 0)
NOTHING: Mapping[str, Any] = MappingProxyType({})
DIFFERENT = {"steps": [{"operation": "same", "urn": "urn::b", "diff": []},
                       {"operation": "update", "urn": "urn::a", "diff": [{"path": "tags"}]}]}


class Fake:
    """A stack of two NAT gateways; each command runs `acts` and has the next of `codes`."""

    def __init__(self, folder: Path, codes: Sequence[int] = ()) -> None:
        self.state, self.ran, self.codes = folder / "state.json", [], list(codes)
        self.made("a", "b")

    ran: list[str]

    def made(self, *names: str) -> None:
        self.state.write_text(json.dumps({"deployment": {"resources": [
            {"urn": f"urn:pulumi:s::p::{NAT}::{name}", "type": NAT, "custom": True, "id": name} for name in names]}}))

    def run(self, words: Sequence[str]) -> Ran:
        self.ran.append(" ".join(words))
        if "refresh" in words and len(self.ran) == 1:
            self.made("a")
        elif "up" in words:
            self.made("a", "b")
        code = self.codes.pop(0) if self.codes else 0
        return Ran(code, json.dumps(DIFFERENT), "") if code == 4 else Ran(code, "", "it broke")

    def world(self) -> World:
        return World("development", self.state, pytest.fail, self.run, _nobody, lambda: None)


def _nobody(words: Sequence[str]) -> Popen[bytes]:
    pytest.fail(f"{words} was started")


def disaster(struck: Struck, *commands: str) -> Disaster:
    return Disaster("lost", "Lost", Severity.P1, Within.APPLICATION, Loss.NOTHING, "it is gone",
                    tuple(Command(each) for each in commands), "it is there", strike=lambda world: struck)


def drilled(folder: Path, struck: Struck | None = None, codes: Sequence[int] = ()) -> tuple[Drilled, list[str]]:
    fake = Fake(folder, codes)
    lost = disaster(struck or Struck(), "pulumi refresh --stack {stack} --yes", "pulumi up --stack {stack} --yes")
    return Drill(fake.world(), 0).run(lost, TARGETS), fake.ran


def test_what_was_lost_is_made_again_in_its_predicted_time_and_nothing_differs_any_more(tmp_path: Path) -> None:
    found, ran = drilled(tmp_path)
    assert (found.recovered, found.inside, found.failure) == (True, True, "")
    assert found.predicted == pytest.approx((105, 125), rel=0.1)  # one NAT gateway, not two
    assert ran == ["candlefish rehearse refresh --stack development --json",
                   "candlefish rehearse up --stack development --json",
                   "candlefish rehearse refresh --stack development --expect-no-changes --json",
                   "candlefish rehearse preview --stack development --expect-no-changes --json"]


@pytest.mark.parametrize(("codes", "said", "ran"), [
    ([1], "`pulumi refresh --stack {stack} --yes` ended with 1: it broke", 1),
    ([0, 0, 4], "`refresh --expect-no-changes` ended with 4: update a tags", 3),
    ([0, 0, 0, 4], "`preview --expect-no-changes` ended with 4: update a tags", 4)])
def test_a_command_that_fails_and_a_difference_that_is_left_are_no_recovery(
        tmp_path: Path, codes: list[int], said: str, ran: int) -> None:
    found, lines = drilled(tmp_path, codes=codes)
    assert (found.recovered, found.inside, found.failure, len(lines)) == (False, False, said, ran)


def test_data_that_is_not_as_it_was_is_counted_and_is_no_recovery(tmp_path: Path) -> None:
    tidied: list[int] = []
    struck = Struck(kept={"a": 1, "b": 2, "c": 3}, now=lambda: {"a": 1, "b": 0, "new": 9},
                    tidy=lambda: tidied.append(1))
    found, _ = drilled(tmp_path, struck)
    assert (found.recovered, found.lost, found.compared, tidied) == (False, 2, 3, [1])


def test_what_a_killed_run_had_begun_is_predicted_though_the_drill_takes_it_away_again(tmp_path: Path) -> None:
    """The strike's run was to make `b`; nothing of it is in the state after the drill."""
    fake = Fake(tmp_path)
    fake.made("a")
    found = Drill(fake.world(), 0).run(
        disaster(Struck(tidy=lambda: fake.made("a")), "pulumi up --stack {stack} --yes"), TARGETS)
    assert found.predicted == pytest.approx((105, 125), rel=0.1)


def test_the_drills_own_things_go_away_when_it_breaks_off(tmp_path: Path) -> None:
    tidied: list[int] = []

    def unreadable() -> Mapping[str, Any]:
        raise DrillError("gave up")

    with pytest.raises(DrillError, match="gave up"):
        drilled(tmp_path, Struck(now=unreadable, tidy=lambda: tidied.append(1)))
    assert tidied == [1]


def test_a_state_that_is_gone_says_nothing_of_what_has_to_be_made_again(tmp_path: Path) -> None:
    fake = Fake(tmp_path)

    def strike(world: World) -> Struck:
        world.state.unlink()
        return Struck()

    lost = replace(disaster(Struck(), "pulumi up --stack {stack}"), strike=strike)
    assert Drill(fake.world(), 0).run(lost, TARGETS).predicted == (0, 0)


def test_a_recovery_that_takes_longer_than_its_target_is_not_inside() -> None:
    assert not Drilled("x", True, (), (10, 1801), TARGETS, 0, 0, 1).inside
    assert Drilled("x", True, (), (10, 1800), TARGETS, 0, 0, 1).inside


def test_the_report_has_the_fields_that_machines_read() -> None:
    found = drills.document(Drilled("lost", True, ("pulumi up",), (1.5, 2.5), Targets(7200, 300), 40, 0, 3.21))
    assert found == {
        "disaster": "lost", "recovered": True, "commands": ["pulumi up"], "predicted_seconds": {"p50": 1.5, "p95": 2.5},
        "target_seconds": 7200, "data_lost": 0, "data_compared": 40, "rpo_seconds": 300, "real_seconds": 3.2}


def test_what_differs_between_two_runs_is_not_in_the_report(tmp_path: Path) -> None:
    lost = disaster(Struck({"moment": "2026-11-22T00:00:00Z", "copy": "/tmp/x"}), "restore --at {moment} --file {copy}")
    assert Drill(Fake(tmp_path).world(), 0).run(lost, TARGETS).commands == ("restore --at MOMENT --file COPY",)


def test_a_disaster_with_a_drill_of_its_own_names_it_and_is_not_claimed(tmp_path: Path) -> None:
    own = next(each for each in DISASTERS if each.strike is None)
    with pytest.raises(DrillError, match=f"{own.name} has a drill of its own: {own.drill}"):
        Drill(Fake(tmp_path).world(), 0).run(own, TARGETS)
    assert own not in rehearsed()
    makefile = (Path(__file__).parents[3] / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{each.drill.removeprefix('make ')}:" in makefile for each in DISASTERS if each.strike is None)


def test_one_that_could_not_be_done_does_not_stop_the_others(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def strike(world: World) -> Struck:
        raise DrillError("there is nothing to strike")

    good = disaster(Struck(), "pulumi up --stack {stack} --yes")
    monkeypatch.setattr(drills, "rehearsed", lambda: (replace(good, name="bad", strike=strike), good))
    monkeypatch.setattr(drills._Rehearsed, "world", lambda self: Fake(tmp_path).world())
    monkeypatch.setattr(sys, "argv", ["candlefish", "recovery", "drill", "--json"])
    with pytest.raises(SystemExit) as left:
        app.main()
    out, err = capsys.readouterr()
    assert (left.value.code, [each["recovered"] for each in json.loads(out)]) == (1, [False, True])
    assert "bad: there is nothing to strike" in err


@pytest.mark.parametrize(("name", "said"), [("earthquake", "allowed: all, table-truncated, "),
                                            ("region-lost", "its drill is: make region")])
def test_a_name_that_is_none_and_one_with_a_drill_of_its_own_are_wrong_usage(
        name: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["candlefish", "recovery", "drill", "--disaster", name])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert (left.value.code, said in capsys.readouterr().err) == (2, True)


def test_pulumis_commands_become_the_rehearsals() -> None:
    assert rehearsed_words(["pulumi", "up", "--stack", "s", "--yes"], ["a=1"], "") == [
        "candlefish", "rehearse", "up", "--stack", "s", "--json", "-c", "a=1"]
    assert rehearsed_words(["pulumi", "stack", "import", "--file", "f"], [], "A=b") == [
        "env", "A=b", "candlefish", "rehearse", "import", "--file", "f"]
    assert rehearsed_words(["pulumi", "config", "set", "--path", "a", "1"], ["a=1"], "") == []
    assert rehearsed_words(["candlefish", "recovery", "names"], ["a=1"], "") == ["candlefish", "recovery", "names"]


@pytest.mark.parametrize("found", DISASTERS, ids=lambda each: each.name)
def test_every_row_of_the_table_is_whole(found: Disaster) -> None:
    assert (found.strike is None) is bool(found.drill)
    assert found.symptoms
    assert found.verify
    assert found.commands
    assert [each.name for each in DISASTERS].count(found.name) == 1
    assert {each.takes for each in found.commands} <= {"", CALLS, LOST_ZONE, RESTORED_DATABASE, RESTORED_TABLE}


def _commands() -> set[str]:
    """Of what is rehearsed, and of the page."""
    page = (Path(__file__).parents[3] / "docs/recovery.md").read_text(encoding="utf-8")
    found = [*page.splitlines(), *(each.text for found in rehearsed() for each in found.commands)]
    return {line for line in found if line.startswith("candlefish recovery ")}


@pytest.mark.parametrize("text", sorted(_commands()))
def test_the_commands_of_the_runbooks_and_of_the_page_are_the_programs_own(text: str) -> None:
    words = shlex.split(text, comments=True)[2:]
    verb = get_command(recovery.app)
    while words and hasattr(verb, "commands"):
        verb = verb.commands[words.pop(0)]
    assert verb.make_context(verb.name, words).args == []


def test_the_same_seed_strikes_the_same_thing(tmp_path: Path) -> None:
    def drawn(seed: int) -> str:
        world = Fake(tmp_path).world()
        world.draw = Random(f"{seed} x")
        return world.one(NAT).id

    assert [drawn(seed) for seed in range(6)] == [drawn(seed) for seed in range(6)]
    assert {drawn(seed) for seed in range(6)} == {"a", "b"}
    with pytest.raises(DrillError, match="development has no aws:kms/key:Key"):
        Fake(tmp_path).world().of("aws:kms/key:Key")


def test_the_page_of_a_deleted_database_has_the_way_that_the_restore_prints() -> None:
    settings = load_file(Path(__file__).parents[3] / "Pulumi.production.yaml")
    account = Account("production", settings, lambda service, region: None)
    printed = restore._takeover(account, {"DBInstanceIdentifier": "NEW"}, None)
    page = next(each for each in DISASTERS if each.name == "database-dropped").commands[1:]
    lines = [each.text.format(stack="production", restored="NEW").removesuffix(" --yes") for each in page]
    assert [line.replace(f" --region {settings.region}", "") for line in printed] == [
        "put the settings into Pulumi.production.yaml" if line.startswith("pulumi config set") else line
        for line in lines] + ["candlefish recovery points --stack production"]
    assert restore._settings(account, "NEW", Point(snapshot="s"), False) == {
        "restore": {"snapshotId": "NEW"}}


def test_two_runs_of_one_seed_report_the_same_but_for_real_time(tmp_path: Path) -> None:
    """A strike that draws its victim and its content, as those of the table do."""
    def strike(world: World) -> Struck:
        victim, content = world.one(NAT), world.draw.random()
        return Struck({"key": victim.id, "moment": str(time.time_ns())}, {victim.id: content},
                      lambda: {victim.id: content if victim.id == "a" else None},
                      seen=lambda: {"requests": time.time()})

    def report(seed: int) -> dict[str, Any]:
        found = drills.document(Drill(Fake(tmp_path).world(), seed).run(
            replace(disaster(Struck(), "restore {key} --at {moment}"), strike=strike), TARGETS))
        assert {found.pop("real_seconds"), found.pop("seen")["requests"]}
        return found

    reports = {seed: report(seed) for seed in range(2)}
    assert {seed: report(seed) for seed in range(2)} == reports
    assert len({json.dumps(each) for each in map(report, range(4))}) == 2
