"""A cluster that is played: the controllers that a rollout depends on, and a load balancer whose nodes lag. Its rules
are those of Kubernetes as far as a rollout meets them; tests/cluster has the real ones."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.plans.kubernetes import COLOURS
from operations.rollout.cluster import Cluster, Weights
from operations.rollout.model import Target
from tests.soak.clock import Clock
from tests.soak.played_api import KINDS, Api, Object

NOTHING: tuple[float, Weights, dict[str, frozenset[str]]] = (0.0, (0, 0), {})
SLICE_SECONDS = 0.1  # until a slice shows what is so


class Played:
    """One service. lag_seconds: of the slowest of three nodes. required: pods that must be ready; `low` says where
    there were fewer. Each tick is one request over each node to each target that it knows: `requests`, `lost`."""

    def __init__(self, clock: Clock, aim: Target, objects: Iterable[Object], lag_seconds: float, required: int,
                 dice: random.Random) -> None:
        self.clock, self.aim, self.api, self.dice, self.required = clock, aim, Api(), dice, required
        self.cluster = Cluster(None, aim)  # type: ignore[arg-type]
        self.lags = (0.0, lag_seconds / 2, lag_seconds)
        self.requests, self.lost, self.looks = 0, 0, 0
        self.low: list[str] = []
        self.alive: dict[str, float] = {}  # address → when it stops to answer
        self._address = 0
        self._slices: dict[str, list[tuple[float, frozenset[str]]]] = {}
        self._seen: list[tuple[float, Weights, dict[str, frozenset[str]]]] = []
        self._started = False
        self._known, self._due = 0, 0.0
        self._view: tuple[int, tuple[str, ...], int] = (0, (), 0)
        self._judged: object = None
        self._first_end, self._lost_now = 0.0, 0
        plurals = {kind: plural for each in KINDS.values() for kind, _, plural in (one.partition(":") for one in each)}
        for item in objects:
            self.api.put(plurals[item["kind"]], json.loads(json.dumps(item)))
        for _ in range(80):
            clock.at += 0.05
            self.tick()
        self._seen = [(0.0, *self._seen[-1][1:])]
        self._view = self._viewed()
        self._started = True
        clock.ticks.append(self.tick)

    def tick(self) -> None:
        """Nothing is worked out again while nothing was written and nothing is due."""
        if self.api.version != self._known or self.clock.now() >= self._due:
            self._step()
            self._known, self._due = self.api.version, self._next()
            self._view = self._viewed()
        if self._started:
            self._look()

    def _next(self) -> float:
        """When something happens by itself."""
        now, at = self.clock.now(), [float("inf")]
        for pod in self.api.of("pods"):
            at.append(pod.get("gone") or (now if "owner" not in pod else pod["from"] if not _ready(pod) else at[0]))
        at += [history[1][0] + SLICE_SECONDS for history in self._slices.values() if len(history) > 1]
        at += [since + lag for since, _, _ in self._seen for lag in self.lags if since + lag > now]
        if any(self._starved()):
            return now
        return min(at)

    def _starved(self) -> Iterator[Object]:
        """Deployments with fewer pods than their autoscalers allow."""
        for each in self.api.of("horizontalpodautoscalers"):
            found = self.api.objects["deployments", each["spec"]["scaleTargetRef"]["name"]]
            if 0 < found["spec"]["replicas"] < each["spec"]["minReplicas"]:
                yield {**found, "spec": {**found["spec"], "replicas": each["spec"]["minReplicas"]}}

    def _step(self) -> None:
        for starved in list(self._starved()):
            if self.dice.random() < 0.05:
                self.api.put("deployments", json.loads(json.dumps(starved)))
        for deployment in self.api.of("deployments"):
            self._deploy(deployment)
        self._kubelet()
        self._endpoints()
        self._balance()

    def _deploy(self, item: Object) -> None:
        name, wanted = item["metadata"]["name"], item["spec"]["replicas"]
        template = item["spec"]["template"]
        mark = f"{template['spec']['containers'][0]['image']} {template['metadata'].get('annotations')}"
        pods = [pod for pod in self.api.of("pods") if pod.get("owner") == name and "gone" not in pod]
        new = [pod for pod in pods if pod["mark"] == mark]
        ready = [pod for pod in new if _ready(pod)]
        for _ in range(wanted - len(new)):
            new.append(self._pod(item, mark))
        surplus = sorted(new, key=_ready)[:max(0, len(new) - wanted)]
        old = [pod for pod in pods if pod["mark"] != mark] if len(ready) >= wanted else []
        for pod in (*surplus, *old):
            self._end(pod)
        status = {"observedGeneration": item["metadata"]["generation"], "replicas": len(pods),
                  "updatedReplicas": len(new), "readyReplicas": len(ready), "availableReplicas": len(ready)}
        if item.get("status") != status:
            self.api.put("deployments", {**item, "metadata": dict(item["metadata"]), "status": status})

    def _pod(self, item: Object, mark: str) -> Object:
        self._address += 1
        template, address = item["spec"]["template"], f"10.0.{self._address // 250}.{self._address % 250}"
        image = template["spec"]["containers"][0]["image"]
        return self.api.put("pods", {
            "metadata": {"name": f"{item['metadata']['name']}-{self._address}",
                         "labels": dict(template["metadata"]["labels"])},
            "owner": item["metadata"]["name"], "mark": mark, "from": self.clock.now() + self.dice.uniform(0.3, 2.0),
            "status": {"phase": "Pending", "podIP": address, "conditions": [], "containerStatuses": [
                {"restartCount": 0, "image": image, "imageID": image, "state": {"waiting": {"reason": "Creating"}}}]}})

    def _end(self, pod: Object) -> None:
        """It serves for as long as it drains."""
        pod["gone"] = self.clock.now() + self.aim.service.drain_seconds
        self.alive[pod["status"]["podIP"]] = pod["gone"]
        pod["metadata"]["deletionTimestamp"] = "now"
        self.api.put("pods", pod)

    def _kubelet(self) -> None:
        now = self.clock.now()
        for pod in self.api.of("pods"):
            if pod.get("gone", now + 1) < now:
                self.api.objects.pop(("pods", pod["metadata"]["name"]))
            elif "owner" not in pod:
                pod.setdefault("since", now)
                if pod.get("status", {}).get("phase") is None and now > pod["since"] + 0.5:
                    pod["status"] = {"phase": "Succeeded"}
            elif not _ready(pod) and "gone" not in pod and now >= pod["from"]:
                pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
                pod["status"]["phase"] = "Running"
                self.alive[pod["status"]["podIP"]] = float("inf")
                self.api.put("pods", pod)

    def _endpoints(self) -> None:
        """A slice shows what was so a moment before."""
        now = self.clock.now()
        for service in self.api.of("services"):
            name, selector = service["metadata"]["name"], service["spec"]["selector"]
            chosen = frozenset(pod["metadata"]["name"] for pod in self.api.of("pods") if _ready(pod)
                               and "gone" not in pod and selector.items() <= pod["metadata"]["labels"].items())
            history = self._slices.setdefault(name, [(0.0, frozenset())])
            if chosen != history[-1][1]:
                history.append((now, chosen))
            if len(history) > 1 and history[1][0] + SLICE_SECONDS <= now:
                history.pop(0)
                if history[0][1] or ("endpointslices", name) in self.api.objects:
                    self._slice(name, history[0][1])

    def _slice(self, name: str, pods: Iterable[str]) -> None:
        found = [self.api.objects.get(("pods", pod)) for pod in sorted(pods)]
        self.api.put("endpointslices", {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": [pod["status"]["podIP"]], "conditions": {"ready": True},
                           "targetRef": {"name": pod["metadata"]["name"]}} for pod in found if pod]})

    def targets(self, service: str) -> frozenset[str]:
        item = self.api.objects.get(("endpointslices", service), {})
        return frozenset(address for each in item.get("endpoints", ()) for address in each["addresses"])

    def _balance(self) -> None:
        weights = self.cluster.weights.read(self.api.objects["ingresses", self.aim.name])
        sets = {colour: self.targets(f"{self.aim.name}-{colour}") for colour in COLOURS}
        if not self._seen or self._seen[-1][1:] != (weights, sets):
            self._seen.append((self.clock.now(), weights, sets))
            oldest = self.clock.now() - self.lags[-1]
            while len(self._seen) > 1 and self._seen[1][0] <= oldest:
                self._seen.pop(0)

    def _viewed(self) -> tuple[int, tuple[str, ...], int]:
        """Requests of a tick, addresses that they go to, pods behind the live Service."""
        now, asked = self.clock.now(), list[str]()
        for lag in self.lags:
            _, weights, sets = next((each for each in reversed(self._seen) if each[0] <= now - lag), NOTHING)
            for colour, weight in zip(COLOURS, weights, strict=True):
                asked += (sets[colour] or {""}) if weight else ()
        return len(asked), tuple(asked), len(self.targets(self.aim.name))

    def _look(self) -> None:
        now = self.clock.now()
        count, asked, ready = self._view
        self.requests += count
        self.looks += 1
        if now >= self._first_end or self._view is not self._judged:
            ends = [self.alive.get(address, 0.0) for address in asked]
            self._lost_now = sum(end <= now for end in ends)
            self._first_end, self._judged = min((end for end in ends if end > now), default=float("inf")), self._view
        self.lost += self._lost_now
        if ready < self.required:
            self.low.append(f"{now:.2f}: {ready} ready behind {self.aim.name}, not {self.required}")

    # As ELBv2's API shows it

    def waiting(self, colour: str, addresses: Iterable[str]) -> str:
        missing = set(addresses) - self.targets(f"{self.aim.name}-{colour}")
        return f"{', '.join(sorted(missing))} not registered" if missing else ""

    def following(self, weights: Weights) -> str:
        return "" if self._seen[-1][1] == weights else "other weights"


def _ready(pod: Mapping[str, Any]) -> bool:
    return any(each["type"] == "Ready" for each in pod.get("status", {}).get("conditions", ()))


