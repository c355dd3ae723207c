"""A zone is lost: its nodes end, and somebody asks the front door all the while."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from rehearsal.disasters.strikes import Struck
from rehearsal.disasters.world import DrillError, World

LABEL = "topology.kubernetes.io/zone"
AVAILABLE = "available"
NOTICED_SECONDS = 120.0
BACK_SECONDS = 300.0  # of real time; on a machine with little else to do it is half a minute
_EVERY_SECONDS = 0.25
_ANSWER_SECONDS = 5.0


@dataclass
class Visitor:
    """Asks a URL without end; a failure is a status of 400 or more, or no answer."""

    url: str
    asked: int = 0
    failed: int = 0
    longest: float = 0.0  # seconds between two good answers, at most
    _ends: threading.Event = field(default_factory=threading.Event)
    _good: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        threading.Thread(target=self._ask, daemon=True).start()

    def end(self) -> Mapping[str, Any]:
        self._ends.set()
        return {"requests": self.asked, "failed": self.failed, "longest_gap_seconds": round(self.longest, 1)}

    def _ask(self) -> None:
        while not self._ends.wait(_EVERY_SECONDS):
            good = _answers(self.url)
            self.asked, self.failed = self.asked + 1, self.failed + (not good)
            self.longest = max(self.longest, time.monotonic() - self._good)
            self._good = time.monotonic() if good else self._good


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=_ANSWER_SECONDS):
            return True
    except (OSError, HTTPException):  # a status of 400 or more is an OSError here
        return False


def zone_lost(world: World) -> Struck:
    """Not the zone of a database that has no standby: that is a database that is gone, and has a page of its own."""
    if shutil.which("kubectl") is None:
        raise DrillError("the page's commands need `kubectl`, which is not on PATH; install it")
    zones = _zones(world)
    lost = victim(world, set(zones.values()), _only_zones_of_databases(world))
    wanted = {name: found for name, found in _deployments(world).items() if found == AVAILABLE}
    visitor = Visitor(f"{world.front_door}/api/health")
    visitor.begin()
    world.lose_zones([lost])
    try:
        _until("Kubernetes takes the zone's nodes for lost", NOTICED_SECONDS,
               lambda: lost not in _zones(world, ready=True).values())
    except DrillError:
        visitor.end()
        world.lose_zones([])
        raise

    def now() -> dict[str, Any]:
        def back() -> bool:
            return wanted.items() <= _deployments(world).items() and lost not in _zones(world).values()

        _until("all pods run in the other zones", BACK_SECONDS, back)
        return {**_deployments(world), "nodes in it": [node for node, at in _zones(world).items() if at == lost]}

    def tidy() -> None:
        visitor.end()
        world.lose_zones([])

    return Struck({"zone": lost}, {**wanted, "nodes in it": []}, now, tidy=tidy, seen=visitor.end)


def victim(world: World, zones: set[str], taken: set[str]) -> str:
    """Drawn by the seed. Raises DrillError where no zone can be lost without losing what nothing stands in for."""
    if len(zones) < 2:
        raise DrillError(f"{world.stack} has nodes in {', '.join(sorted(zones)) or 'no zone'}: there is no other zone")
    if not zones - taken:
        raise DrillError(f"{world.stack}'s databases without standby are in {', '.join(sorted(taken))}: no zone of its "
                         "nodes can be lost without them; set database.multiAz")
    return world.draw.choice(sorted(zones - taken))


def _only_zones_of_databases(world: World) -> set[str]:
    """The emulator has no failover, so where there is a standby, the database simply goes on."""
    rds = world.clients("rds")
    found = [rds.describe_db_instances(DBInstanceIdentifier=each.inputs["identifier"])["DBInstances"][0]
             for each in world.of("aws:rds/instance:Instance")]
    return {each["AvailabilityZone"] for each in found if not each["MultiAZ"]}


def _zones(world: World, ready: bool = False) -> dict[str, str]:
    """By node."""
    return {each["metadata"]["name"]: each["metadata"]["labels"].get(LABEL, "") for each in _all(world, "nodes")
            if not ready or any(condition["type"] == "Ready" and condition["status"] == "True"
                                for condition in each["status"]["conditions"])}


def _deployments(world: World) -> dict[str, Any]:
    """Available replicas of those that are to have any. An autoscaler may change how many; not that all are there."""
    return {f"{each['metadata']['namespace']}/{each['metadata']['name']}":
            AVAILABLE if each["status"].get("availableReplicas", 0) >= each["spec"]["replicas"] else "not available"
            for each in _all(world, "deployments") if each["spec"]["replicas"]}


def _all(world: World, kind: str) -> list[dict[str, Any]]:
    ran = world.look(["kubectl", "get", kind, "--all-namespaces", "-o", "json"])
    if ran.code:
        raise DrillError(f"kubectl get {kind}: {ran.stderr.strip()}")
    found: list[dict[str, Any]] = json.loads(ran.stdout)["items"]
    return found


def _until(what: str, seconds: float, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise DrillError(f"gave up after {seconds:.0f} s to wait until {what}")
        time.sleep(1.0)
