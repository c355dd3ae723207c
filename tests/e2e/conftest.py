"""The command as a user runs it: a process, its exit code, its two streams, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The JSON on stdout; nothing else may be there."""
        return json.loads(self.stdout)


@dataclass
class Command:
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, code: int | None = 0, cwd: Path = ROOT, timeout: float = 240,
                 **environment: str) -> Finished:
        """Runs `candlefish ARGUMENTS`. `code`: the exit code that is expected; None: any."""
        done = subprocess.run(
            [sys.executable, "-m", "candlefish", *arguments], cwd=cwd, capture_output=True, text=True,
            timeout=timeout, stdin=subprocess.DEVNULL, check=False, env=self.env(**environment))
        finished = Finished(done.returncode, done.stdout, done.stderr)
        assert code is None or done.returncode == code, (
            f"candlefish {' '.join(arguments)} ended with {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}")
        return finished

    def env(self, **more: str) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KUBE", "PULUMI"))
                 or key == "KUBEBUILDER_ASSETS"}
        return {**clean, "PYTHONPATH": str(ROOT), "CANDLEFISH_REHEARSAL_HOME": str(self.home), **self.environment,
                **more}


@pytest.fixture(scope="session")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A home for the files that use one development stack after another; each calls `up`, and the last ends it."""
    command = Command(tmp_path_factory.mktemp("development"))
    yield command
    command("rehearse", "reset", "--yes")


@pytest.fixture(scope="module")
def candlefish(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A home for the tests of one file; whatever they leave running is stopped at the end."""
    command = Command(tmp_path_factory.mktemp("home"))
    yield command
    command("rehearse", "reset", "--yes")
