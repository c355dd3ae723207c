"""Small Pulumi programs, written in the tests, on the engine with the provider in memory."""

from __future__ import annotations

import json
import shutil
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.execution import Limits
from rehearsal.engine.results import Event, Operation, Result
from rehearsal.engine.store import StateFile
from rehearsal.engine.testing import MemoryProvider, World

PRELUDE = '''
import pulumi
from pulumi import ResourceOptions as Options

class Thing(pulumi.CustomResource):
    generated: pulumi.Output[str]
    value: pulumi.Output
    def __init__(self, name, opts=None, /, **inputs):
        computed = {"generated": None, "value": None, "name": None}
        super().__init__(self.token, name, {**computed, **inputs}, opts)
    token = "fake:index:Thing"

class Named(Thing):
    name: pulumi.Output[str]
    token = "fake:index:Named"

class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None, props=None):
        super().__init__("test:index:Box", name, props, opts)

class Group(pulumi.ComponentResource):
    generated: pulumi.Output[str]
    def __init__(self, name, opts=None, **inputs):
        super().__init__("fake:index:Group", name, {**inputs, "generated": None, "first": None}, opts, remote=True)

class Fake(pulumi.ProviderResource):
    def __init__(self, name, opts=None, **inputs):
        super().__init__("fake", name, inputs, opts)
'''


@dataclass
class Stack:
    """A project in a folder of its own, with its state and its world."""

    directory: Path
    world: World = field(default_factory=World)
    provider: MemoryProvider = field(init=False)
    events: list[Event] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    secret_keys: frozenset[str] = frozenset()
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.provider = MemoryProvider(self.world)
        (self.directory / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")

    @property
    def state(self) -> Path:
        return self.directory / "state.json"

    def program(self, text: str) -> Stack:
        (self.directory / "__main__.py").write_text(PRELUDE + textwrap.dedent(text))
        # Python takes what it compiled before for a text of the same length within the same second.
        shutil.rmtree(self.directory / "__pycache__", ignore_errors=True)
        return self

    def engine(self) -> Engine:
        return Engine(Project.load(self.directory), "dev", StackConfig(self.config, self.secret_keys), [self.provider],
                      StateFile(self.state, "correct horse"), on_event=self.events.append,
                      **{"limits": Limits(blocked_seconds=20), **self.options})

    def up(self, text: str | None = None) -> Result:
        if text is not None:
            self.program(text)
        return self.engine().up()

    def preview(self, text: str | None = None) -> Result:
        if text is not None:
            self.program(text)
        return self.engine().preview()

    def resources(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.state.read_text())["deployment"]["resources"]
        return found

    def resource(self, name: str) -> dict[str, Any]:
        found = [item for item in self.resources() if item["urn"].endswith(f"::{name}")]
        assert len(found) == 1, [item["urn"] for item in self.resources()]
        return found[0]

    def calls(self) -> list[tuple[str, str]]:
        """Mutations since the last question: (call, name)."""
        calls = [(call, urn.rsplit("::", 1)[1]) for call, urn in self.world.log]
        self.world.log.clear()
        return calls


def operations(result: Result) -> dict[str, Operation]:
    """By name, without the stack and default providers; deletions carry a minus sign."""
    return {("-" if step.operation is Operation.DELETE else "") + step.name: step.operation for step in result.steps
            if step.type != "pulumi:pulumi:Stack" and not step.name.startswith("default")}
