"""Recorded graphs of the project's stacks, for tests.

    graph = Programs().preview("staging")
    graph.of("aws:s3/bucket:Bucket")
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.settings.load import PREFIX
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.values import Archive
from rehearsal.recording import MARKER, Graph, record

__all__ = ["MARKER", "Graph", "Programs", "texts"]
ROOT = Path(__file__).parents[1]


@dataclass
class Programs:
    """Graphs of the project's stacks, each recorded once."""

    _done: dict[str, Graph] = field(default_factory=dict)

    def preview(self, stack: str, *, seed: int = 0, services: Mapping[str, Any] | None = None,
                environment: str | None = None) -> Graph:
        """`services`: entries on top of the stack file's `candlefish:services`. `environment`: instead of its own."""
        key = json.dumps([stack, seed, services, environment], sort_keys=True)
        if key not in self._done:
            self._done[key] = self._preview(stack, seed, services or {}, environment or stack)
        return self._done[key]

    def _preview(self, stack: str, seed: int, services: Mapping[str, Any], environment: str) -> Graph:
        config = StackConfig.load(ROOT, stack, "unused")
        config = replace(config, values={**config.values, f"{PREFIX}environment": environment})
        if services:
            text = json.dumps({**json.loads(config.values[f"{PREFIX}services"]), **services})
            config = replace(config, values={**config.values, f"{PREFIX}services": text})
        return record(Project.load(ROOT), stack, config, seed=seed)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in plain sight with its path: nothing that is inside a `Secret`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Archive):
        yield from texts(value.assets or {}, path)
    elif isinstance(value, Sequence):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{path}[{index}]")
