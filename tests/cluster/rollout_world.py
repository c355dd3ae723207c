"""One service in two colours as the program makes it, in a test's namespace, with traffic on its front door."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from infra.plans import ingress, kubernetes
from infra.plans.hosts import hosts
from infra.settings.load import load_file
from kube.client import Client
from operations.rollout.cluster import Weights
from operations.rollout.judging import Sample
from operations.rollout.judging.sources import Source, SourceError
from operations.rollout.model import Target
from operations.rollout.runner import Runner
from tests.cluster.agent_world import World
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
SERVICE, STACK = "website", "development"
OLD, NEW = "example/website:1.0", "example/website:2.0"
PROMPT_SECONDS = 3.0  # for what takes a tenth of a second on a machine that has nothing else to do
SMALL = {"cpu_millis": 10, "memory_mib": 32, "cpu_limit_millis": 100, "memory_limit_mib": 64}


def target(namespace: str, image: str = OLD, slow_seconds: float = 2.0, *, minimum: int = 2, maximum: int = 4,
           drain_seconds: int = 1, **rollout: Any) -> Target:
    """Development's website, small and quick, in another namespace and behind a host of its own. image: what runs.
    slow_seconds: of a request. rollout: of its settings, also what they do not allow."""
    settings = load_file(ROOT / f"Pulumi.{STACK}.yaml")
    found = next(service for service in settings.services if service.name == SERVICE)
    quick = found.model_copy(update={
        "image": image, "drain_seconds": drain_seconds, "switches": {}, "secrets": (), "environment": {},
        "paths": ("/",),
        "volume": None, "resources": found.resources.model_copy(update=SMALL),
        "replicas": found.replicas.model_copy(update={"minimum": minimum, "maximum": maximum})})
    return Target(STACK, settings.model_copy(update={
        "cluster": settings.cluster.model_copy(update={"namespace": namespace}), "services": (quick,),
        "rollout": settings.rollout.model_copy(update={"strategy": "blue-green", **rollout}),
        "observability": settings.observability.model_copy(update={
            "thresholds": settings.observability.thresholds.model_copy(update={"latency_p95_seconds": slow_seconds})}),
        "domain": settings.domain.model_copy(update={"prefix": namespace})}), quick)


def objects(aim: Target, whole_door: bool = False) -> Iterator[dict[str, Any]]:
    """What the program makes of the service, as far as a rollout meets it; blue is live. whole_door: with the Ingresses
    of blocked paths and of the maintenance page, in one group."""
    service, namespace = aim.service, aim.namespace
    pods = kubernetes.pod_template(service, namespace, priority_class="", storage_class="")
    del pods["template"]["spec"]["priorityClassName"]
    made: list[tuple[str, str, dict[str, Any]]] = [
        ("v1", "ServiceAccount", kubernetes.service_account(service, namespace)), ("v1", "PodTemplate", pods),
        ("v1", "Service", kubernetes.service(service, namespace))]
    for colour in kubernetes.COLOURS:
        made += [("apps/v1", "Deployment", kubernetes.deployment(service, colour, namespace, pods["template"])),
                 ("v1", "Service", kubernetes.service(service, namespace, colour)),
                 ("autoscaling/v2", "HorizontalPodAutoscaler", kubernetes.autoscaler(service, colour, namespace))]
    for version, kind, manifest in made:
        yield {"apiVersion": version, "kind": kind, **manifest}
    for member in ingress.members((service,), hosts(aim.settings.domain)):
        if whole_door or member.name == service.name:
            door = {f"{ingress.PREFIX}/listen-ports": json.dumps([{"HTTP": 80}]),
                    f"{ingress.PREFIX}/scheme": "internet-facing",
                    **({f"{ingress.PREFIX}/group.name": namespace} if whole_door else {})}
            yield {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                   "metadata": {"name": member.name, "namespace": namespace,
                                "annotations": {**member.annotations, **door}},
                   "spec": {"ingressClassName": "alb", "rules": member.rules}}


def build(world: World, aim: Target, whole_door: bool = False) -> None:
    """Blue answers at the front door afterwards."""
    world.apply(*objects(aim, whole_door))
    eventually("blue answers at the front door", lambda: Door(world, aim).waiting("blue", ()) == ""
               and world.get(host(aim)).status_code == 200, 60)


def host(aim: Target) -> str:
    return hosts(aim.settings.domain).apex


@dataclass
class Door:
    """The front as the agent's data plane shows it, in place of ELBv2."""

    world: World
    aim: Target

    def waiting(self, colour: str, addresses: Iterable[str]) -> str:
        balancers, namespace = self.world.state()["loadBalancers"], self.aim.namespace
        balancer = balancers.get(f"{namespace}/{self.aim.name}") or balancers.get(namespace) or {}
        found = {key.split("-")[-1].partition(":")[0]: group["targets"]
                 for key, group in balancer.get("targetGroups", {}).items()}.get(colour, {})
        health = {address.partition(":")[0]: state for address, state in found.items()}
        if not health:
            return f"{colour} has no target"
        wrong = [address for address in (addresses or health) if health.get(address) != "healthy"]
        return f"{', '.join(wrong)} not healthy" if wrong else ""

    def following(self, weights: Weights) -> str:
        """By what comes out: the data plane is in one process, and follows at once. A share of at least a tenth shows
        in 60 answers."""
        wanted = {colour for colour, weight in zip(kubernetes.COLOURS, weights, strict=True) if weight}
        answers = [self.world.get(host(self.aim)) for _ in range(5 if len(wanted) == 1 else 60)]
        seen = {answer.json()["color"] for answer in answers if answer.status_code == 200}
        return "" if seen == wanted else f"answers come from {', '.join(seen)}"


@dataclass
class Counted:
    """A source of readings: what the agent's load balancer has counted at each moment that was asked for."""

    world: World
    aim: Target
    interval_seconds: float = 1.0
    delay_seconds: float = 0.0
    _seen: dict[datetime, dict[str, Any]] = field(default_factory=dict)

    def readable(self, now: datetime) -> datetime:
        groups = self.world.state()["loadBalancers"][f"{self.aim.namespace}/{self.aim.name}"]["targetGroups"]
        self._seen[now] = {key.split("-")[-1].partition(":")[0]: group for key, group in groups.items()}
        return now

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        before, after = (self._at(moment, colour) for moment in (since, until))
        slow = self.aim.settings.observability.thresholds.latency_p95_seconds
        requests, errors, late = (_difference(before, after, count) for count in (
            lambda group: group["requests"],
            lambda group: group["requests"] - sum(count for status, count in group["statuses"].items()
                                                  if status != "5XX"),
            lambda group: sum(count for seconds, count in group["seconds"].items() if float(seconds) > slow)))
        return Sample((until - since).total_seconds(), requests, errors, late)

    def _at(self, moment: datetime, colour: str) -> dict[str, Any]:
        known = [seen for seen in self._seen if seen <= moment + timedelta(milliseconds=1)]
        if not known:
            raise SourceError(f"nothing was counted before {moment}")
        found: dict[str, Any] = self._seen[max(known)][colour]
        return found


def _difference(before: dict[str, Any], after: dict[str, Any], count: Callable[[dict[str, Any]], int]) -> int:
    return count(after) - count(before)


@dataclass
class Traffic:
    """Requests over kept and over fresh connections, all counted. fits: whether an answer is as it should be."""

    base: str
    host: str
    fits: Callable[[httpx.Response], bool] = lambda answer: answer.status_code == 200
    statuses: Counter[str] = field(default_factory=Counter)
    colours: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)  # colour → when it answered last, epoch
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, clients: int = 3) -> Iterator[Traffic]:
        threads = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _ask(self, kept: bool) -> None:
        while not self._stop.is_set():
            with httpx.Client(base_url=self.base, headers={"Host": self.host}, trust_env=False, timeout=10,
                              verify=False) as client:
                for _ in range(200 if kept else 1):
                    if self._stop.is_set():
                        return
                    try:
                        answer = client.get("/")
                        self.statuses[str(answer.status_code)] += 1
                        if answer.status_code == 200:
                            self.last[answer.json()["color"]] = time.time()
                            self.colours[answer.json()["color"]] += 1
                        if not self.fits(answer):
                            self.failures.append(f"{answer.status_code} {answer.text[:100]}")
                    except httpx.HTTPError as error:
                        self.statuses["none"] += 1
                        self.failures.append(repr(error))
                    time.sleep(0.002)  # a rate, not a wait: some hundred requests a second


def runner(world: World, client: Client, aim: Target, said: list[str] | None = None, hold: float = 0.0,
           source: Source | None = None) -> Runner:
    return Runner(client, aim, Door(world, aim), (said if said is not None else []).append, hold, settle_seconds=1.0,
                  sources=None if source is None else lambda readings, url: source)
