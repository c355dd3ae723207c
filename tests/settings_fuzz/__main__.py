"""`make fuzz`: damaged stack files, read and previewed. One JSON object on stdout; exit code 1: something is wrong.

What it finds is one line on stderr; `--seed` draws the same files again.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import time
from collections import Counter
from typing import Any

from infra.settings.load import load_file
from tests.program import ROOT
from tests.settings_fuzz.damage import Damaged, Files, draw
from tests.settings_fuzz.loading import Answer, read_all
from tests.settings_fuzz.previews import Change, batches, evaluated


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.settings_fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, help="of what is drawn; without it another one each time")
    parser.add_argument("--count", type=int, default=1_500, help="files to draw")
    parser.add_argument("--together", type=int, default=12, help="most edits in one preview; 1: each alone")
    given = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    print(f"seed {seed}", file=sys.stderr, flush=True)
    started = time.monotonic()
    files, dice = Files.of(ROOT), random.Random(seed)
    answers = list(read_all([draw(files, dice) for _ in range(given.count)]))
    wrong = [f"{damaged.stack}: {damaged.what}: {answer.wrong}" for damaged, answer in answers if answer.wrong]
    own = {stack: load_file(ROOT / f"Pulumi.{stack}.yaml") for stack in files.texts}
    accepted = [damaged for damaged, answer in answers if answer.settings is not None]
    changes = [Change.of(damaged, files) for damaged, answer in answers
               if answer.settings is not None and answer.settings != own[damaged.stack]]
    print(f"{len(answers)} read, {len(accepted)} accepted, {len(changes)} of them change something", file=sys.stderr)
    found = list(batches(changes, files, given.together))
    previews, blamed = evaluated(found, files, lambda line: print(line, file=sys.stderr, flush=True))
    wrong += blamed
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    print(json.dumps({
        "seed": seed, "read": len(answers), "accepted": len(accepted), "changed": len(changes),
        "refused": Counter(answer.refusal for _, answer in answers if answer.refusal), "previews": previews,
        "kinds": _kinds(answers), "wrong": wrong, "seconds": round(time.monotonic() - started, 1)}, indent=2))
    return 1 if wrong else 0


def _kinds(answers: list[tuple[Damaged, Answer]]) -> dict[str, dict[str, Any]]:
    """By kind of damage: how many were accepted and refused."""
    counts = Counter((damaged.kind, "accepted" if answer.settings else answer.refusal) for damaged, answer in answers)
    return {kind: {what: count for (name, what), count in sorted(counts.items()) if name == kind}
            for kind in sorted({kind for kind, _ in counts})}


if __name__ == "__main__":
    sys.exit(main())
