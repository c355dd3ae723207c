"""Differences of values: without noise, and nothing lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.preview.documents import differences
from operations.preview.values import UNKNOWN

pytestmark = pytest.mark.unit
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(
    inner, max_size=4) | st.dictionaries(st.text("abname", min_size=1, max_size=4), inner, max_size=4), max_leaves=12)


def found(before: Any, after: Any, *sets: str) -> list[tuple[str, Any, Any]]:
    return list(differences(before, after, unordered=sets))


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def test_policies_differ_by_what_they_mean() -> None:
    assert found({"p": policy(Action="s3:Get", Resource=["b", "a"])},
                 {"p": policy(Resource=["a", "b"], Action=["s3:Get"])}) == []
    assert found({"p": policy(Action="s3:Get")}, {"p": policy(Action="s3:Put")}) == [
        ("p.Statement[0].Action", "s3:Get", "s3:Put")]


def test_the_order_within_another_document_is_kept() -> None:
    assert found({"p": '["a", "b"]'}, {"p": '["b","a"]'}) == [("p", ["a", "b"], ["b", "a"])]
    assert found({"p": '{"a": 1, "b": 2}'}, {"p": '{"b":2,"a":1}'}) == []


def test_an_item_that_comes_in_the_middle_changes_no_other() -> None:
    one, two, three = {"port": 1}, {"port": 2}, {"port": 3}
    assert found({"l": [one, three]}, {"l": [one, two, three]}) == [("l[1]", None, two)]


def test_items_with_a_name_are_known_by_it() -> None:
    before = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    after = [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]
    assert found({"env": before}, {"env": after}) == [
        ('env["A"]', before[0], None), ('env["B"].value', "2", "3"), ('env["C"]', None, after[1])]


def test_another_order_of_named_items_is_a_difference_unless_it_is_a_set() -> None:
    items = [{"name": "A"}, {"name": "B"}]
    assert found({"l": items}, {"l": items[::-1]}) == [("l", ["A", "B"], ["B", "A"])]
    assert found({"l": items}, {"l": items[::-1]}, "l") == []


def test_unknown_is_equal_to_unknown_and_to_nothing_else() -> None:
    assert found({"a": UNKNOWN}, {"a": UNKNOWN}) == []
    assert found({"a": UNKNOWN}, {"a": "x"}) == [("a", UNKNOWN, "x")]


def test_truth_is_no_number() -> None:
    assert found({"a": True}, {"a": 1}) == [("a", True, 1)]


@given(VALUES)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert found({"v": value}, {"v": value}) == []


@given(VALUES, VALUES)
def test_values_that_differ_are_told_in_both_directions(one: Any, other: Any) -> None:
    """Null and nothing are the same to Pulumi, so both are dropped before the values are asked for equality."""
    forth, back = found({"v": one}, {"v": other}), found({"v": other}, {"v": one})
    assert bool(forth) == bool(back)
    if not forth:
        assert bare(one) == bare(other)


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if item is not None and not key.startswith("__")}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return (type(value), value)
