"""What a change does to each resource, from two graphs."""

from __future__ import annotations

import pytest

from operations.preview.compare import compare
from operations.preview.model import Graph, Operation
from operations.preview.values import UNKNOWN, Marked
from tests.unit.preview.graphs import Rules, changes, resource, urn

pytestmark = pytest.mark.unit


def test_equal_graphs_have_no_changes() -> None:
    graph = Graph((resource("a", inputs={"size": 1, "key": UNKNOWN}), resource("b")))
    assert compare(graph, graph, Rules()) == ((), 2)


def test_each_resource_is_made_changed_replaced_or_deleted() -> None:
    before = [resource("kept", inputs={"size": 1}), resource("moved", inputs={"zone": "a"}), resource("gone")]
    after = [resource("kept", inputs={"size": 2}), resource("moved", inputs={"zone": "b"}), resource("new")]
    found = changes(before, after, "zone")
    assert [(each.name, each.operation) for each in found] == [
        ("moved", Operation.REPLACE), ("gone", Operation.DELETE), ("kept", Operation.UPDATE),
        ("new", Operation.CREATE)]
    assert found[0].causes == ("zone",)


def test_what_depends_on_a_replaced_resource_follows_it() -> None:
    """A subnet that is replaced gives the database another subnet, which forces that one's replacement too."""
    def graph(zone: str) -> list:  # type: ignore[type-arg]
        return [resource("subnet", inputs={"zone": zone}),
                resource("database", inputs={"subnet": UNKNOWN}, references={"subnet": [urn("subnet")]}),
                resource("record", inputs={"value": UNKNOWN}, references={"value": [urn("database")]})]

    found = {each.name: each for each in changes(graph("a"), graph("b"), "zone", "subnet")}
    assert found["database"].operation is Operation.REPLACE
    assert found["database"].properties[0].why == "follows the replacement of subnet"
    assert found["record"].operation is Operation.UPDATE


def test_a_made_up_arn_of_a_replaced_resource_counts_as_another_one() -> None:
    def graph(spec: str) -> list:  # type: ignore[type-arg]
        return [resource("key", inputs={"spec": spec}, names=["arn:key"]),
                resource("database", inputs={"kms": "arn:key", "size": 1},
                         references={"kms": [urn("key")], "size": [urn("key")]})]

    found = {each.name: each for each in changes(graph("a"), graph("b"), "spec", "kms")}
    assert found["database"].causes == ("kms",)
    assert [each.path for each in found["database"].properties] == ["kms"]


def test_an_unknown_value_from_another_resource_is_a_change() -> None:
    before = [resource("a"), resource("b"), resource("user", inputs={"key": UNKNOWN}, references={"key": [urn("a")]})]
    after = [resource("a"), resource("b"), resource("user", inputs={"key": UNKNOWN}, references={"key": [urn("b")]})]
    [change] = changes(before, after)
    assert [(each.before, each.after) for each in change.properties] == [("[from a]", "[from b]")]


def test_ignored_properties_change_nothing() -> None:
    assert changes([resource("a", inputs={"image": "1", "size": {"x": 1}}, ignored=["image", "size"])],
                   [resource("a", inputs={"image": "2", "size": {"x": 2}}, ignored=["image", "size"])]) == ()


def test_replace_on_changes_forces_a_replacement() -> None:
    [change] = changes([resource("a", inputs={"tag": "1"})], [resource("a", inputs={"tag": "2"}, replacing=["tag"])])
    assert change.operation is Operation.REPLACE


def test_a_renamed_resource_is_found_by_its_alias_and_its_children_below_it() -> None:
    before = [resource("old", "candlefish:x:X", custom=False),
              resource("old-vpc", parent=urn("old", "candlefish:x:X"), inputs={"cidr": "a"})]
    new = resource("new", "candlefish:x:X", custom=False, aliases=[urn("old", "candlefish:x:X")])
    assert changes(before, [new, resource("new-vpc", parent=new.urn, inputs={"cidr": "a"})]) == ()


def test_secrets_are_compared_and_never_told() -> None:
    [change] = changes([resource("a", inputs={"password": Marked("secret", "ab")})],
                       [resource("a", inputs={"password": Marked("secret", "cd")})])
    assert str(change.properties[0].before) == str(change.properties[0].after) == "[secret]"
    assert changes([resource("a", inputs={"password": Marked("secret", "ab")})],
                   [resource("a", inputs={"password": Marked("secret", "ab")})]) == ()


def test_the_stack_and_default_providers_are_not_counted() -> None:
    stack = resource("candlefish-staging", "pulumi:pulumi:Stack")
    default = resource("default_7_1_0", "pulumi:providers:aws")
    assert compare(Graph(()), Graph((stack, default)), Rules()) == ((), 0)


def test_deletions_tell_what_is_protected() -> None:
    [change] = changes([resource("a", protect=True, retained=True)], [])
    assert change.protected
    assert change.retained


def test_what_follows_a_replacement_is_told_by_its_own_place() -> None:
    """Subnets in an annotation follow a new network; the name beside them, which would force a replacement, stays."""
    def graph(zone: str) -> list:  # type: ignore[type-arg]
        return [resource("subnet", inputs={"zone": zone}),
                resource("door", inputs={"metadata": {"name": "door", "annotations": {"a/subnets": UNKNOWN}}},
                         references={"metadata": [urn("subnet")]})]

    found = {each.name: each for each in changes(graph("a"), graph("b"), "zone", "metadata", "metadata.name")}
    assert found["door"].operation is Operation.UPDATE
    assert [each.path for each in found["door"].properties] == ['metadata.annotations["a/subnets"]']
