"""The comment on a pull request: what stands where, what is never in it, and that it fits."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.preview.fitting import Block, fit
from operations.preview.markdown import LIMIT, comment
from operations.preview.model import (
    Change,
    Cost,
    Finding,
    Graph,
    Level,
    Operation,
    Preview,
    PropertyChange,
    StackPreview,
)
from operations.preview.values import Marked
from tests.unit.preview.graphs import INSTANCE, STACK, preview_of, resource, urn

pytestmark = pytest.mark.unit
REPLACED = Change(urn("database"), INSTANCE, "database", Operation.REPLACE, (
    PropertyChange("identifier", "a", "b", replaces=True), PropertyChange("size", 1, 2)), ("identifier",), True)


def updated(name: str, before: object = 1, after: object = 2) -> Change:
    return Change(urn(name), "aws:sqs/queue:Queue", name, Operation.UPDATE, (PropertyChange("size", before, after),))


def test_changed_stacks_stand_first() -> None:
    text = comment(Preview("main", (preview_of("development", same=3), preview_of("staging", updated("a")))))
    assert text.index("| **staging** |") < text.index("| development |")


def test_destructive_steps_say_which_property_forces_them_and_what_is_lost() -> None:
    text = comment(Preview("main", (preview_of("staging", updated("a"), REPLACED),)))
    assert "| staging | replace | `database` | `aws:rds/instance:Instance` | `identifier` **protected: `up` " \
           "refuses it** | the database: all rows since the last final snapshot |" in text
    assert text.index("Destroyed or replaced: 1") < text.index("### Changes")
    assert "! identifier forces the replacement\n- identifier: a\n+ identifier: b\n" in text


def test_one_change_of_several_stacks_stands_once() -> None:
    """Though the stacks' names are in the values."""
    stacks = [preview_of(name, updated("a", f"{name}-1", f"{name}-2")) for name in ("staging", "production")]
    text = comment(Preview("main", tuple(stacks)))
    assert text.count("<summary>~ update") == 1
    assert "in staging, production</summary>" in text
    assert "+ size: {stack}-2" in text


def test_violated_policies_say_how_to_mend_them_and_whether_they_are_new() -> None:
    findings = (Finding("CKV_AWS_16", Level.VIOLATED, urn("database"), "encrypted at rest: set storage_encrypted=True"),
                Finding("CKV_AWS_17", Level.VIOLATED, urn("database"), "private", known=True))
    text = comment(Preview("main", (preview_of("staging", policies=findings),)))
    assert "❌ 2 violated" in text
    assert "- CKV_AWS_16 `database` (staging) **new**: encrypted at rest: set storage_encrypted=True" in text
    assert "- CKV_AWS_17 `database` (staging): private" in text


def test_costs_show_the_difference_and_what_is_not_priced() -> None:
    cost = Cost(100.0, 130.5, {"database": (50.0, 80.5), "cache": (50.0, 50.0)}, ("serverless: minutes",))
    text = comment(Preview("main", (preview_of("staging", updated("a"), cost=cost),)))
    assert "$130 (**+$30.50**)" in text or "$131 (**+$30.50**)" in text
    assert "| staging | database | 50.00 | 80.50 | +30.50 |" in text
    assert "cache" not in text
    assert "Not priced: serverless: minutes." in text


def test_the_topology_is_coloured_by_what_happens() -> None:
    parts = [resource(name, f"candlefish:{name}:X", parent=STACK, custom=False) for name in ("network", "database")]
    inner = [resource("vpc", "aws:ec2/vpc:Vpc", parent=parts[0].urn),
             resource("database", INSTANCE, parent=parts[1].urn, references={"vpc": [urn("vpc", "aws:ec2/vpc:Vpc")]})]
    graph = Graph((resource("candlefish-staging", "pulumi:pulumi:Stack"), *parts, *inner))
    text = comment(Preview("main", (preview_of("staging", REPLACED, graph=graph),)))
    assert 'n1["database"]:::replace' in text
    assert 'n0["network"]:::same' in text
    assert "n1 --> n0" in text


def test_secrets_are_masked_and_their_change_is_told() -> None:
    text = comment(Preview("main", (preview_of("staging", updated(
        "a", Marked("secret", "digest-one"), Marked("secret", "digest-two"))),)))
    assert "+ size: [secret], another one" in text
    assert "digest" not in text


def test_a_fence_is_longer_than_any_in_the_values() -> None:
    text = comment(Preview("main", (preview_of("staging", updated("a", "x", "y\n````\nz")),)))
    assert "`````diff" in text


def large() -> Preview:
    draw = random.Random(0)
    made = [Change(urn(f"r{number}"), "aws:sqs/queue:Queue", f"r{number}", draw.choice(
        [Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.REPLACE]), (
            PropertyChange("policy", "\n".join(map(str, range(60))), "\n".join(map(str, range(30, 99)))),))
        for number in range(800)]
    return Preview("main", (preview_of("staging", *made, REPLACED),))


def test_a_large_comment_fits_and_keeps_what_matters_most() -> None:
    text = comment(large())
    assert len(text) <= LIMIT
    assert "| staging | replace | `database` |" in text
    assert re.search(r"Shortened to fit a comment: .*create diffs", text)


def test_the_same_preview_gives_the_same_bytes() -> None:
    assert comment(large()) == comment(large())


def test_a_stack_without_changes_says_so() -> None:
    assert "Nothing changes." in comment(Preview("main", (StackPreview("staging", (), 5),)))


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=40), st.lists(st.text(max_size=10), max_size=2))),
       st.integers(0, 60))
def test_whatever_the_blocks_the_limit_is_kept(parts: list[tuple[int, str, list[str]]], limit: int) -> None:
    blocks = [Block(importance, text, "things", tuple(sorted((each for each in shorter if len(each) <= len(text)),
                                                            key=len, reverse=True)))
              for importance, text, shorter in parts]
    text, cut = fit(blocks, limit)
    assert len(text) <= limit
    if sum(len(block.text) for block in blocks) <= limit:
        assert not cut
