"""Policy packs: when they are asked, with what, and what a violation ends."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from rehearsal.engine.errors import PackFailed, PackUnusable, PolicyViolated
from rehearsal.engine.policing import Packs
from tests.rehearsal.engine.engine_harness import Stack

pytestmark = pytest.mark.rehearsal

PACK = """
import pulumi
from pulumi_policy import *

def no_bad(args, report):
    if args.props.get("colour") == "bad":
        report(f"{args.name} of {pulumi.Config('demo').get('owner')}: choose another colour")

def two_at_most(args, report):
    things = [each for each in args.resources if each.resource_type == "fake:index:Thing"]
    if len(things) > 2:
        report(f"{len(things)} things", things[-1].urn)
    for each in things:
        if each.property_dependencies.get("value"):
            report(f"value of {each.property_dependencies['value'][0].name}", each.urn)

PolicyPack("demo", [ResourceValidationPolicy("no-bad", "no bad colour", no_bad),
                    StackValidationPolicy("two-at-most", "at most two", two_at_most)],
           enforcement_level=EnforcementLevel.MANDATORY)
"""
GOOD = 'a = Thing("a", colour="good")\nThing("b", None, value=a.generated)'
BAD = 'Thing("a", colour="bad")\nThing("b", Options(depends_on=[]), colour="bad")'


@pytest.fixture
def policed(stack: Stack, tmp_path: Path) -> Stack:
    return with_pack(stack, tmp_path / "pack", PACK)


def with_pack(stack: Stack, folder: Path, text: str, **config: str) -> Stack:
    folder.mkdir(exist_ok=True)
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 1.2.3\n")
    (folder / "__main__.py").write_text(textwrap.dedent(text))
    stack.config["demo:owner"] = "somebody"
    stack.options["packs"] = Packs([folder], config)
    return stack


def test_a_preview_finds_every_violation_and_an_up_makes_nothing_of_the_refused(policed: Stack) -> None:
    with pytest.raises(PolicyViolated) as preview:
        policed.preview(BAD)
    assert [each.urn.rpartition("::")[2] for each in preview.value.violations] == ["a", "b"]
    assert "no bad colour\n    a of somebody: choose another colour" in str(preview.value)
    with pytest.raises(PolicyViolated):
        policed.up(BAD)
    assert policed.world.log == []


def test_a_stack_policy_sees_the_finished_stack_and_what_it_refers_to(policed: Stack) -> None:
    with pytest.raises(PolicyViolated, match="value of a") as violated:
        policed.up(GOOD)
    assert [(each.policy, each.level, each.urn.rpartition("::")[2]) for each in violated.value.violations] == [
        ("two-at-most", "mandatory", "b")]
    assert [resource["urn"].rpartition("::")[2] for resource in policed.resources()][-2:] == ["a", "b"]


def test_a_policy_that_is_configured_to_advise_ends_nothing(policed: Stack, tmp_path: Path) -> None:
    with_pack(policed, tmp_path / "pack", PACK, **{"no-bad": "advisory", "two-at-most": "disabled"})
    result = policed.up(BAD)
    assert [(each.pack, each.policy, each.level) for each in result.violations] == [("demo", "no-bad", "advisory")] * 2
    assert len(policed.world.log) == 2


def test_a_pack_that_fails_is_told_with_its_own_words(stack: Stack, tmp_path: Path) -> None:
    with_pack(stack, tmp_path / "pack", "raise SystemExit('no waivers.yaml here')")
    with pytest.raises(PackFailed, match=r"did not start:\nno waivers\.yaml here"):
        stack.preview("")


@pytest.mark.parametrize(("text", "config", "message"), [
    ("runtime: nodejs\n", {}, "runtime is `nodejs`; only `python` can be rehearsed"),
    ("runtime: {name: python, options: {virtualenv: venv}}\n", {}, "`venv`, which is no virtual environment"),
    ("runtime: python\n", {"no-god": "advisory"}, "policies that it does not have: no-god"),
    ("runtime: python\n", {"no-bad": "strict"}, "enforcementLevel is 'strict'; one of advisory"),
])
def test_a_pack_or_its_configuration_that_cannot_be_used_is_refused(
        policed: Stack, tmp_path: Path, text: str, config: dict[str, str], message: str) -> None:
    (tmp_path / "pack" / "PulumiPolicy.yaml").write_text(text)
    policed.options["packs"] = Packs([tmp_path / "pack"], config)
    with pytest.raises(PackUnusable, match=message):
        policed.preview("")
