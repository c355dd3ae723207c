"""A rollout in a process of its own, that a signal ends: `python -m tests.soak.child JSON`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx

from kube.client import Client
from kube.kubeconfig import access
from operations.errors import OperationError
from operations.rollout.choice import Choice
from operations.rollout.model import Strategy
from operations.rollout.runner import Runner
from rehearsal.kubernetes.agent import RunningAgent
from tests.cluster.agent_world import World
from tests.cluster.rollout_world import target
from tests.soak.fates import Fate, Fault, Side, by_signal, install, mortal
from tests.soak.world import Front


def main(order: dict[str, object]) -> int:
    install()
    entry = access(str(order["kubeconfig"]))
    fate = Fate(int(str(order["kill_at"])), Side(str(order["side"])), Fault(str(order["fault"])),
                int(str(order["fault_at"])), by_signal)
    aim = target(str(order["namespace"]), minimum=int(str(order["minimum"])), maximum=int(str(order["minimum"])))
    agent = RunningAgent("", "", str(order["control"]), Path(), 0)
    with Client(entry) as plain, mortal(entry, fate) as client, httpx.Client(trust_env=False) as http:
        front = Front(World(agent, plain, Path(), http), aim)
        try:
            Runner(client, aim, front, lambda line: None, 0.0, settle_seconds=0.0).start(
                str(order["image"]), Choice(Strategy.BLUE_GREEN))
        except OperationError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
