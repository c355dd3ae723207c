"""`make region`: production is built, exported and loses its database; recovery is built of what is left, killed in the
middle and gone on with, takes production's names, and gives them back. About ten minutes on two cores. One JSON object
on stdout; exit code 1: something did not hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.conftest import ROOT, Command
from tests.region.contents import Contents

KILLED_AT = 100  # resources of the 764
WAIT_SECONDS = 900.0


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="candlefish-region-"))
    command, seconds, wrong = Command(home), {}, []

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        print(f"{name} …", file=sys.stderr, flush=True)
        found = work()
        seconds[name] = round(time.monotonic() - began, 1)
        return found

    def outputs(stack: str) -> dict[str, Any]:
        found: dict[str, Any] = command("rehearse", "outputs", "--stack", stack, "--json").document
        return found

    try:
        timed("production", lambda: command("rehearse", "up", "--stack", "production", timeout=WAIT_SECONDS))
        command.environment.update(_environment(command))
        contents = Contents(outputs("production"), command.environment)
        contents.fill()
        timed("export", lambda: command("recovery", "export", "--output", str(home / "export")))
        contents.lose_database()
        state = home / "stacks" / "recovery" / "state.json"
        timed("killed", lambda: _killed(command, home, state))
        built = timed("rebuild", lambda: command("recovery", "rebuild", "--json", timeout=WAIT_SECONDS)).document
        wrong += contents.missing(outputs("recovery"))
        if not built["inside"]:
            wrong.append(f"the rebuild took {built['seconds']} s")
        before = _leads(contents)
        over = timed("failover", lambda: command("recovery", "failover", "--json", timeout=WAIT_SECONDS)).document
        again = command("recovery", "failover", "--json", timeout=WAIT_SECONDS).document["changed"]
        wrong += [f"a second failover wrote {again}"] if again else []
        refused = command("recovery", "failback", code=1)
        if "has no database to take over with" not in refused.stderr:
            wrong.append(f"a failback without a database said: {refused.stderr}")
        timed("failback", lambda: command("recovery", "failback", "--accept-data-loss", timeout=WAIT_SECONDS))
        if _leads(contents) != before:
            wrong.append("the names do not lead where they did before")
        print(json.dumps({"seconds": seconds, "rebuild": built, "failover": over, "wrong": wrong}, indent=1))
    finally:
        command("rehearse", "reset", "--yes", code=None)
    return 1 if wrong else 0


def _environment(command: Command) -> dict[str, str]:
    lines = command("rehearse", "env", "--stack", "production").stdout.splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines if not line.startswith("export PATH"))
    return {name: value.strip("'") for name, _, value in pairs}


def _killed(command: Command, home: Path, state: Path) -> None:
    """A rebuild, ended by SIGKILL once the state has some resources."""
    running = subprocess.Popen([sys.executable, "-m", "candlefish", "recovery", "rebuild", "--from",
                                str(home / "export")], cwd=ROOT, env=command.env(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + WAIT_SECONDS
    while running.poll() is None and time.monotonic() < end:
        if state.exists() and len(json.loads(state.read_bytes())["deployment"]["resources"]) >= KILLED_AT:
            os.kill(running.pid, signal.SIGKILL)
            break
        time.sleep(0.2)
    if running.wait() != -signal.SIGKILL:
        raise SystemExit(f"the rebuild ended with {running.returncode} before it could be killed")


def _leads(contents: Contents) -> Any:
    """Aliases of every distribution and alias records of the zone. A name is the same with a dot at its end or without,
    in capitals or not."""
    cloudfront, route53 = (contents.client(name, "us-east-1") for name in ("cloudfront", "route53"))
    distributions = cloudfront.list_distributions()["DistributionList"]["Items"]
    zone = contents.outputs["zone"]["id"]
    records = [
        {**each, "AliasTarget": {**each["AliasTarget"], "DNSName": each["AliasTarget"]["DNSName"].rstrip(".").lower()}}
        for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
        for each in page["ResourceRecordSets"] if "AliasTarget" in each]
    return ({each["Id"]: sorted(each["Aliases"].get("Items") or ()) for each in distributions},
            sorted(json.dumps(each, sort_keys=True) for each in records))


if __name__ == "__main__":
    sys.exit(main())
