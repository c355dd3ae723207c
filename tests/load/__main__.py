"""`make load`: a rehearsed environment under load, under attack and with faults, over the addresses that its outputs
name. It is brought up when it isn't; it is left running. Exit code 1: something did not hold."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from candlefish.project import home_directory, project_directory
from tests.load import faults, fuzz, traffic
from tests.load.environment import NotUp, found
from tests.load.environment import run as command
from tests.load.figures import aligned

PARTS = ("load", "fuzz", "faults")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--stack", default="development")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one; may be given more than once")
    parser.add_argument("--seed", type=int, default=20261121, help="draws events, requests, frames and faults")
    parser.add_argument("--clients", default="1,8", help="at a time; several levels, separated by commas")
    parser.add_argument("--batch", type=int, default=20, help="events of a request, at most 100")
    parser.add_argument("--seconds", type=float, default=30, help="of load, over all levels")
    parser.add_argument("--requests", type=int, default=10_000, help="hostile ones")
    parser.add_argument("--frames", type=int, default=1_000, help="hostile ones, over WebSocket connections")
    parser.add_argument("--batches", type=int, default=100, help="of the run with faults; each is sent twice")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    given = parser.parse_args()
    try:
        environment = found(given.stack, home_directory(project_directory()), command, say)
    except NotUp as error:
        print(error, file=sys.stderr)
        return 1
    outcomes: dict[str, traffic.Outcome | fuzz.Outcome | faults.Outcome] = {}
    for part in given.part or PARTS:
        match part:
            case "load":
                outcomes[part] = traffic.run(
                    environment, levels=[int(level) for level in given.clients.split(",")], size=given.batch,
                    seconds=given.seconds, seed=given.seed, say=say)
            case "fuzz":
                outcomes[part] = fuzz.run(environment, requests=given.requests, frames=given.frames, seed=given.seed,
                                          say=say)
            case "faults":
                outcomes[part] = faults.run(environment, count=given.batches, size=given.batch, clients=8,
                                            seed=given.seed, say=say)
    report = {part: outcome.document() for part, outcome in outcomes.items()}
    print(json.dumps(report, indent=1) if given.json else text(report))
    return 0 if all(outcome.holds for outcome in outcomes.values()) else 1


def text(report: dict[str, Any]) -> str:
    """Tables for people."""
    parts = []
    for name, document in report.items():
        tables = [value for value in document.values() if isinstance(value, list) and value and isinstance(
            value[0], dict)]
        lists = {key: value for key, value in document.items() if isinstance(value, list) and value not in tables}
        single = {key: value for key, value in document.items() if not isinstance(value, list)}
        lines = [f"{key}: {_shown(value)}" for key, value in single.items()]
        lines += [f"{key}: {'; '.join(map(str, value[:20])) or 'none'}" for key, value in lists.items()]
        parts.append("\n".join([name.upper(), *(aligned(rows) for rows in tables), *lines]))
    return "\n\n".join(parts)


def _shown(value: Any) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
