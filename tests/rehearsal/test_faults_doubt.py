"""A creation whose outcome is unknown, twice, while the run goes on in spite of errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import StepFailed
from rehearsal.engine.provider import Context, ProviderError
from rehearsal.engine.store import StateFile
from rehearsal.engine.testing import MemoryProvider, World
from rehearsal.engine.values import Properties

pytestmark = pytest.mark.rehearsal


class Doubtful(MemoryProvider):
    """Every creation takes effect; nobody hears of it."""

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        super().create(context, inputs)
        raise ProviderError("the answer was lost", in_doubt=True)


def test_a_step_in_doubt_is_not_begun_again_beside_its_resumption(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(
        "import pulumi\npulumi.CustomResource('fake:index:Thing', 'one', {'size': 1})\n")
    world = World()
    for _ in range(2):
        engine = Engine(Project.load(tmp_path), "dev", StackConfig(), [Doubtful(world)],
                        StateFile(tmp_path / "state.json", "words"), continue_on_error=True)
        with pytest.raises(StepFailed):
            engine.up()
        document = json.loads((tmp_path / "state.json").read_text())
        assert len(document["deployment"]["pending_operations"]) == 1
