"""Paths, aliases, orders, durations, configuration: arithmetic without a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.engine import paths, urns
from rehearsal.engine.aliases import Alias, candidates
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.diffing import judge, same
from rehearsal.engine.errors import ConfigInvalid
from rehearsal.engine.order import deletion_blockers, ordered
from rehearsal.engine.provider import Change, Diff, PropertyDiff
from rehearsal.engine.providers import config_of, default_name
from rehearsal.engine.registration import Goal, seconds_of
from rehearsal.engine.state import State
from rehearsal.engine.values import UNKNOWN, Secret

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("text", "keys"), [
    ("a.b", ("a", "b")), ("a[0].b", ("a", 0, "b")), ('tags["a.b"]', ("tags", "a.b")), ("[3][\"x\"]", (3, "x")),
    ('["a\\"b"].c', ('a"b', "c")), ("a-b.c_d", ("a-b", "c_d")), ("", ())])
def test_paths_are_read_as_pulumi_writes_them(text: str, keys: paths.Path) -> None:
    assert paths.parse(text) == keys


def test_wildcards_are_read_in_both_spellings() -> None:
    assert paths.parse("a[*].b")[1] is paths.ANY
    assert paths.parse("*") == (paths.ANY,)


@given(st.lists(st.integers(0, 99) | st.text(min_size=1, max_size=5).filter(lambda key: key != "*"), max_size=4))
def test_what_is_rendered_is_read_back(keys: list[str | int]) -> None:
    assert paths.parse(paths.render(keys)) == tuple(keys)


@pytest.mark.parametrize("text", ["a[", "a]", 'a["b'])
def test_a_broken_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a property path"):
        paths.parse(text)


@pytest.mark.parametrize(("pattern", "path", "covered"), [
    ("a", "a.b", True), ("a.b", "a", True), ("a[*].c", "a[3].c", True), ("a[0]", "a[1]", False), ("*", "x", True),
    ("b", "a", False)])
def test_a_pattern_covers_what_is_at_it_below_it_or_above_it(pattern: str, path: str, covered: bool) -> None:
    assert paths.covers(pattern, path) is covered


@pytest.mark.parametrize(("ignored", "old", "new", "expected"), [
    (["a"], {"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}),
    (["a"], {}, {"a": 2}, {}),
    (["a"], {"a": 1}, {}, {"a": 1}),
    (["l[0].x"], {"l": [{"x": 1}]}, {"l": [{"x": 2, "y": 3}]}, {"l": [{"x": 1, "y": 3}]}),
    (["l[*].x"], {"l": [{"x": 1}, {"x": 1}]}, {"l": [{"x": 2}, {"x": 3}]}, {"l": [{"x": 1}, {"x": 1}]}),
    (["l[1]"], {"l": [1]}, {"l": [5, 6]}, {"l": [5, 6]}),
    (['t["a.b"]'], {"t": {"a.b": 1}}, {"t": {"a.b": 2}}, {"t": {"a.b": 1}}),
    (["s.x"], {"s": Secret({"x": 1})}, {"s": Secret({"x": 2})}, {"s": Secret({"x": 1})}),
    (["a.b"], {"a": {"b": 1}}, {"c": 1}, {"c": 1, "a": {"b": 1}}),
    (["*"], {"a": 1}, {"a": 2, "b": 3}, {"a": 1}),
])
def test_ignored_paths_take_the_old_value(ignored: list[str], old: Any, new: Any, expected: Any) -> None:
    assert paths.ignore_changes(old, new, ignored) == expected


@given(st.dictionaries(st.sampled_from("abc"), st.integers()), st.dictionaries(st.sampled_from("abc"), st.integers()))
def test_ignoring_all_keys_gives_the_old_properties(old: dict[str, int], new: dict[str, int]) -> None:
    assert paths.ignore_changes(old, new, ["*"]) == old


def test_urns_carry_the_types_of_their_parents_except_the_stack() -> None:
    stack = urns.make("dev", "p", "", urns.STACK_TYPE, "p-dev")
    box = urns.make("dev", "p", stack, "m:i:Box", "box")
    inner = urns.make("dev", "p", box, "aws:s3/bucket:Bucket", "a::b")
    assert inner == "urn:pulumi:dev::p::m:i:Box$aws:s3/bucket:Bucket::a::b"
    assert (urns.type_of(inner), urns.name_of(inner)) == ("aws:s3/bucket:Bucket", "a::b")
    assert urns.package_of("pulumi:providers:aws") == "aws"
    assert urns.is_default_provider(urns.make("dev", "p", "", "pulumi:providers:aws", default_name("7.51.1")))


PARENT = "urn:pulumi:dev::p::m:i:Box::new"


@pytest.mark.parametrize(("alias", "expected"), [
    (Alias(urn="urn:pulumi:x::y::z::w"), "urn:pulumi:x::y::z::w"),
    (Alias(name="old"), "urn:pulumi:dev::p::m:i:Box$t:t:T::old"),
    (Alias(type="t:t:Old"), "urn:pulumi:dev::p::m:i:Box$t:t:Old::child"),
    (Alias(parent=""), "urn:pulumi:dev::p::t:t:T::child"),
    (Alias(parent="urn:pulumi:dev::p::m:i:Other::o"), "urn:pulumi:dev::p::m:i:Other$t:t:T::child"),
    (Alias(stack="s", project="q"), "urn:pulumi:s::q::m:i:Box$t:t:T::child")])
def test_an_alias_names_what_differs(alias: Alias, expected: str) -> None:
    assert candidates("dev", "p", PARENT, "t:t:T", "child", [alias], {}) == [expected]


def test_a_parents_alias_is_inherited_with_the_prefix_of_its_name() -> None:
    moved = {PARENT: "urn:pulumi:dev::p::m:i:Old::old"}
    assert candidates("dev", "p", PARENT, "t:t:T", "new-child", [], moved) \
        == ["urn:pulumi:dev::p::m:i:Old$t:t:T::old-child"]
    assert candidates("dev", "p", PARENT, "t:t:T", "x", [Alias(name="y")], moved)[-1] \
        == "urn:pulumi:dev::p::m:i:Old$t:t:T::y"


def made(name: str, *, parent: str = "", needs: tuple[str, ...] = (), custom: bool = True) -> State:
    return State(urn(name), "t:t:T", custom, id=name, parent=urn(parent) if parent else "",
                 dependencies=[urn(item) for item in needs])


def urn(name: str) -> str:
    return f"urn:pulumi:s::p::t:t:T::{name}"


@given(st.permutations(range(12)))
def test_the_order_does_not_depend_on_who_finished_first(permutation: list[int]) -> None:
    states = [made(f"n{i:02}", needs=tuple(f"n{j:02}" for j in range(i) if (i * j) % 5 == 1)) for i in range(12)]
    result = [state.urn for state in ordered([states[i] for i in permutation])]
    assert result == [state.urn for state in ordered(states)]
    for state in states:
        assert all(result.index(found) < result.index(state.urn) for found in state.references())


def test_whoever_depends_on_a_component_blocks_its_children() -> None:
    states = [made("box", custom=False), made("child", parent="box"), made("user", needs=("box",)),
              made("sibling", parent="box", needs=("box",))]
    blockers = deletion_blockers(states)
    assert blockers[1] == {2}
    assert blockers[0] == {1, 2, 3}


@pytest.mark.parametrize(("text", "seconds"), [
    ("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("15", 15), ("250ms", 0.25)])
def test_durations_are_go_s(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_a_bad_duration_is_refused_with_an_example() -> None:
    with pytest.raises(ValueError, match="write `90s`"):
        seconds_of("soon")


def test_provider_inputs_are_json_again_but_numbers_in_text_stay_text() -> None:
    config = config_of({"region": "us-east-1", "tags": '{"a":[1]}', "skip": "true", "account": "012345678901",
                        "token": Secret("t"), "version": "7.0.0"})
    assert config == {"region": "us-east-1", "tags": {"a": [1]}, "skip": True, "account": "012345678901", "token": "t"}


def judged(goal: Goal, diff: Diff, **old: Any) -> tuple[tuple[str, ...], bool]:
    state = State(urn("a"), "t:t:T", True, id="1", provider="urn:pulumi:s::p::pulumi:providers:t::default::1", **old)
    verdict = judge(goal, state, goal.inputs, diff, "urn:pulumi:s::p::pulumi:providers:t::default_2::2", {urn("b")})
    return verdict.causes, verdict.changed


GOAL: dict[str, Any] = {"type": "t:t:T", "name": "a", "custom": True, "inputs": {"x": 2}}


def test_another_default_provider_is_the_same_provider() -> None:
    assert judged(Goal(**GOAL), Diff()) == ((), False)


def test_reasons_for_a_replacement_are_told() -> None:
    changed = Diff((PropertyDiff("x", Change.UPDATE), PropertyDiff("y", Change.ADD, replaces=True)))
    assert judged(Goal(**GOAL), changed)[0] == ("y",)
    assert judged(Goal(**GOAL, replace_on_changes=("x",)), changed)[0] == ("y", "x")
    assert judged(Goal(**GOAL, replace_with=(urn("b"),)), Diff())[0] == ("replaceWith",)
    assert judged(Goal(**GOAL, replacement_trigger=2), Diff(), replacement_trigger=1)[0] == ("replacementTrigger",)
    assert judged(Goal(**GOAL), Diff(), init_errors=["bad"]) == ((), True)


def test_an_unknown_equals_nothing() -> None:
    assert not same({"a": UNKNOWN}, {"a": UNKNOWN})
    assert same({"a": [Secret(1)]}, {"a": [1]})


def test_configuration_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"Pulumi\.yaml"):
        Project.load(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: nodejs\n")
    with pytest.raises(ConfigInvalid, match="only `python`"):
        Project.load(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: {name: python}\nconfig: {a: 1, aws:region: x}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {demo:b: {secure: v1:a:b}}\n")
    with pytest.raises(ConfigInvalid, match="no `encryptionsalt`"):
        StackConfig.load(tmp_path, "dev", "pass")
    assert StackConfig.load(tmp_path, "other", "pass").values == {"demo:a": "1", "aws:region": "x"}
