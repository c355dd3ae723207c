"""kill -9 at every point of a run: the next run converges, and nothing exists twice or is forgotten."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from rehearsal.engine.testing import World
from tests.rehearsal.engine.engine_harness import Stack

pytestmark = pytest.mark.rehearsal

BEFORE = """
    a = Thing("a", value=1)
    b = Named("b", Options(replace_on_changes=["value"]), value=a.generated, size=1)
    c = Thing("c", Options(delete_before_replace=True), keyImmutable=1)
    d = Thing("d", fromImmutable=c.generated, secret=pulumi.Output.secret("hush-hush"))
    e = Thing("e", Options(depends_on=[d]))
    f = Thing("f", Options(depends_on=[e]))
"""
AFTER = """
    a = Thing("a", value=2)
    b = Named("b", Options(replace_on_changes=["size"]), value=a.generated, size=2)
    c = Thing("c", Options(delete_before_replace=True), keyImmutable=2)
    d = Thing("d", fromImmutable=c.generated, secret=pulumi.Output.secret("hush-hush"))
    g = Thing("g", value=d.generated)
"""


class Crasher:
    """A process that runs operations and dies in them (`engine_crash.py`)."""

    def __init__(self) -> None:
        root = Path(__file__).parents[3]
        path = os.pathsep.join([str(root), str(Path(__file__).parent)])
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("engine_crash.py"))], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path, "GRPC_VERBOSITY": "NONE"})

    def __call__(self, folder: Path, operation: str, point: int) -> tuple[int, int]:
        """Exit code, and the number of points that were passed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{operation} {point} {folder}\n")
        self._process.stdin.flush()
        code, points = self._process.stdout.readline().split()
        return int(code), int(points)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


# Every sixth point in the tests; all of them with CANDLEFISH_EVERY_POINT=1, as `make faults` runs it.
STRIDE = 1 if os.environ.get("CANDLEFISH_EVERY_POINT") else 6
SEED = int(os.environ.get("CANDLEFISH_TEST_SEED", "0"))


@pytest.fixture
def crashers() -> Iterator[queue.SimpleQueue[Crasher]]:
    started = [Crasher() for _ in range(3)]
    free: queue.SimpleQueue[Crasher] = queue.SimpleQueue()
    for crasher in started:
        free.put(crasher)
    yield free
    for crasher in started:
        crasher.close()


@pytest.fixture
def crash(crashers: queue.SimpleQueue[Crasher]) -> Crasher:
    return crashers.get()


def prepared(folder: Path, *, deployed: bool, program: str) -> Path:
    stack = Stack(folder, World.load(folder / "world.json"))
    if deployed:
        stack.up(BEFORE)
    stack.program(program)
    return folder


def converged(folder: Path, operation: str) -> Stack:
    """Runs the operation again, without a crash, and compares the state with the world."""
    stack = Stack(folder, World.load(folder / "world.json"))
    getattr(stack.engine(), operation)()
    kept = {item["id"]: item.get("inputs", {}) for item in stack.resources()
            if item["type"].startswith("fake:") and not item.get("external")}
    assert sorted(kept) == sorted(stack.world.objects)
    for id, item in stack.world.objects.items():
        assert set(kept[id]) == set(item["inputs"])
    assert "pending_operations" not in stack.state.read_text()
    return stack


@pytest.mark.parametrize(("operation", "deployed", "program"), [
    ("up", False, BEFORE), ("up", True, AFTER), ("destroy", True, BEFORE)],
    ids=["from nothing", "with replacements and deletions", "of a destroy"])
def test_a_kill_at_any_point_is_mended_by_the_next_run(tmp_path: Path, crashers: queue.SimpleQueue[Crasher],
                                                       operation: str, deployed: bool, program: str) -> None:
    model = tmp_path / "model"
    model.mkdir()
    prepared(model, deployed=deployed, program=program)
    whole = tmp_path / "whole"
    shutil.copytree(model, whole)
    crasher = crashers.get()
    code, count = crasher(whole, operation, 0)
    crashers.put(crasher)
    assert code == 0
    assert count > 10

    def sweep(point: int) -> list[str]:
        folder = tmp_path / f"point-{point}"
        shutil.copytree(model, folder)
        # How many writes are grouped differs from run to run: the last points may not be reached.
        crasher = crashers.get()
        code, _ = crasher(folder, operation, point)
        crashers.put(crasher)
        assert code in (-9, 0)
        stack = converged(folder, operation)
        created = Counter(urn for call, urn in stack.world.log if call == "create")
        if operation == "up" and point % 5 == 0:
            assert not stack.up().changed
        shutil.rmtree(folder)
        return [f"{point}: {urn} {times}" for urn, times in created.items() if times > (2 if deployed else 1)]

    points = range(1 + SEED % STRIDE, count + 1, STRIDE)
    print(f"points {list(points)} of {count}")
    with ThreadPoolExecutor(max_workers=3) as pool:
        doubled = [line for lines in pool.map(sweep, points) for line in lines]
    assert doubled == []


def test_the_program_dies_with_the_engine(tmp_path: Path, crash: Crasher) -> None:
    prepared(tmp_path, deployed=False, program="""
        import os, pathlib
        pathlib.Path("pid").write_text(str(os.getpid()))
        Thing("a")
        Thing("b", value=pulumi.Output.from_input("x").apply(lambda x: x))
    """)
    assert crash(tmp_path, "up", 1)[0] == -9
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_reverted_program_undoes_an_interrupted_update(tmp_path: Path, crash: Crasher) -> None:
    prepared(tmp_path, deployed=True, program=BEFORE.replace("value=1)", "value=9)"))
    def inputs() -> Any:
        objects = World.load(tmp_path / "world.json").objects
        return next(item["inputs"] for id, item in objects.items() if id.startswith("a-"))

    point = 1
    while inputs() == {"value": 1}:
        crash(tmp_path, "up", point)
        point += 1
    Stack(tmp_path, World.load(tmp_path / "world.json")).up(BEFORE)
    assert inputs() == {"value": 1}
