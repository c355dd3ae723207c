"""Create, update, replace, delete, same: in a preview, in the state, and in the provider's calls."""

from __future__ import annotations

import pytest

from rehearsal.engine.errors import Protected, StepFailed
from rehearsal.engine.results import Operation
from rehearsal.engine.values import UNKNOWN
from tests.rehearsal.engine.engine_harness import Stack, operations

pytestmark = pytest.mark.rehearsal

PAIR = """
a = Thing("a", value=1)
b = Thing("b", value=a.generated)
pulumi.export("last", b.generated)
"""


def test_a_preview_shows_unknowns_and_touches_nothing(stack: Stack) -> None:
    result = stack.preview(PAIR)
    assert result.changes == {"create": 3, "update": 0, "replace": 0, "delete": 0, "same": 0}
    assert result.outputs == {"last": UNKNOWN}
    assert stack.calls() == []
    assert not stack.state.exists()


def test_up_creates_in_order_of_dependencies_and_the_next_up_changes_nothing(stack: Stack) -> None:
    assert stack.up(PAIR).outputs == {"last": "generated-b-2"}
    assert stack.calls() == [("create", "a"), ("create", "b")]
    assert stack.resource("b")["dependencies"] == [stack.resource("a")["urn"]]
    assert stack.resource("b")["propertyDependencies"] == {"value": [stack.resource("a")["urn"]]}
    before, stack.world.calls = stack.state.read_bytes(), {}
    again = stack.up()
    assert again.changes == {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": 3}
    assert not again.changed
    assert set(stack.world.calls) == {"check", "diff"}
    assert stack.state.read_bytes() == before


def test_a_changed_input_is_an_update_with_its_path(stack: Stack) -> None:
    stack.up(PAIR)
    stack.calls()
    preview = stack.preview(PAIR.replace("value=1", "value=2"))
    assert operations(preview) == {"a": Operation.UPDATE, "b": Operation.SAME}
    step = next(step for step in preview.steps if step.name == "a")
    assert [(change.path, change.before, change.after) for change in step.diff] == [("value", 1, 2)]
    assert stack.up().changes["update"] == 1
    assert stack.calls() == [("update", "a")]
    assert stack.resource("a")["inputs"] == {"value": 2}


def test_a_replacement_is_created_first_and_the_old_one_deleted_at_the_end(stack: Stack) -> None:
    program = """
        a = Thing("a", keyImmutable=1)
        b = Thing("b", value=a.generated)
    """
    stack.up(program)
    stack.calls()
    preview = stack.preview(program.replace("=1", "=2"))
    assert operations(preview) == {"a": Operation.REPLACE, "b": Operation.UPDATE}
    assert next(step for step in preview.steps if step.name == "a").causes == ("keyImmutable",)
    result = stack.up()
    assert result.changes == {"create": 0, "update": 1, "replace": 1, "delete": 0, "same": 1}
    assert stack.calls() == [("create", "a"), ("update", "b"), ("delete", "a")]
    assert list(stack.world.objects) == ["b-2", "a-3"]


def test_a_replacement_draws_a_new_name_so_that_both_can_exist(stack: Stack) -> None:
    program = 'a = Named("a", Options(replace_on_changes=["value"]), value=1)'
    stack.up(program)
    name = stack.resource("a")["inputs"]["name"]
    assert stack.up(program.replace("value=1", "value=2")).changes["replace"] == 1
    assert stack.resource("a")["inputs"]["name"] != name
    assert len(stack.world.objects) == 1


def test_a_replacement_that_would_be_deleted_with_the_old_one_is_an_error_and_survives(stack: Stack) -> None:
    program = 'a = Thing("a", of="vault", keyImmutable=1)'
    stack.up(program)
    with pytest.raises(StepFailed, match=r"same id, vault-0.*delete_before_replace"):
        stack.up(program.replace("=1", "=2"))
    assert stack.world.objects["vault-0"]["inputs"]["keyImmutable"] == 2
    assert stack.up().changes == {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": 2}
    stack.calls()
    stack.up('a = Thing("a", Options(delete_before_replace=True), of="vault", keyImmutable=3)')
    assert stack.calls() == [("delete", "a"), ("create", "a")]


def test_delete_before_replace_takes_the_dependents_that_must_go_with_it(stack: Stack) -> None:
    program = """
        a = Thing("a", Options(delete_before_replace=True), keyImmutable=1)
        b = Thing("b", fromImmutable=a.generated)
        c = Thing("c", value=b.generated)
        d = Thing("d", value=1)
    """
    stack.up(program)
    stack.calls()
    result = stack.up(program.replace("keyImmutable=1", "keyImmutable=2"))
    assert stack.calls() == [("delete", "b"), ("delete", "a"), ("create", "a"), ("create", "b"), ("update", "c")]
    assert operations(result) == {"a": Operation.REPLACE, "b": Operation.REPLACE, "c": Operation.UPDATE,
                                  "d": Operation.SAME}
    assert not any(item.get("pendingReplacement") for item in stack.resources())


def test_what_the_program_no_longer_says_is_deleted_dependents_first(stack: Stack) -> None:
    stack.up('a = Thing("a")\nb = Thing("b", value=a.generated)\nc = Thing("c", value=b.generated)\nd = Thing("d")')
    stack.calls()
    preview = stack.preview('d = Thing("d")')
    assert preview.changes["delete"] == 3
    assert [step.name for step in preview.steps if step.operation is Operation.DELETE] == ["c", "b", "a"]
    stack.up()
    assert stack.calls() == [("delete", "c"), ("delete", "b"), ("delete", "a")]


def test_destroy_leaves_nothing_and_goes_backwards(stack: Stack) -> None:
    stack.up(PAIR + 'box = Box("box")\nThing("inside", Options(parent=box, depends_on=[b]))')
    stack.calls()
    result = stack.engine().destroy()
    assert result.changes["delete"] == 5
    assert stack.calls() == [("delete", "inside"), ("delete", "b"), ("delete", "a")]
    assert stack.resources() == []
    assert stack.world.objects == {}


def test_what_depends_on_a_component_goes_before_the_components_children(stack: Stack) -> None:
    stack.up("""
        group = Group("group", value=1)
        z = Thing("z", value=group.generated)
    """)
    stack.calls()
    stack.engine().destroy()
    assert [name for _, name in stack.calls()] == ["z", "group-second", "group-first"]


def test_protected_resources_stop_a_deletion_before_it_begins(stack: Stack) -> None:
    stack.up('a = Thing("a", Options(protect=True))\nb = Thing("b")')
    stack.calls()
    with pytest.raises(Protected) as caught:
        stack.engine().destroy()
    assert [urn.rsplit("::", 1)[1] for urn in caught.value.urns] == ["a"]
    with pytest.raises(Protected):
        stack.up("pass")
    assert stack.calls() == []
    stack.up('a = Thing("a")\nb = Thing("b")')
    assert stack.engine().destroy().changes["delete"] == 3


def test_a_protected_resource_is_not_replaced(stack: Stack) -> None:
    program = 'Thing("a", Options(protect=True), keyImmutable=1)'
    stack.up(program)
    stack.calls()
    for run in (stack.preview, stack.up):
        with pytest.raises(StepFailed, match="protected and would be replaced because of keyImmutable"):
            run(program.replace("keyImmutable=1", "keyImmutable=2"))
    assert stack.calls() == []


def test_a_failed_step_names_the_resource_and_keeps_what_had_succeeded(stack: Stack) -> None:
    with pytest.raises(StepFailed) as caught:
        stack.up('a = Thing("a")\nb = Thing("b", value=a.generated, refused=True)\nc = Thing("c", value=b.generated)')
    assert [(failure.urn.rsplit("::", 1)[1], failure.reason) for failure in caught.value.failures] \
        == [("b", "creation was refused")]
    assert list(stack.world.objects) == ["a-1"]
    assert "pending_operations" not in stack.state.read_text()
    assert stack.up('a = Thing("a")\nb = Thing("b", value=a.generated)').changes["create"] == 1


@pytest.mark.parametrize("dependent", [
    'Group("d", value=b.generated)', 'Group("d", value=pulumi.Output.secret(b.generated))',
    'Box("d", None, {"value": b.generated})', 'Box("d").register_outputs({"value": b.generated})',
    'pulumi.export("value", b.generated)'])
def test_what_depends_on_a_failure_is_not_kept_with_unknown_values(stack: Stack, dependent: str) -> None:
    stack.options["continue_on_error"] = True
    with pytest.raises(StepFailed) as caught:
        stack.up(f'a = Thing("a")\nb = Thing("b", value=a.generated, refused=True)\n{dependent}')
    assert ("b", "creation was refused") in [(f.urn.rsplit("::", 1)[1], f.reason) for f in caught.value.failures]
    assert list(stack.world.objects) == ["a-1"]
    assert stack.up('a = Thing("a")').changes["same"] >= 1


def test_a_preview_finds_every_refused_input_at_once(stack: Stack) -> None:
    with pytest.raises(StepFailed) as caught:
        stack.preview('a = Thing("a", invalid=True)\nb = Thing("b", value=a.generated)\nc = Thing("c", invalid=True)')
    assert [failure.reason for failure in caught.value.failures] == ["invalid: is set", "invalid: is set"]


def test_a_resource_that_was_made_but_failed_is_updated_by_the_next_run(stack: Stack) -> None:
    with pytest.raises(StepFailed, match="not ready"):
        stack.up('a = Thing("a", halfway=True)')
    assert stack.resource("a")["initErrors"] == ["it was created but is not ready"]
    stack.calls()
    assert stack.up('a = Thing("a")').changes["update"] == 1
    assert stack.calls() == [("update", "a")]
    assert "initErrors" not in stack.resource("a")


def test_two_resources_of_one_name_are_refused(stack: Stack) -> None:
    with pytest.raises(StepFailed, match="rename one"):
        stack.up('a = Thing("a")\nb = Thing("a")')


def test_the_same_seed_gives_the_same_names_and_the_same_steps(stack: Stack) -> None:
    program = "for i in range(12):\n    Named(f'n{i:02}')\n"
    names = []
    for _ in range(2):
        steps = stack.up(program).steps
        names.append(([item["inputs"]["name"] for item in stack.resources() if "name" in item.get("inputs", {})],
                      [step.name for step in steps]))
        stack.engine().destroy()
    assert names[0] == names[1]
    stack.options["seed"] = 7
    stack.up()
    assert stack.resource("n00")["inputs"]["name"] != names[0][0][0]


def test_refresh_follows_reality(stack: Stack) -> None:
    stack.up(PAIR)
    stack.world.objects["a-1"]["inputs"] = {"value": 5}
    del stack.world.objects["b-2"]
    result = stack.engine().refresh()
    assert operations(result) == {"a": Operation.UPDATE, "-b": Operation.DELETE}
    assert stack.resource("a")["inputs"] == {"value": 5}
    again = stack.up(PAIR)
    assert operations(again) == {"a": Operation.UPDATE, "b": Operation.CREATE}
