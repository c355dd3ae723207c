"""Invokes, calls, references, packaged components, transforms and hooks."""

from __future__ import annotations

import pytest

from rehearsal.engine.errors import ProgramFailed, StepFailed
from rehearsal.engine.provider import Context, Register
from rehearsal.engine.results import Operation
from rehearsal.engine.values import UNKNOWN, Properties
from tests.rehearsal.engine.engine_harness import Stack, operations

pytestmark = pytest.mark.rehearsal


def test_a_data_source_answers_and_its_failure_is_the_programs(stack: Stack) -> None:
    result = stack.up("""
        a = Thing("a", value=1)
        pulumi.export("now", pulumi.runtime.invoke("fake:index:get", {"x": 1}).value["echo"])
        pulumi.export("later", pulumi.runtime.invoke_output("fake:index:get", {"x": a.generated})["echo"])
    """)
    assert result.outputs == {"now": {"x": 1}, "later": {"x": "generated-a-1"}}
    with pytest.raises(ProgramFailed, match="the data source failed"):
        stack.up('pulumi.runtime.invoke("fake:index:get", {"fail": True})')


def test_a_data_source_waits_for_what_a_preview_does_not_know(stack: Stack) -> None:
    program = """
        a = Thing("a", value=1)
        opts = pulumi.InvokeOutputOptions(depends_on=[a])
        pulumi.export("later", pulumi.runtime.invoke_output("fake:index:get", {"x": 1}, opts))
    """
    assert stack.preview(program).outputs == {"later": UNKNOWN}
    assert stack.up().outputs["later"]["echo"] == {"x": 1}


def test_a_method_of_a_component_is_called(stack: Stack) -> None:
    result = stack.up("""
        group = Group("group", value=1)
        pulumi.export("called", pulumi.runtime.call("fake:index:Group/describe", {"__self__": group, "x": 2}, group))
    """)
    assert result.outputs["called"]["echo"] == {"x": 2}


def test_a_packaged_component_is_expanded_below_itself(stack: Stack) -> None:
    program = """
        import pulumi.runtime
        class Module:
            def version(self): return None
            def construct(self, name, typ, urn): return Thing(name, Options(urn=urn))
        pulumi.runtime.register_resource_module("fake", "index", Module())
        group = Group("group", value=1)
        Thing("user", value=group.generated)
        pulumi.export("first", group.first.apply(lambda first: first.generated))
    """
    preview = stack.preview(program)
    assert preview.changes["create"] == 5
    result = stack.up()
    assert result.outputs["first"] == "generated-group-first-1"
    parent = stack.resource("group")["urn"]
    assert stack.resource("group-second")["parent"] == parent
    assert stack.resource("group-second")["urn"] == \
        "urn:pulumi:dev::demo::fake:index:Group$fake:index:Thing::group-second"
    assert stack.resource("user")["inputs"] == {"value": "generated-group-second-2"}
    assert not stack.up().changed


def test_a_packaged_component_that_is_given_no_provider_has_the_stacks_configuration(
        stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    expand = stack.provider.construct

    def construct(context: Context, inputs: Properties, register: Register) -> Properties:
        seen.append(dict(context.providers))
        return expand(context, inputs, register)

    monkeypatch.setattr(stack.provider, "packages", ("fake", "other"))
    monkeypatch.setattr(stack.provider, "construct", construct)
    stack.config["other:region"] = "here"
    stack.up('Group("group", value=1)')
    assert seen == [{"other": {"region": "here"}}]


def test_transforms_of_a_component_reach_the_children_of_packaged_ones(stack: Stack) -> None:
    stack.up("""
        async def tag(args):
            if args.type_ != "fake:index:Thing":
                return None
            return pulumi.ResourceTransformResult({**args.props, "tag": args.name}, args.opts)
        box = Box("box", Options(transforms=[tag]))
        Group("group", Options(parent=box), value=pulumi.Output.secret("hush-hush"))
        Thing("inside", Options(parent=box, protect=True, depends_on=[]))
        Thing("outside")
    """)
    assert stack.resource("group-first")["inputs"]["tag"] == "group-first"
    assert stack.resource("inside")["inputs"]["tag"] == "inside"
    assert stack.resource("inside")["protect"] is True
    assert "inputs" not in stack.resource("outside")
    assert "hush-hush" not in stack.state.read_text()


def test_stack_transforms_change_inputs_and_options_and_invoke_transforms_arguments(stack: Stack) -> None:
    result = stack.up("""
        def everything(args):
            opts = pulumi.ResourceOptions.merge(args.opts, Options(ignore_changes=["x"], retain_on_delete=True))
            return pulumi.ResourceTransformResult({**args.props, "x": 1}, opts) if args.custom else None
        pulumi.runtime.register_resource_transform(everything)
        pulumi.runtime.register_invoke_transform(
            lambda args: pulumi.InvokeTransformResult({**args.args, "added": True}, args.opts))
        a = Thing("a")
        pulumi.export("echo", pulumi.runtime.invoke("fake:index:get", {"x": 1}).value["echo"])
    """)
    assert result.outputs["echo"] == {"x": 1, "added": True}
    kept = stack.resource("a")
    assert (kept["inputs"], kept["ignoreChanges"], kept["retainOnDelete"]) == ({"x": 1}, ["x"], True)


def test_a_transform_that_raises_fails_its_resource(stack: Stack) -> None:
    with pytest.raises(StepFailed, match="not today"):
        stack.up("""
            def refuse(args): raise ValueError("not today")
            Thing("a", Options(transforms=[refuse]))
        """)


def test_hooks_run_around_the_steps_they_are_bound_to(stack: Stack) -> None:
    program = """
        def note(kind):
            def run(args): print(kind, args.name, dict(args.new_inputs or args.old_inputs or {}), flush=True)
            return pulumi.ResourceHook(kind, run)
        hooks = pulumi.ResourceHookBinding(before_create=[note("bc")], after_create=[note("ac")],
            before_update=[note("bu")], after_update=[note("au")],
            before_delete=[note("bd")], after_delete=[note("ad")])
        if pulumi.Config().get("gone") is None:
            Thing("a", Options(hooks=hooks), value=pulumi.Config().require_int("value"))
    """
    stack.config = {"demo:value": "1"}
    created = stack.up(program).diagnostics
    assert [item.message.split()[0] for item in created] == ["bc", "ac"]
    stack.config = {"demo:value": "2"}
    assert [item.message.split()[0] for item in stack.up().diagnostics] == ["bu", "au"]
    stack.config["demo:gone"] = "yes"
    assert [item.message.split()[0] for item in stack.up().diagnostics] == ["bd", "ad"]


def test_a_hook_that_fails_stops_its_resource(stack: Stack) -> None:
    with pytest.raises(StepFailed, match="before_create hook `no` failed: closed"):
        stack.up("""
            def refuse(args): raise ValueError("closed")
            hook = pulumi.ResourceHook("no", refuse)
            Thing("a", Options(hooks=pulumi.ResourceHookBinding(before_create=[hook])))
        """)
    assert stack.world.objects == {}


def test_an_error_hook_can_have_a_step_tried_again(stack: Stack) -> None:
    with pytest.raises(StepFailed, match="refused"):
        stack.up("""
            tries = []
            def again(args):
                tries.append(args.errors)
                return len(tries) < 3
            hook = pulumi.ErrorHook("again", again)
            Thing("a", Options(hooks=pulumi.ResourceHookBinding(on_error=[hook])), refused=True)
        """)
    assert stack.world.calls["create"] == 3


def test_get_reads_and_never_owns(stack: Stack) -> None:
    stack.up('Thing("a", value=1)')
    program = 'a = Thing("a", value=1)\ngot = Thing("got", Options(id="a-1"))\npulumi.export("g", got.generated)'
    result = stack.up(program)
    assert operations(result)["got"] == Operation.READ
    assert result.outputs["g"] == "generated-a-1"
    assert stack.resource("got")["external"] is True
    assert not stack.up().changed
    stack.calls()
    assert stack.up('Thing("a", value=1)').changes["delete"] == 1
    assert stack.calls() == []
    with pytest.raises(StepFailed, match="no fake:index:Thing with the id `nope`"):
        stack.up('Thing("got", Options(id="nope"))')


def test_import_takes_over_what_is_described_as_it_is(stack: Stack) -> None:
    stack.world.objects["there-1"] = {"type": "fake:index:Thing", "inputs": {"value": 1}}
    with pytest.raises(StepFailed, match="value is 1, the program says 2"):
        stack.up('Thing("a", Options(import_="there-1"), value=2)')
    assert operations(stack.up('Thing("a", Options(import_="there-1"), value=1)'))["a"] == Operation.IMPORT
    assert not stack.up().changed
    assert stack.up('Thing("a", value=3)').changes["update"] == 1
    assert stack.engine().destroy().changes["delete"] == 2
    assert stack.world.objects == {}


def test_a_resource_is_imported_by_name(stack: Stack) -> None:
    stack.world.objects["there-1"] = {"type": "fake:index:Thing", "inputs": {"value": 1}}
    stack.up("pass")
    parent = stack.resource("demo-dev")["urn"]
    stack.engine().import_("fake:index:Thing", "a", "there-1", parent=parent)
    assert stack.resource("a")["protect"] is True
    assert operations(stack.up('Thing("a", value=1)')) == {"a": Operation.SAME}
