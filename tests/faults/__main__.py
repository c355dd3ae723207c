"""`python -m tests.faults`: every call position × every kind of fault."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from tests.faults.lives import PROGRAMS
from tests.faults.recovery.calls import Trouble
from tests.faults.recovery.scenes import COMMANDS
from tests.faults.runs import Kind
from tests.faults.sweep import WORKERS, Task, summary, sweep


def kinds_of(program: str, wanted: Sequence[str] | None) -> tuple[Kind | Trouble, ...]:
    known: type[Kind] | type[Trouble] = Trouble if program in COMMANDS else Kind
    return tuple(kind for kind in known if not wanted or kind in wanted)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="draws names and, with --share, the positions")
    parser.add_argument("--share", type=float, default=1.0, help="share of the positions that are hit (1: all)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop injecting after so long")
    parser.add_argument("--rounds", type=int, default=2, help="lives a kind that are destroyed half-made")
    parser.add_argument("--program", action="append", choices=(*PROGRAMS, *COMMANDS),
                        help="only this one; may be repeated")
    parser.add_argument("--kind", action="append", choices=sorted({*Kind, *Trouble}), help="only this one")
    parser.add_argument("--no-whole", action="store_true", help="only the lives that are destroyed half-made")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    given = parser.parse_args()
    started = time.monotonic()
    programs = tuple(given.program or (*COMMANDS, *PROGRAMS))  # the longest first
    tasks = [Task(program, kinds_of(program, given.kind), given.seed, given.share,
                  given.minutes * 60 * given.workers / len(programs), not given.no_whole, given.rounds)
             for program in programs]
    found = summary(sweep(tasks, workers=given.workers), given.seed, time.monotonic() - started)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{found['positions']} positions ({found['mutating']} change something), {found['hits']} hits in "
              f"{found['runs']} runs, {found['seconds']} s: {found['converged']} of {found['lives']} lives converged, "
              f"{len(found['failed'])} failed, {len(found['cut'])} cut short; seed {found['seed']}")
        for failure in found["failed"]:
            print(f"{failure['program']} {failure['kind']}: {failure['reason']}")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
