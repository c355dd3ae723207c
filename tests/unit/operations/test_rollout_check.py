"""When the health check from inside the cluster begins."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from operations.rollout import checks
from operations.rollout.bluegreen import BlueGreen
from operations.rollout.waits import Waits
from tests.cluster.rollout_world import target

pytestmark = pytest.mark.unit


def test_the_health_check_asks_the_colours_service_once_it_has_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pods were ready, and the EndpointSlices late: a healthy release was taken back."""
    seen: list[Any] = []
    slices = iter([{}, {"website-green-1": False}, {"website-green-1": True}])

    def endpoints(service: str) -> dict[str, bool]:
        found = next(slices)
        seen.append((service, found))
        return found

    monkeypatch.setattr(checks, "from_inside", lambda *arguments: seen.append("asked"))
    cluster = SimpleNamespace(target=SimpleNamespace(service=SimpleNamespace(name="website")), endpoints=endpoints)
    journal = SimpleNamespace(record=SimpleNamespace(idle="green"))
    waits = Waits(lambda: None, pause=lambda seconds: None)
    BlueGreen(cast(Any, cluster), cast(Any, journal), cast(Any, None), waits, cast(Any, None), print, 0.0).check()
    assert seen == [("website-green", {}), ("website-green", {"website-green-1": False}),
                    ("website-green", {"website-green-1": True}), "asked"]


@pytest.mark.parametrize(("answers", "code"), [((0, 0), 0), ((4, 0, 0), 0), ((4, 4, 0, 8, 8, 0), 0), ((4, 4, 4), 1),
                                               ((0, 8, 8, 8), 1)])
def test_a_late_answer_is_asked_for_again_and_a_failure_of_any_path_counts(
        answers: tuple[int, ...], code: int, tmp_path: Path) -> None:
    """With the shell that the pod has: each call of wget takes the next answer as its exit code."""
    (tmp_path / "answers").write_text("\n".join(map(str, answers)) + "\n")
    tool = tmp_path / "wget"
    tool.write_text("#!/bin/sh\nread code < answers\nsed -i 1d answers\nexit $code\n")
    tool.chmod(0o755)
    aim = target("shop")
    assert len(checks.paths(aim)) == 2
    command = checks.checker(aim, "green", 1)["spec"]["containers"][0]["command"]
    ended = subprocess.run(command, cwd=tmp_path, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (ended.returncode, (tmp_path / "answers").read_text()) == (code, "")
