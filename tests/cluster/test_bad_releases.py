"""A bad release of each kind is refused or taken back by itself, and the reason is said in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kube.client import Client
from operations.rollout import steps
from operations.rollout.cluster import Cluster
from operations.rollout.model import Result, Target
from operations.rollout.shares import weights
from rehearsal.kubernetes.controlplane import Running
from tests.cluster.rollout_world import OLD
from tests.soak.world import Soak, soaking

pytestmark = pytest.mark.cluster

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
