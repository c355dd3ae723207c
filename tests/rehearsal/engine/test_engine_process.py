"""The program as a process, the lock, the state file's failures, interruption."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine.errors import (
    Cancelled,
    Locked,
    ProgramBlocked,
    ProgramFailed,
    StateCorrupt,
    StateNotWritten,
)
from rehearsal.engine.execution import Limits
from rehearsal.engine.lock import StateLock
from rehearsal.engine.store import Store
from tests.rehearsal.engine.engine_harness import Stack

pytestmark = pytest.mark.rehearsal


def test_a_program_that_raises_is_told_with_its_own_lines(stack: Stack) -> None:
    with pytest.raises(ProgramFailed) as caught:
        stack.up('Thing("a")\ndef inner():\n    raise KeyError("missing")\ninner()')
    assert "KeyError: 'missing'" in caught.value.traceback
    assert "in inner" in caught.value.traceback
    assert "host.py" not in caught.value.traceback
    assert "runpy" not in caught.value.traceback


def test_an_exception_in_an_apply_fails_the_program(stack: Stack) -> None:
    with pytest.raises(ProgramFailed, match="ZeroDivisionError"):
        stack.up('Thing("a", value=pulumi.Output.from_input(0).apply(lambda x: 1 / x))')


def test_a_syntax_error_and_a_missing_file_are_the_programs_failures(stack: Stack) -> None:
    with pytest.raises(ProgramFailed, match="SyntaxError"):
        stack.up("def")
    (stack.directory / "__main__.py").unlink()
    with pytest.raises(ProgramFailed, match="__main__"):
        stack.engine().up()


def test_nothing_is_deleted_when_the_program_fails(stack: Stack) -> None:
    stack.up('Thing("a")\nThing("b")')
    with pytest.raises(ProgramFailed):
        stack.up('Thing("a")\nraise SystemExit(3)')
    assert len(stack.world.objects) == 2


def test_output_of_the_program_comes_line_by_line(stack: Stack) -> None:
    result = stack.up('import sys\nprint("one")\nprint("two", file=sys.stderr)\npulumi.log.info("three")')
    assert sorted((item.severity, item.message) for item in result.diagnostics) == [
        ("info", "three"), ("stderr", "two"), ("stdout", "one")]


def test_the_program_runs_in_its_folder_with_its_own_modules(stack: Stack) -> None:
    (stack.directory / "state.py").write_text("value = 'mine'")
    (stack.directory / "data.txt").write_text("data")
    result = stack.up('import state, secrets\npulumi.export("v", [state.value, open("data.txt").read(), '
                      'pulumi.get_project(), pulumi.get_stack(), bool(secrets.token_hex)])')
    assert result.outputs["v"] == ["mine", "data", "demo", "dev", True]


def test_a_program_that_waits_for_ever_is_stopped_and_shown(stack: Stack) -> None:
    stack.options["limits"] = Limits(blocked_seconds=2)
    with pytest.raises(ProgramBlocked) as caught:
        stack.up("import threading\ndef stuck():\n    threading.Event().wait()\nstuck()")
    assert "in stuck" in caught.value.stacks


def test_an_interruption_lets_running_steps_finish_and_begins_no_other(stack: Stack) -> None:
    engine = stack.program('a = Thing("a")\nb = Thing("b", value=a.generated)').engine()

    def stop(call: str, context: Any) -> None:
        engine.cancel()
        time.sleep(0.3)

    stack.provider.before = stop
    with pytest.raises(Cancelled):
        engine.up()
    assert stack.calls() == [("create", "a")]
    assert stack.resource("a")["id"] == "a-1"
    stack.provider.before = lambda call, context: None
    assert stack.up().changes["create"] == 1


def test_an_interruption_that_comes_before_the_operation_is_not_lost_and_counts_once(stack: Stack) -> None:
    engine = stack.program('a = Thing("a")').engine()
    engine.cancel()
    with pytest.raises(Cancelled):
        engine.up()
    assert stack.calls() == []
    engine.up()
    assert stack.calls() == [("create", "a")]


def test_a_destroy_can_be_interrupted_too(stack: Stack) -> None:
    stack.up('a = Thing("a")\nb = Thing("b", value=a.generated)')
    engine = stack.engine()
    stack.provider.before = lambda call, context: engine.cancel()
    with pytest.raises(Cancelled):
        engine.destroy()
    assert list(stack.world.objects) == ["a-1"]


def test_a_stack_in_use_is_told_with_its_owner(stack: Stack) -> None:
    stack.up('Thing("a")')
    with StateLock(stack.state), pytest.raises(Locked, match=f"process {os.getpid()}"):
        stack.up()
    assert not stack.up().changed


def test_the_lock_of_a_dead_process_is_taken_over_and_that_of_another_host_is_not(stack: Stack) -> None:
    stack.up('Thing("a")')
    lock = stack.state.with_name("state.json.lock")
    lock.write_text(json.dumps({"pid": 999999, "host": os.uname().nodename, "since": "yesterday"}))
    assert not stack.up().changed
    lock.write_text(json.dumps({"pid": 1, "host": "elsewhere", "since": "yesterday"}))
    with pytest.raises(Locked, match="elsewhere"):
        stack.up()


def test_a_damaged_state_is_refused_and_left_alone(stack: Stack) -> None:
    stack.program('Thing("a")')
    for text in ("{", '{"version": 2}', '{"version": 3, "deployment": {"resources": [{}]}}'):
        stack.state.write_text(text)
        with pytest.raises(StateCorrupt, match=r"state\.json"):
            stack.up()
        assert stack.state.read_text() == text


def test_a_full_disk_is_told_and_the_next_run_takes_the_step_again(stack: Stack,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    stack.up('Thing("a")')
    replace = os.replace
    count = 0

    def full(source: Any, target: Any) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr("rehearsal.engine.store.os.replace", full)
        with pytest.raises(StateNotWritten, match="No space left on device"):
            stack.up('Thing("a")\nThing("b")')
    assert "pending_operations" in stack.state.read_text()
    assert not list(stack.directory.glob(".*.tmp"))
    stack.up()
    assert sorted(stack.world.objects) == ["a-1", "b-2"]
    assert stack.resource("b")["id"] == "b-2"


def test_every_state_on_disk_names_what_it_refers_to_before_it(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots: list[bytes] = []
    render = Store.render

    def watched(self: Store, *arguments: Any) -> bytes:
        snapshots.append(render(self, *arguments))
        return snapshots[-1]

    monkeypatch.setattr(Store, "render", watched)
    program = """
        box = Box("box")
        first = Thing("first", Options(parent=box, delete_before_replace=True), keyImmutable=1)
        for i in range(20):
            Thing(f"t{i}", Options(parent=box), value=first.generated)
        Group("group", value=first.generated)
        Named("n", Options(replace_on_changes=["value"]), value=first.generated)
    """
    stack.up(program)
    stack.up(program.replace("keyImmutable=1", "keyImmutable=2").replace("range(20)", "range(10)"))
    stack.engine().destroy()
    assert len(snapshots) > 20
    for snapshot in snapshots:
        seen: set[str] = set()
        for item in json.loads(snapshot)["deployment"]["resources"]:
            named = {item.get("parent"), *item.get("dependencies", []), item.get("provider", "").rpartition("::")[0]}
            assert {urn for urn in named if urn} <= seen, item["urn"]
            seen.add(item["urn"])


def test_events_come_while_it_runs(stack: Stack) -> None:
    seen = threading.Event()
    engine = stack.program('a = Thing("a")').engine()
    stack.provider.before = lambda call, context: context.report("waiting for it")
    engine.on_event = lambda event: seen.set() if event.message == "waiting for it" else None
    engine.up()
    assert seen.is_set()


def test_an_export_is_the_file_in_pulumis_format(stack: Stack, tmp_path: Path) -> None:
    stack.up('Thing("a", value=pulumi.Output.secret("hush-hush"))')
    exported = stack.engine().export()
    assert exported["version"] == 3
    assert exported["deployment"]["resources"] == stack.resources()
    other = tmp_path / "other.json"
    other.write_text(json.dumps(exported, indent=4))
    engine = stack.engine()
    engine.state = type(engine.state)(other, "correct horse")
    before = other.read_bytes()
    assert not engine.up().changed
    assert other.read_bytes() == before
