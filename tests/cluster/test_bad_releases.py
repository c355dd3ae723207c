"""A bad release of each kind is refused or taken back by itself, and the reason is said in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import mean

import pytest

from kube.client import Client
from operations.rollout import steps
from operations.rollout.choice import Choice
from operations.rollout.cluster import Cluster
from operations.rollout.judging import Sample
from operations.rollout.model import Result, Strategy, Target
from operations.rollout.shares import weights
from rehearsal.kubernetes.controlplane import Running
from tests.cluster.rollout_world import OLD, Counted
from tests.soak.world import Soak, soaking

pytestmark = pytest.mark.cluster

CANARY = Choice(Strategy.CANARY)
BACK_SECONDS = 5.0  # decision to weights written, on a loaded machine; `make soak` measures it
DIGEST = f"sha256:{'a' * 64}"
PODS_SECONDS = 6.0  # in place of 600: how long pods may take to be ready


@dataclass(frozen=True)
class Bad:
    """tag: of the image, with the stand-in's knobs. reason: a pattern; what is seen first depends on the moment."""

    kind: str
    tag: str
    reason: str


NOT_READY = r"not within 6 s: 2 pods of green are ready"
BEFORE_THE_SWITCH = (
    Bad("crash loop", "2.0--crash-after-seconds-0.3", r"of green (became ready and restarted|do not start: CrashLoop)"),
    Bad("crash at once", "2.0--crash-after-seconds-0", r"pods of green do not start: CrashLoopBackOff"),
    Bad("failing probe", "2.0--fail-probes-readiness", NOT_READY),
    Bad("probe that fails after a while", "2.0--fail-probes-readiness--fail-after-seconds-1",
        r"were ready and did not stay so|health check from inside the cluster failed on green"),
    Bad("slow start", "2.0--start-seconds-600", NOT_READY),
    Bad("image that is not there", f"2.0--missing@{DIGEST}", r"pods of green do not start: .*ImagePull"),
    Bad("wrong digest", f"2.0--replaced@{DIGEST}", r"runs .*@sha256:\w+, not sha256:aaaa"),
)

STRETCH = 30.0  # seconds of the judge's for one of the machine's: a memory leak is told after minutes
UNDER_TRAFFIC = (
    Bad("1 % errors", "2.0--error-rate-0.01", r"of \d+ requests of the new colour failed"),
    Bad("latency", "2.0--latency-ms-400", r"p95 is over the limit"),
    Bad("fps drop", "2.0--fps-20", r"the animation runs at [12]\d\.\d frames/s"),
    Bad("memory growth", "2.0--memory-mib-10--memory-mib-per-minute-60", r"the pods' memory grows by"),
)


@dataclass
class Scraped:
    """What the load balancer counted, and frame rate and memory as the pods' own metrics say."""

    counted: Counted
    interval_seconds: float = 1.0
    delay_seconds: float = 0.0

    def readable(self, now: datetime) -> datetime:
        return self.counted.readable(now)

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        world, aim = self.counted.world, self.counted.aim
        pods = [found["ports"] for name, found in world.state()["pods"].items()
                if name.startswith(f"{aim.namespace}/{aim.name}-{colour}-") and found["ports"]]
        texts = [world.http.get(f"http://127.0.0.1:{next(iter(ports.values()))}/api/metrics").text for ports in pods]
        sample = self.counted.read(colour, since, until)
        return replace(sample, seconds=STRETCH * sample.seconds, fps=_mean(texts, "candlefish_animation_fps"),
                       memory_bytes=_mean(texts, "process_resident_memory_bytes"))


def _mean(texts: list[str], name: str) -> float:
    shown = re.compile(rf"^{name}{{.*}} (\S+)$", re.MULTILINE)
    return mean(float(value) for text in texts for value in shown.findall(text))


@pytest.fixture(scope="module")
def soak(cluster: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soak]:
    with soaking(tmp_path_factory.mktemp("bad"), cluster) as made:
        yield made


@pytest.fixture(scope="module")
def aim(soak: Soak) -> Iterator[Target]:
    with soak.service("bad", minimum=2) as found:
        yield found


@pytest.mark.parametrize("bad", BEFORE_THE_SWITCH, ids=lambda bad: bad.kind)
def test_a_release_that_is_not_fit_gets_no_traffic(
        soak: Soak, aim: Target, client: Client, bad: Bad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PODS_SECONDS", PODS_SECONDS)
    with soak.loaded(aim, kept=1, sockets=0, pause_seconds=0.02) as look:
        record = soak.runner(client, aim, print, settle=2.0).start(f"example/website:{bad.tag}")
    assert record.result is Result.ROLLED_BACK
    assert re.search(bad.reason, record.reason), record.reason
    counts, cluster = look(), Cluster(client, aim)
    assert (counts["failed"], set(counts["of"])) == (0, {"blue"})
    assert (cluster.read(cluster.selector), cluster.read(cluster.weights)) == ("blue", weights("blue"))
    assert cluster.pods("green") == []
    assert cluster.deployment("blue")["spec"]["template"]["spec"]["containers"][0]["image"] == OLD


@pytest.mark.parametrize("bad", UNDER_TRAFFIC, ids=lambda bad: bad.kind)
def test_a_release_that_is_bad_under_traffic_is_taken_back_by_the_judge(
        soak: Soak, client: Client, bad: Bad) -> None:
    with soak.service("judged", minimum=2, slow_seconds=0.25, stages_percent=(50, 100), stage_minutes=15.0) as aim:
        with soak.loaded(aim, kept=12, sockets=0, pause_seconds=0.01) as look:
            source = Scraped(Counted(soak.world, aim))
            record = soak.runner(client, aim, print, source=source).start(f"example/website:{bad.tag}", CANARY)
        counts, cluster = look(), Cluster(client, aim)
        live = cluster.read(cluster.selector), cluster.read(cluster.weights), len(cluster.pods("green"))
    assert record.result is Result.ROLLED_BACK
    assert re.search(bad.reason, record.reason), record.reason
    assert record.stage == 0
    assert counts["of"]["green"] < counts["of"]["blue"]
    assert 0 < record.returned - record.decided < BACK_SECONDS
    assert live == ("blue", weights("blue"), 0)
