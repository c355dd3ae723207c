"""Cost a resource, from 100 to 2,000: a program of that many log groups (one call to make, two to read back)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.aws.provider import AwsProvider
from rehearsal.aws.servers import AwsEndpoint
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.execution import Limits
from rehearsal.engine.store import StateFile
from tests.bench.bare import evaluate

SIZES = (100, 500, 1000, 2000)
PROGRAM = """
import pulumi_aws as aws
for number in range({count}):
    aws.cloudwatch.LogGroup(f"group-{{number}}", retention_in_days=30)
"""


@dataclass(frozen=True)
class Scale:
    resources: int
    evaluation: float
    evaluation_unmended: float  # with the SDK's own wait for outstanding outputs
    up: float
    again: float
    destroy: float

    @property
    def milliseconds_each(self) -> float:
        return 1000 * self.up / self.resources


def measure(endpoint: AwsEndpoint, home: Path) -> Iterator[Scale]:
    for count in SIZES:
        folder = home / f"scale-{count}"
        folder.mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: scale\nruntime: python\n")
        (folder / "Pulumi.s.yaml").write_text("config:\n  aws:region: eu-west-1\n")
        (folder / "__main__.py").write_text(PROGRAM.format(count=count))
        engine = Engine(Project.load(folder), "s", StackConfig.load(folder, "s", "bench"), [AwsProvider(endpoint)],
                        StateFile(folder / "state.json", "bench"), limits=Limits())
        evaluation, unmended = evaluate(folder, "s")[0], evaluate(folder, "s", mend=False)[0]
        up = _timed(engine.up)
        again = _timed(engine.up)
        yield Scale(count, evaluation, unmended, up, again, _timed(engine.destroy))


def _timed(operation: object) -> float:
    started = time.monotonic()
    operation()  # type: ignore[operator]
    return time.monotonic() - started
