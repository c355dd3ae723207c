"""Damaged stack files: a short run of `python -m tests.settings_fuzz`, and that it would see what is wrong."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

import infra.settings.load
from infra.settings.errors import Problem, SettingsError
from infra.settings.load import load_file
from infra.settings.stack import from_stack
from infra.settings.yaml import DEEPEST
from rehearsal.engine.values import Secret
from tests.program import ROOT
from tests.settings_fuzz.damage import Damaged, Edit, Files, differences, draw
from tests.settings_fuzz.loading import read_all, unclear
from tests.settings_fuzz.previews import Batch, Change, batches, blame, combined
from tests.settings_fuzz.sound import unsound
from tests.stacks import STACKS

pytestmark = pytest.mark.unit
COUNT = 300


@pytest.fixture(scope="module")
def files() -> Files:
    return Files.of(ROOT)


def test_damaged_files_are_accepted_or_refused_in_one_clear_message(files: Files) -> None:
    seed = 8
    dice = random.Random(seed)
    answers = list(read_all(draw(files, dice) for _ in range(COUNT)))
    assert [f"seed {seed}, {damaged.stack}, {damaged.what}: {answer.wrong}" for damaged, answer in answers
            if answer.wrong] == []
    kinds = {answer.refusal for _, answer in answers}
    assert {"", "file", "missing", "value"} <= kinds
    assert {damaged.stack for damaged, _ in answers} == {*STACKS}


def test_a_seed_draws_the_same_files_again(files: Files) -> None:
    drawn = [[draw(files, dice).content for _ in range(20)] for dice in (random.Random(3), random.Random(3))]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(("added", "words"), [
    ("  1: x\n", "the key 1 is no text"),
    ("  ? [a]\n  : 1\n", "is no text"),
    ("  candlefish:usage: 2026-99-99\n", "'2026-99-99' is no timestamp"),
    ("  candlefish:usage: " + "9" * 5000 + "\n", "is no int"),
    ("  candlefish:usage: !!bool x\n", "'x' is no bool"),
    ("  candlefish:usage: &a [*a]\n", "the alias *a inside a value that has an anchor itself"),
    ("  candlefish:usage: [&a [1, 1], &b [*a, *a]]\n", "the alias *a inside a value that has an anchor itself"),
    ("  candlefish:usage: " + "[" * 100_000 + "\n", f"more than {DEEPEST} levels inside each other"),
    ("\0", "control characters are not allowed"),
])
def test_what_would_break_the_reader_is_refused_with_its_place(tmp_path: Path, added: str, words: str) -> None:
    """Each of these was a traceback once, and the brackets the end of the process."""
    path = tmp_path / "Pulumi.staging.yaml"
    path.write_text((ROOT / path.name).read_text() + added)
    with pytest.raises(SettingsError) as refused:
        load_file(path)
    assert words in str(refused.value)
    assert unclear(refused.value, path.name) == ""


def test_an_alias_of_a_whole_value_is_read(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.staging.yaml"
    text = (ROOT / path.name).read_text()
    path.write_text(text.replace("retentionDays: 14, copyRetentionDays: 14", "retentionDays: &days 14, "
                                                                            "copyRetentionDays: *days"))
    assert load_file(path) == load_file(ROOT / path.name)


def test_what_is_no_file_of_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.staging.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8 at byte 0"):
        load_file(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(SettingsError, match="a file that can be read"):
        load_file(path)


def test_a_key_may_lack_the_projects_prefix_and_no_other(tmp_path: Path) -> None:
    """`pulumi config set` takes both, and the program gets both."""
    path = tmp_path / "Pulumi.staging.yaml"
    text = (ROOT / path.name).read_text()
    path.write_text(text.replace("candlefish:monthlyBudgetUsd: 600", "monthlyBudgetUsd: 500"))
    assert load_file(path).monthly_budget_usd == 500
    path.write_text(f"{text}  monthlyBudgetUsd: 500\n")
    with pytest.raises(SettingsError, match=r"candlefish:monthlyBudgetUsd is 500; allowed: the key once"):
        load_file(path)
    path.write_text(text.replace("candlefish:edge:", "candlefihs:edge:"))
    with pytest.raises(SettingsError, match=r"candlefihs:edge is .*; allowed: a key that begins with candlefish:"):
        load_file(path)


def test_the_program_is_refused_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi prints the text of a RunError, and a traceback of everything else."""
    monkeypatch.setattr("pulumi.runtime.config.get_config_env", lambda: {"candlefish:environment": "moon"})
    monkeypatch.setattr("pulumi.get_stack", lambda: "staging")
    with pytest.raises(pulumi.RunError, match=r"Pulumi\.staging\.yaml can't be used"):
        from_stack()


def test_a_message_shows_no_more_than_a_line_of_a_huge_value_or_name() -> None:
    said = str(SettingsError("Pulumi.staging.yaml", [Problem("a\n" * 200, ["x" * 10_000] * 50, "something else")]))
    assert len(said.splitlines()) == 2
    assert len(said) < 400


@pytest.mark.parametrize(("said", "lacks"), [
    (SettingsError("elsewhere", [Problem("a", 1, "2")]), "does not begin with the file"),
    (SettingsError("Pulumi.staging.yaml", [Problem("a", 1, "")]), "does not say"),
    (SettingsError("Pulumi.staging.yaml", [Problem("a", 1, "an instance of <class 'int'>")]), "speaks of"),
    (SettingsError("Pulumi.staging.yaml", [Problem("a", 1, "x\ny")]), "problems in"),
    (SettingsError("Pulumi.staging.yaml", []), "problems in"),
])
def test_the_run_sees_a_message_that_is_not_clear(said: SettingsError, lacks: str) -> None:
    assert lacks in unclear(said, "Pulumi.staging.yaml")


def test_the_run_sees_a_traceback_and_two_ways_that_disagree(
        files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Damaged("staging", "whole", "nothing", files.texts["staging"].encode())
    [(_, answer)] = read_all([whole])
    assert answer.wrong == ""
    monkeypatch.setattr("infra.settings.stack._parse", lambda text: None)
    [(_, answer)] = read_all([whole])
    assert "the program refuses it" in answer.wrong

    def raises(settings: Any) -> list[Problem]:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(infra.settings.load, "check", raises)
    [(_, answer)] = read_all([whole])
    assert answer.wrong == "ZeroDivisionError: oh"


def test_the_run_sees_a_file_that_is_never_done(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of 10 ** 30 replicas once was."""
    def endless(settings: Any) -> list[Problem]:
        while True:
            pass

    monkeypatch.setattr(infra.settings.load, "check", endless)
    monkeypatch.setattr("tests.settings_fuzz.loading.SECONDS", 0.1)
    [(_, answer)] = read_all([Damaged("staging", "whole", "nothing", files.texts["staging"].encode())])
    assert "more than 0.1 s of processor" in answer.wrong


def test_edits_that_touch_each_other_are_previewed_apart_and_all_are_previewed(files: Files) -> None:
    def change(place: tuple[str, ...], value: Any) -> Change:
        return Change("staging", ".".join(place), (Edit("put", place, value),))

    network, cidr, budget, cache = (
        change(("candlefish:network", "natGatewayCount"), 3), change(("candlefish:network", "cidr"), "10.21.0.0/16"),
        change(("candlefish:monthlyBudgetUsd",), 500), change(("candlefish:network",), {"cidr": "10.22.0.0/16"}))
    found = list(batches([network, cidr, budget, cache], files, 2))
    assert sorted(each.what for batch in found for each in batch.changes) == sorted(
        each.what for each in (network, cidr, budget, cache))
    assert all(len(batch.changes) <= 2 for batch in found)
    assert not any(one is not other and not one.apart(other) for batch in found for one in batch.changes
                   for other in batch.changes)


def test_the_change_to_blame_is_found_among_others(files: Files) -> None:
    changes = tuple(Change("staging", f"change {number}", (Edit("put", (f"candlefish:{number}",), number),))
                    for number in range(8))

    def preview(batch: Batch) -> str:
        return "no good" if changes[5] in batch.changes else ""

    count, wrong = blame(combined(changes, files), "no good", files, preview)
    assert wrong == ["staging: change 5 5: no good"]
    assert count == 6


def test_differences_make_one_file_of_the_other(files: Files) -> None:
    config = files.configs["staging"]
    for edit in differences(config, files.configs["production"]):
        config = edit.made(config)
    assert config == files.configs["production"]


@pytest.mark.parametrize(("type", "inputs", "words"), [
    ("aws:lambda/function:Function", {"timeout": float("nan")}, "timeout is nan"),
    ("aws:lambda/function:Function", {"environment": {"variables": {"A": Secret("x\0")}}}, "environment.variables.A"),
    ("kubernetes:core/v1:Namespace", {"metadata": {"name": "Candlefish"}}, "metadata.name is 'Candlefish'"),
    ("kubernetes:apps/v1:Deployment", {"metadata": {"name": "a.b", "namespace": ""}}, "metadata.namespace is ''"),
    ("kubernetes:apps/v1:Deployment", {"metadata": {"labels": {"a": "-"}}}, "the label a is '-'"),
    ("aws:s3/bucket:Bucket", {"tags": {"Owner": "a;b"}}, "the tag Owner is 'a;b'"),
    ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 366}, "retentionInDays is 366"),
    ("aws:route53/record:Record", {"name": "a..b"}, "name is 'a..b'"),
])
def test_what_a_cluster_or_an_account_would_refuse_is_seen(type: str, inputs: dict[str, Any], words: str) -> None:
    state: Any = SimpleNamespace(type=type, name="it", custom=True, inputs=inputs)
    good: Any = SimpleNamespace(type=type, name="good", custom=True, inputs={"tags": {"Owner": "platform"}})
    [found] = unsound(cast(Any, SimpleNamespace(resources=(state, good))))
    assert found.startswith(f"{type} it: ")
    assert words in found
