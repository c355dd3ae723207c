"""Policy packs of a rehearsed run: which, with what configuration, and how their answer is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from candlefish.exits import WrongUsage
from candlefish.screen import emit
from rehearsal.engine.analyzers import described
from rehearsal.engine.errors import PolicyViolated, Violation
from rehearsal.engine.policing import Packs


def packs(folders: Sequence[Path] | None, config: Path | None) -> Packs:
    """Raises WrongUsage or PackUnusable, before anything is started."""
    if config is not None and not folders:
        raise WrongUsage("--policy-pack-config configures the packs of --policy-pack, and none is named")
    for folder in folders or ():
        described(folder)
    return Packs([folder.absolute() for folder in folders or ()], _read(config) if config else {})


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongUsage(f"--policy-pack-config {file}: it can't be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise WrongUsage(f'--policy-pack-config {file}: it must be like {{"ckv-aws-226": "advisory"}}')
    return found


@contextmanager
def told(stack: str, as_json: bool) -> Iterator[None]:
    """The answer for a machine too; the sentence and the exit code are the command's."""
    try:
        yield
    except PolicyViolated as error:
        if as_json:
            emit({"stack": stack, "policies": listed(error.violations)})
        raise


def listed(violations: Sequence[Violation]) -> list[dict[str, Any]]:
    return [{"pack": each.pack, "name": each.policy, "level": each.level, "resource": each.urn,
             "message": each.message} for each in violations]
