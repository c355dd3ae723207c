"""`make bench`: every stack from nothing to nothing, and the cost of a resource as programs grow.

Figures are of whole commands unless said otherwise. Quote medians and ratios: absolute times are of one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rehearsal.aws.clients import Clients, Recorded
from rehearsal.aws.provider import AwsProvider
from rehearsal.aws.servers import Aws
from rehearsal.engine import urns
from rehearsal.engine.results import Event, EventKind, Operation
from tests.bench import calls, scale
from tests.bench.bare import evaluate
from tests.stacks import STACKS

ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--stack", action="append", choices=STACKS, help="only this one; may be given more than once")
    parser.add_argument("--runs", type=int, default=3, help="of the bare evaluation and of the no-change up")
    parser.add_argument("--no-stacks", action="store_true", help="leave out the stacks")
    parser.add_argument("--no-scale", action="store_true", help="leave out the programs of 100 to 2,000 resources")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="candlefish-bench-") as folder:
        home = Path(folder)
        command = Command(home)
        try:
            stacks = () if given.no_stacks else given.stack or STACKS
            report: dict[str, Any] = {"stacks": [alone(command, name, given.runs) for name in stacks]}
            if not given.no_scale:
                report["scale"] = [told(asdict(row) | {"milliseconds_each": round(row.milliseconds_each, 2)})
                                   for row in scale.measure(Aws(home / "aws").ensure(), home)]
        finally:
            command.run("reset", "--yes")
    print(json.dumps(report, indent=1) if given.json else table(report))


def alone(command: Command, name: str, runs: int) -> dict[str, Any]:
    """The stack's row. What ran for it is stopped: an idle cluster takes a seventh of a core from the next one."""
    try:
        return told(stack(command, name, runs))
    finally:
        command.run("reset", "--yes")


def told(row: dict[str, Any]) -> dict[str, Any]:
    """Says a row as soon as it is measured: a run that is cut short has not measured for nothing."""
    say(json.dumps(row))
    return row


class Command:
    """`candlefish rehearse …` as a process: its JSON, wall seconds and peak memory (the largest single process)."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, verb: str, *arguments: str) -> tuple[Any, float, float]:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "candlefish", "rehearse", verb, *arguments], cwd=ROOT, stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT),
                                           "CANDLEFISH_REHEARSAL_HOME": str(self.home)})
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"candlefish rehearse {verb} {' '.join(arguments)} ended with {process.returncode}")
        scale_to_mib = 1024 * 1024 if sys.platform == "darwin" else 1024
        document = json.loads(output) if output.strip() else None
        return document, time.monotonic() - started, usage.ru_maxrss / scale_to_mib


def stack(command: Command, name: str, runs: int) -> dict[str, Any]:
    say(f"{name}: evaluation")
    bare = [evaluate(ROOT, name)[0] for _ in range(runs)]
    unmended = evaluate(ROOT, name, mend=False)[0]
    command.run("preview", "--stack", name, "--json")  # the servers start, the clients' caches fill
    say(f"{name}: preview")
    _, preview, _ = command.run("preview", "--stack", name, "--json")
    say(f"{name}: up from nothing")
    built, up, memory = command.run("up", "--stack", name, "--no-verify", "--json")
    say(f"{name}: up without changes")
    again = [command.run("up", "--stack", name, "--no-verify", "--json")[:2] for _ in range(runs)]
    say(f"{name}: destroy")
    _, destroy, _ = command.run("destroy", "--stack", name, "--json", "--yes")
    middle = statistics.median
    changeless = middle(seconds for _, seconds in again)
    return {
        "stack": name, "resources": built["changes"]["create"], "evaluation": round(middle(bare), 2),
        "evaluation_unmended": round(unmended, 2), "preview": round(preview, 2), "up": round(up, 2),
        "up_engine": built["seconds"], "resources_per_second": round(built["changes"]["create"] / built["seconds"], 1),
        "no_change": round(changeless, 2), "no_change_engine": middle(found["seconds"] for found, _ in again),
        "no_change_over_evaluation": round(changeless / middle(bare), 2), "destroy": round(destroy, 2),
        "peak_mib": round(memory), "bare_calls": bare_calls(command, name),
    }


def bare_calls(command: Command, name: str) -> dict[str, Any]:
    """The stack's AWS calls recorded from one more `up` and made again in one thread on empty emulators."""
    from candlefish.runtime import Rehearsal

    say(f"{name}: the same calls, bare")
    os.environ["CANDLEFISH_REHEARSAL_HOME"] = str(command.home)
    recorded: list[Recorded] = []
    rehearsal = Rehearsal(name)
    servers = rehearsal.start()
    made: list[float] = []  # when each AWS resource was there

    def note(event: Event) -> None:
        created = event.kind is EventKind.FINISHED and event.operation is Operation.CREATE
        if created and urns.type_of(event.urn).startswith("aws:"):
            made.append(time.monotonic())

    engine = rehearsal.engine(servers.aws, note)
    engine.providers = [AwsProvider(servers.aws, on_call=recorded.append), *engine.providers[1:]]
    started = time.monotonic()
    engine.up()
    command.run("destroy", "--stack", name, "--json", "--yes")
    with tempfile.TemporaryDirectory() as folder:
        aws = Aws(Path(folder))
        try:
            seconds, refused = calls.replay(recorded, Clients(aws.ensure().url))
        finally:
            aws.stop()
    return {"calls": len(recorded), "seconds": round(seconds, 2), "refused": refused, "aws_resources": len(made),
            "nine_tenths_of_aws_seconds": round(made[len(made) * 9 // 10] - started, 2)}  # the rest waits for pods


STACK_COLUMNS = {"stack": "stack", "resources": "resources", "evaluate s": "evaluation", "preview s": "preview",
                 "up s": "up", "again s": "no_change", "again/evaluate": "no_change_over_evaluation",
                 "destroy s": "destroy", "resources/s": "resources_per_second", "peak MiB": "peak_mib",
                 "AWS calls": "calls", "calls bare s": "bare"}
SCALE_COLUMNS = {"resources": "resources", "evaluate s": "evaluation", "unmended s": "evaluation_unmended",
                 "up s": "up", "again s": "again", "destroy s": "destroy", "ms each": "milliseconds_each"}


def table(report: dict[str, Any]) -> str:
    rows = [{**s, "calls": s["bare_calls"]["calls"], "bare": s["bare_calls"]["seconds"]} for s in report["stacks"]]
    return "\n\n".join([_aligned(STACK_COLUMNS, rows), _aligned(SCALE_COLUMNS, report.get("scale", []))])


def _aligned(columns: dict[str, str], rows: list[dict[str, Any]]) -> str:
    lines = ["  ".join(columns)]
    for row in rows:
        cells = (f"{row[key]:.2f}" if isinstance(row[key], float) else str(row[key]) for key in columns.values())
        lines.append("  ".join(f"{cell:>{len(title)}}" for cell, title in zip(cells, columns, strict=True)))
    return "\n".join(lines)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
