"""`make soak`: rollouts under load, and rollouts that are killed, for as long as it takes, on a cluster of its own that
is gone afterwards. The last line is `requests N failed M switches K`; exit code 1: something did not hold, 2: wrong
options."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.soak import lanes, play, sweep
from tests.soak.lanes import Tally
from tests.soak.play import Told
from tests.soak.points import Swept, points
from tests.soak.world import Soak, soaking

PARTS = ("traffic", "back", "crash", "played")
WAY_BACK_SECONDS = 0.5  # issue 6: p99 from the decision to the weights and to the selector written
TOLD = 40  # of what did not hold


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one; may be given more than once")
    parser.add_argument("--seed", type=int, default=20261121, help="draws ways back, points and faults")
    parser.add_argument("--minutes", type=float, default=60, help="of the parts `traffic` and `crash` at most, each")
    parser.add_argument("--requests", type=int, default=1_000_000, help="`traffic` ends when it has so many")
    parser.add_argument("--switches", type=int, default=200, help="and so many switches")
    parser.add_argument("--backs", type=int, default=120, help="ways back of the part `back`")
    parser.add_argument("--points", type=int, default=1_100, help="of the parts `crash` and `played`, each")
    parser.add_argument("--signals", type=int, default=40, help="so many of them in processes that SIGKILL ends")
    parser.add_argument("--restarts", type=int, default=200, help="points between two restarts of the API server; 0: "
                        "none")
    parser.add_argument("--lanes", type=int, default=5, help="of the part `crash`: services at a time")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    given = parser.parse_args(arguments)
    report: dict[str, Any] = {"seed": given.seed}
    holds, totals = True, [0, 0, 0]
    parts = given.part or PARTS
    with ExitStack() as stack:
        soak = None
        for part in sorted(set(parts), key=PARTS.index):
            began = time.monotonic()
            if part == "played":
                told = in_play(given)
                holds, found = holds and told.holds, of_play(told)
                report[part] = {**found, "seconds": round(time.monotonic() - began)}
                show(given, part, report[part])
                continue
            if soak is None:
                home = stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-"))
                soak = stack.enter_context(soaking(Path(home)))
            if part in ("traffic", "back"):
                tally, found = traffic(soak, given) if part == "traffic" else back(soak, given)
                holds &= tally.holds and not found.get("void")
                totals = [totals[0] + tally.requests, totals[1] + tally.failed, totals[2] + tally.switched]
            else:
                swept = crash(soak, given)
                holds, found = holds and swept.holds, of_crash(swept)
                totals = [totals[0] + swept.requests, totals[1] + swept.failed, totals[2]]
            report[part] = {**found, "seconds": round(time.monotonic() - began)}
            show(given, part, report[part])
    if given.json:
        print(json.dumps(report, indent=1))
    print(f"requests {totals[0]} failed {totals[1]} switches {totals[2]}")
    return 0 if holds else 1


def show(given: argparse.Namespace, part: str, found: dict[str, Any]) -> None:
    if not given.json:
        print(f"{part}\n" + "\n".join(f"  {key}: {value}" for key, value in found.items()), flush=True)


def in_play(given: argparse.Namespace) -> Told:
    writes = play.writes()
    say(f"writes: {writes}")
    return play.sweep(points(given.seed, given.points, 0, writes), given.seed, say)


def traffic(soak: Soak, given: argparse.Namespace) -> tuple[Tally, dict[str, Any]]:
    naive = lanes.control(soak)
    say(f"the naive way lost {naive['failed']} of {naive['requests']} requests")
    end = time.monotonic() + 60 * given.minutes

    def over(tally: Tally) -> bool:
        done = bool(soak.requests() >= given.requests and tally.switched >= given.switches)
        return done or time.monotonic() > end

    tally = lanes.run(soak, lanes.KINDS, given.seed, over, say)
    for kind in lanes.LARGE:
        lanes.run(soak, (kind,), given.seed, lambda tally: False, say, tally)
    return tally, {"naive": {"requests": naive["requests"], "failed": naive["failed"]}, "void": not naive["failed"],
                   **of_traffic(tally)}


def back(soak: Soak, given: argparse.Namespace) -> tuple[Tally, dict[str, Any]]:
    tally = lanes.run(soak, lanes.BACK, given.seed, lambda tally: len(tally.backs) >= given.backs, say)
    for what, seconds in (("weights", [each.weights for each in tally.backs]),
                          ("selector", [each.selector for each in tally.backs])):
        if percentile(seconds, 0.99) > WAY_BACK_SECONDS:
            tally.wrong.append(f"the way back's {what} are written after {percentile(seconds, 0.99):.2f} s (p99)")
    return tally, of_traffic(tally)


def crash(soak: Soak, given: argparse.Namespace) -> Swept:
    writes = sweep.writes(soak)
    say(f"writes: {writes}")
    chosen = points(given.seed, given.points, given.signals, writes)
    return sweep.sweep(soak, chosen, given.lanes, given.restarts, say, 60 * given.minutes)


def of_traffic(tally: Tally) -> dict[str, Any]:
    return {
        "requests": tally.requests, "over fresh connections": tally.fresh, "failed": tally.failed,
        "WebSocket messages": tally.messages, "handshakes": tally.handshakes, "closed with": dict(tally.closes),
        "switches": dict(tally.switches), "rollouts": dict(tally.rollouts),
        "under way at a cutover": round(tally.flying / max(1, tally.moves), 1), "looks at the capacity": tally.looks,
        "ways back": len(tally.backs),
        "decision to weights, ms": spread([1000 * each.weights for each in tally.backs]),
        "decision to selector, ms": spread([1000 * each.selector for each in tally.backs]),
        "decision to the last request, less the lag, ms": spread([1000 * each.last for each in tally.backs]),
        "wrong": tally.wrong[:TOLD]}


def of_crash(swept: Swept) -> dict[str, Any]:
    return {
        "points": swept.points, "unreached": swept.unreached, "by SIGKILL": swept.signals,
        "restarts of the API server": swept.restarts, "ends": dict(swept.ends.most_common()),
        "work until converged, s": spread(swept.seconds),
        "tried again alone": len(swept.slow), "requests": swept.requests, "failed": swept.failed,
        "looks at the capacity": swept.looks, "least ready": swept.least, "wrong": swept.wrong[:TOLD]}


def of_play(told: Told) -> dict[str, Any]:
    return {
        "points": told.points, "unreached": told.unreached, "rollouts at their end": told.rollouts,
        "work until converged, s of the played clock": spread(told.seconds), "played requests": told.requests,
        "of them lost": told.lost, "looks at the capacity": told.looks, "wrong": told.wrong[:TOLD]}


def spread(values: Sequence[float]) -> str:
    """Median, 99th percentile and the largest."""
    if not values:
        return "none"
    return f"p50 {percentile(values, 0.5):.4g}, p99 {percentile(values, 0.99):.4g}, most {max(values):.4g}"


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
