"""Accepted files through the program: a preview without servers, and what in its graph nobody would take.

A preview costs some seconds, so several edits of one stack go into one file, as long as they don't touch each other and
the file is still accepted. When such a preview is wrong, its halves are tried until the edit is found.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.settings.errors import SettingsError
from infra.settings.load import load_file
from infra.settings.model import Settings
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.errors import EngineError
from rehearsal.recording import record
from tests.program import ROOT
from tests.settings_fuzz.damage import Damaged, Edit, Files, differences, written
from tests.settings_fuzz.sound import unsound


@dataclass(frozen=True)
class Change:
    """What one accepted file says differently from the stack's own."""

    stack: str
    what: str
    edits: tuple[Edit, ...]

    @staticmethod
    def of(damaged: Damaged, files: Files) -> Change:
        edits = (damaged.edit,) if damaged.edit else differences(
            files.configs[damaged.stack], yaml.safe_load(damaged.content.decode("utf-8"))["config"])
        return Change(damaged.stack, damaged.what, edits)

    def apart(self, other: Change) -> bool:
        return all(mine.apart(theirs) for mine in self.edits for theirs in other.edits)


@dataclass(frozen=True)
class Batch:
    """`content`: the stack's file with all of the changes."""

    changes: tuple[Change, ...]
    content: bytes

    @property
    def stack(self) -> str:
        return self.changes[0].stack


Preview = Callable[[Batch], str]


def batches(changes: Sequence[Change], files: Files, together: int) -> Iterator[Batch]:
    """Every change in one batch, in which it is seen: with it the settings are others than without it."""
    with tempfile.TemporaryDirectory(prefix="candlefish-fuzz-") as folder:
        for stack in files.texts:
            path = Path(folder) / f"Pulumi.{stack}.yaml"
            left = [change for change in changes if change.stack == stack]
            while left:
                batch: tuple[Change, ...] = ()
                later: list[Change] = []
                settings = _settings(path, files.texts[stack].encode())
                for change in left:
                    grown = (*batch, change)
                    fits = len(grown) <= together and all(change.apart(other) for other in batch)
                    found = _settings(path, combined(grown, files).content) if fits else None
                    if found is None or found == settings:
                        later.append(change)
                    else:
                        batch, settings = grown, found
                if not batch:
                    raise AssertionError(f"{later[0].what} of {stack} was accepted, and isn't any more")
                yield combined(batch, files)
                left = later


def combined(changes: tuple[Change, ...], files: Files) -> Batch:
    config: Mapping[str, Any] = files.configs[changes[0].stack]
    for change in changes:
        for edit in change.edits:
            config = edit.made(config)
    return Batch(changes, written(config))


def _settings(path: Path, content: bytes) -> Settings | None:
    path.write_bytes(content)
    try:
        return load_file(path)
    except SettingsError:
        return None


def preview(batch: Batch) -> str:
    """What is wrong with the graph; empty: nothing."""
    with tempfile.TemporaryDirectory(prefix="candlefish-fuzz-") as name:
        folder = Path(name)
        shutil.copy(ROOT / "Pulumi.yaml", folder)
        (folder / f"Pulumi.{batch.stack}.yaml").write_bytes(batch.content)
        try:
            graph = record(Project.load(ROOT), batch.stack, StackConfig.load(folder, batch.stack, ""))
        except EngineError as error:
            return str(error)
    return "; ".join(sorted(unsound(graph))[:5])


def evaluated(found: Sequence[Batch], files: Files, told: Callable[[str], None]) -> tuple[int, list[str]]:
    """How many previews there were, and what is wrong, with the changes that make it so."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        wrong: list[str] = []
        count = 0
        for batch, answer in zip(found, pool.map(preview, found), strict=True):
            count += 1
            told(f"{batch.stack}: {len(batch.changes)} changes, {'wrong' if answer else 'good'} "
                 f"({count} of {len(found)})")
            if answer:
                more, blamed = blame(batch, answer, files)
                count += more
                wrong += blamed
    return count, wrong


def blame(batch: Batch, answer: str, files: Files, preview: Preview = preview) -> tuple[int, list[str]]:
    """The changes that are wrong alone; the whole batch where only several together are. Previews it took, and what
    each is to blame for."""
    if len(batch.changes) == 1:
        return 0, [f"{batch.stack}: {batch.changes[0].what} {_shown(batch.changes[0])}: {answer}"]
    middle, count = len(batch.changes) // 2, 0
    found: list[str] = []
    for part in (batch.changes[:middle], batch.changes[middle:]):
        half = combined(part, files)
        count += 1
        if said := preview(half):
            more, blamed = blame(half, said, files, preview)
            count, found = count + more, found + blamed
    return count, found or [f"{batch.stack}: {', '.join(change.what for change in batch.changes)}: {answer}"]


def _shown(change: Change) -> str:
    return ", ".join(repr(edit.value)[:80] for edit in change.edits)
