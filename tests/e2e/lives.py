"""The whole life of a stack, from nothing to nothing, stopped on its way at drawn moments. Files of tests call it, or
its parts around what they do.

CANDLEFISH_FAULTS_SEED draws the moments; CANDLEFISH_MOMENTS says how many (2; the full form takes 10).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from typing import Any

from tests.e2e.conftest import ROOT, Command
from tests.stacks import BY_TYPE, RESOURCES

SEED = int(os.environ.get("CANDLEFISH_FAULTS_SEED", "1"))
MOMENTS = int(os.environ.get("CANDLEFISH_MOMENTS", "2"))
FINISHED = b"+"  # how a line on stderr says that a resource was made

OUTPUTS = {
    "vpcId", "privateSubnetIds", "clusterName", "kubeconfig", "namespace", "databaseInstanceId", "databaseEndpoint",
    "databaseSecretArn", "cacheEndpoint", "assetsBucket", "backupsBucket", "siteBuckets", "distributionId",
    "distributionDomain", "siteUrl", "frontDoorUrl", "apiUrl", "websocketUrl", "targetGroups", "deployRoleArn",
    "dashboards", "alarms", "logGroups"}


def moments() -> list[tuple[int, signal.Signals]]:
    """How many resources an `up` makes before which signal; together fewer than a stack has."""
    draw = random.Random(SEED)
    return [(draw.randrange(1, 500 // MOMENTS), (signal.SIGINT, signal.SIGKILL)[number % 2])
            for number in range(MOMENTS)]


def starting(candlefish: Command, stack: str) -> subprocess.Popen[bytes]:
    """`up` under way; its progress is to be read from `stderr`."""
    return subprocess.Popen(
        [sys.executable, "-m", "candlefish", "rehearse", "up", "--stack", stack], cwd=ROOT, env=candlefish.env(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def stopped(candlefish: Command, stack: str, after: int, number: signal.Signals) -> None:
    """`up`, ended by the signal once `after` resources are made."""
    process = starting(candlefish, stack)
    assert process.stderr is not None
    lines, made = [], 0
    for line in process.stderr:
        lines.append(line)
        made += line.lstrip().startswith(FINISHED)
        if made == after:
            process.send_signal(number)
            made += 1
    code, said = process.wait(timeout=240), b"".join(lines).decode(errors="replace")
    if number is signal.SIGKILL:
        assert code == -signal.SIGKILL, said
        return
    assert code == 130, said
    assert "candlefish: interrupted" in said
    assert "Traceback" not in said


def previewed(candlefish: Command, stack: str) -> None:
    preview = candlefish("rehearse", "preview", "--stack", stack, "--json").document
    assert preview["changes"]["create"] == RESOURCES[stack]
    assert preview["outputs"]["vpcId"] == "[unknown]"


def built(candlefish: Command, stack: str) -> dict[str, Any]:
    """From nothing; what `up` reports."""
    document = finished(candlefish, stack)
    assert document["changes"]["create"] == RESOURCES[stack]
    return document


def finished(candlefish: Command, stack: str) -> dict[str, Any]:
    """Whatever was there before; what `up` reports."""
    document: dict[str, Any] = candlefish("rehearse", "up", "--stack", stack, "--json").document
    assert document["stack"] == stack
    assert set(document["outputs"]) >= OUTPUTS
    assert document["outputs"]["kubeconfig"] == "[secret]"
    return document


def mended(candlefish: Command, stack: str) -> dict[str, Any]:
    """After `stopped`: the next `up` finishes what was begun; what it reports."""
    document = finished(candlefish, stack)
    assert not candlefish("rehearse", "export", "--stack", stack).document["deployment"].get("pending_operations")
    return document


def settled(candlefish: Command, stack: str) -> None:
    """Nothing to do, nothing that drifted, and one changed setting is one changed resource."""
    again = candlefish("rehearse", "up", "--stack", stack, "--json", "--expect-no-changes").document
    assert again["changes"] == {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": RESOURCES[stack]}

    refreshed = candlefish("rehearse", "refresh", "--stack", stack, "--json", "--expect-no-changes").document
    assert refreshed["changes"]["same"] == RESOURCES[stack]

    changed = candlefish("rehearse", "preview", "--stack", stack, "--json", "--config", "database.slowQueryMs=250",
                         "--expect-no-changes", code=4).document
    steps = [step for step in changed["steps"] if step["operation"] != "same"]
    assert [(step["type"], step["operation"]) for step in steps] == [
        ("aws:rds/parameterGroup:ParameterGroup", "update")]


def gone(candlefish: Command, stack: str) -> None:
    """All of it. The rehearsed teardown lifts the protection first, and with it go the names of the final snapshots,
    which development does not take."""
    document = candlefish("rehearse", "destroy", "--stack", stack, "--json", "--yes").document
    suffixes = "random:index/randomId:RandomId"
    lifted = BY_TYPE[stack][suffixes] - BY_TYPE["development"][suffixes]
    assert document["changes"]["delete"] == RESOURCES[stack] - lifted, (document["changes"], lifted)
    assert candlefish("rehearse", "status", "--stack", stack, "--json").document["resources"] == 0
