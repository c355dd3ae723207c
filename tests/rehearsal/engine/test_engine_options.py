"""Resource options as the engine, not the SDK, has to honour them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.engine.errors import StepFailed
from rehearsal.engine.results import Operation
from tests.rehearsal.engine.engine_harness import Stack, operations

pytestmark = pytest.mark.rehearsal


def test_ignored_changes_keep_what_the_state_has_also_below_lists_and_quoted_keys(stack: Stack) -> None:
    program = """
        Thing("a", Options(ignore_changes=['tags["a.b"]', "items[0].size", "count"]),
              tags={"a.b": 1, "c": 1}, items=[{"size": 1, "kind": "x"}], count=1)
    """
    stack.up(program)
    changed = program.replace("1", "2").replace("items[0]", "items[0]")
    assert operations(stack.preview(changed))["a"] == Operation.UPDATE
    stack.up()
    assert stack.resource("a")["inputs"] == {
        "tags": {"a.b": 1, "c": 2}, "items": [{"size": 1, "kind": "x"}], "count": 1}


def test_ignoring_everything_is_nothing_to_do(stack: Stack) -> None:
    program = 'Thing("a", Options(ignore_changes=["*"]), value=1)'
    stack.up(program)
    assert not stack.up(program.replace("value=1", "value=2, other=3")).changed


def test_a_retained_resource_leaves_the_state_but_stays(stack: Stack) -> None:
    stack.up('Thing("a", Options(retain_on_delete=True))')
    stack.calls()
    stack.engine().destroy()
    assert stack.calls() == []
    assert list(stack.world.objects) == ["a-1"]
    assert stack.resources() == []


def test_what_is_deleted_with_another_is_not_deleted_itself(stack: Stack) -> None:
    stack.up('a = Thing("a")\nb = Thing("b", Options(deleted_with=a), value=a.generated)')
    stack.calls()
    stack.engine().destroy()
    assert stack.calls() == [("delete", "a")]


def test_a_new_name_with_an_alias_is_the_same_resource(stack: Stack) -> None:
    stack.up('old = Thing("old", value=1)\nuser = Thing("user", Options(depends_on=[old]))')
    result = stack.up("""
        new = Thing("new", Options(aliases=[pulumi.Alias(name="old")]), value=1)
        user = Thing("user", Options(depends_on=[new]))
    """)
    assert not result.changed
    assert stack.resource("user")["dependencies"] == [stack.resource("new")["urn"]]
    assert not stack.up().changed


def test_a_renamed_parent_takes_its_children_along(stack: Stack) -> None:
    stack.up('box = Box("old")\nThing("old-child", Options(parent=box))\nThing("other", Options(parent=box))')
    result = stack.up("""
        box = Box("new", Options(aliases=[pulumi.Alias(name="old")]))
        Thing("new-child", Options(parent=box))
        Thing("other", Options(parent=box))
    """)
    assert not result.changed
    assert stack.resource("new-child")["parent"] == stack.resource("new")["urn"]


def test_moving_into_a_component_and_changing_the_type_are_aliases_too(stack: Stack) -> None:
    stack.up('Thing("a", value=1)\nclass Other(Thing): token = "fake:index:Other"\nOther("b", value=2)')
    result = stack.up("""
        box = Box("box")
        Thing("a", Options(parent=box, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]), value=1)
        Thing("b", Options(aliases=[pulumi.Alias(type_="fake:index:Other")]), value=2)
    """)
    assert operations(result) == {"box": Operation.CREATE, "a": Operation.SAME, "b": Operation.SAME}
    urn = "urn:pulumi:dev::demo::test:index:Box$fake:index:Thing::a"
    assert stack.resource("a")["urn"] == urn
    again = stack.up(f'Thing("c", Options(aliases=["{urn}"]), value=1)')
    assert operations(again)["c"] == Operation.SAME


def test_explicit_providers_serve_with_their_configuration(stack: Stack) -> None:
    stack.config = {"fake:region": "home"}
    result = stack.up("""
        away = Fake("away", region="away", flags=pulumi.Output.json_dumps({"a": [1]}))
        box = Box("box", Options(providers=[away]))
        Thing("a", Options(parent=box))
        Thing("b")
        def region(opts=None): return pulumi.runtime.invoke("fake:index:get", {}, opts).value["region"]
        pulumi.export("regions", [region(), region(pulumi.InvokeOptions(parent=box))])
    """)
    away = stack.resource("away")
    assert stack.resource("a")["provider"] == f"{away['urn']}::{away['id']}"
    assert stack.resource("b")["provider"].startswith("urn:pulumi:dev::demo::pulumi:providers:fake::default::")
    assert result.outputs["regions"][0] == "home"


def test_another_provider_replaces_the_resource(stack: Stack) -> None:
    program = 'one = Fake("one")\ntwo = Fake("two")\nThing("a", Options(provider=one))'
    stack.up(program)
    result = stack.preview(program.replace("provider=one", "provider=two"))
    assert next(step for step in result.steps if step.name == "a").causes == ("provider",)


def test_a_changed_provider_is_updated_in_place(stack: Stack) -> None:
    program = 'one = Fake("one", region="a")\nThing("a", Options(provider=one))'
    stack.up(program)
    assert operations(stack.up(program.replace('"a")\n', '"b")\n'))) == {"one": Operation.UPDATE, "a": Operation.SAME}


def test_an_unknown_package_is_a_clear_error(stack: Stack) -> None:
    with pytest.raises(StepFailed, match="no provider serves the package `other`"):
        stack.up('pulumi.CustomResource("other:index:Thing", "a", {})')


def test_replacement_trigger_and_replace_with(stack: Stack) -> None:
    program = """
        a = Thing("a", Options(replacement_trigger="one"))
        b = Thing("b", Options(replace_with=[a], depends_on=[a]))
    """
    stack.up(program)
    result = stack.up(program.replace("one", "two"))
    assert operations(result) == {"a": Operation.REPLACE, "b": Operation.REPLACE}


def test_custom_timeouts_reach_the_provider_in_seconds(stack: Stack) -> None:
    seen: list[float | None] = []
    stack.provider.before = lambda call, context: seen.append(context.timeout_seconds)
    stack.up('Thing("a", Options(custom_timeouts=pulumi.CustomTimeouts(create="1h30m")))')
    assert seen == [5400.0]
    assert stack.resource("a")["customTimeouts"] == {"create": 5400.0}


def test_hidden_diffs_are_left_out_of_the_step(stack: Stack) -> None:
    program = 'Thing("a", Options(hide_diffs=["value"]), value=1)'
    stack.up(program)
    result = stack.preview(program.replace("value=1", "value=2"))
    assert [(step.operation, step.diff) for step in result.steps if step.name == "a"] == [(Operation.UPDATE, ())]


def test_assets_are_compared_by_content(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("one")
    program = """
        Thing("file", source=pulumi.FileAsset("site/index.html"))
        Thing("folder", source=pulumi.FileArchive("site"))
        Thing("text", source=pulumi.AssetArchive({"a.txt": pulumi.StringAsset("hello")}))
    """
    stack.up(program)
    assert stack.resource("file")["inputs"]["source"]["path"] == "site/index.html"
    assert not stack.up().changed
    (tmp_path / "site" / "index.html").write_text("two!")
    assert operations(stack.preview()) == {"file": Operation.UPDATE, "folder": Operation.UPDATE,
                                           "text": Operation.SAME}


def test_a_missing_asset_is_told_with_its_path(stack: Stack) -> None:
    with pytest.raises(StepFailed, match=r"nowhere\.txt"):
        stack.up('Thing("file", source=pulumi.FileAsset("nowhere.txt"))')
