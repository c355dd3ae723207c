"""Canary and rolling on a real API server, with traffic that is counted and a judge that reads what was counted."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.settings.judging import Judging
from kube.client import Client
from operations.errors import Contested, NotAcceptable, OperationError
from operations.rollout import lease
from operations.rollout.choice import Choice
from operations.rollout.cluster import Cluster
from operations.rollout.events import Event, Happened
from operations.rollout.lease import Lease
from operations.rollout.model import Phase, Record, Result, Target
from operations.rollout.model import Strategy as By
from operations.rollout.outcome import outcome, requests
from rehearsal.kubernetes.controlplane import Running
from tests.cluster.agent_world import (
    World,
    world_fixture,  # noqa: F401  registers the fixture `world`
)
from tests.cluster.rollout_world import NEW, PROMPT_SECONDS, Counted, Traffic, build, host, runner, target
from tests.eventually import eventually

pytestmark = pytest.mark.cluster
Make = Callable[..., Target]
CANARY, ROLLING = Choice(By.CANARY), Choice(By.ROLLING)
SMALL: dict[str, Any] = {"stages_percent": (40, 100), "stage_minutes": 0.02, "stage_limit_minutes": 2.0,
                         "batch_minutes": 0.02}
# A stage is passed by 72 good requests; by default it takes 760.
QUICK = Judging(error_percent_healthy=1, error_percent_bad=10, slow_percent_healthy=5, slow_percent_bad=50)
BAD = "example/website:3.0--error-rate-0.05"


@pytest.fixture
def make(world: World, namespace: str) -> Iterator[Make]:
    made: list[Target] = []

    def make(**more: Any) -> Target:
        aim = target(namespace, **{**SMALL, **more})
        build(world, aim)
        made.append(aim)
        return aim

    yield make
    for aim in made:
        world.client.delete("networking.k8s.io/v1", "Ingress", aim.name, namespace)
    eventually("the ingress gone", lambda: not any(
        name.startswith(f"{namespace}/") for name in world.state()["loadBalancers"]))


def traffic(world: World, aim: Target) -> Traffic:
    return Traffic(world.agent.front_door_url, host(aim))


def colours(client: Client, aim: Target) -> dict[str, int]:
    return {colour: client.get("apps/v1", "Deployment", f"{aim.name}-{colour}", aim.namespace)["spec"]["replicas"]
            for colour in ("blue", "green")}


@pytest.mark.parametrize(("image", "why"), [
    (BAD, "requests of the new colour failed"), ("example/website:3.0--latency-ms-150", "its p95 is over the limit")])
def test_a_canary_that_fails_goes_back_at_once_and_says_why(
        world: World, client: Client, make: Make, image: str, why: str) -> None:
    aim = make(slow_seconds=0.1)
    with traffic(world, aim).running() as asked:
        record = runner(world, client, aim, source=Counted(world, aim)).start(image, CANARY)
    assert record.result is Result.ROLLED_BACK
    assert why in record.reason
    assert record.stage == 0
    assert 0 < record.returned - record.decided < PROMPT_SECONDS
    assert asked.last["green"] < record.decided + PROMPT_SECONDS
    assert set(asked.statuses) <= {"200", "500"}  # what the release answered itself
    assert world.get(host(aim)).json()["color"] == "blue"


def test_while_both_colours_fail_a_canary_holds_its_weight_and_the_judge_says_why(
        world: World, client: Client, make: Make) -> None:
    aim = make(image="example/website:1.0--error-rate-0.05", stage_limit_minutes=0.3)
    run = runner(world, client, aim, source=Counted(world, aim))
    with traffic(world, aim).running():
        record = run.start(BAD, CANARY)
    assert record.result is Result.HELD
    assert "both fail, so the release is not the cause" in record.reason
    assert run.weights() == {"blue": 60, "green": 40}


def test_a_canary_without_data_is_held_until_somebody_decides(world: World, client: Client, make: Make) -> None:
    aim = make(stage_limit_minutes=0.05)
    source = Counted(world, aim)

    def again() -> Any:
        return runner(world, client, aim, source=source)

    held = again().start(NEW, CANARY)
    assert (held.result, held.phase, held.finished) == (Result.HELD, Phase.STAGES, False)
    assert "not enough data" in held.reason
    assert again().weights() == {"blue": 60, "green": 40}
    assert again().resume().result is Result.HELD
    promoted = again().promote()
    assert (promoted.result, promoted.stage) == (Result.HELD, 1)  # the next stage has no data either
    assert again().weights() == {"blue": 0, "green": 100}
    aborted = again().abort()
    assert (aborted.result, aborted.reason) == (Result.ABORTED, "asked to go back")
    assert again().weights() == {"blue": 100, "green": 0}


class Died(BaseException):
    """The process is gone."""


def test_a_healthy_canary_is_passed_stage_by_stage_also_when_it_was_killed_and_goes_on_with_what_its_judge_knew(
        world: World, client: Client, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    aim = make(judging=QUICK)
    source = Counted(world, aim)
    monkeypatch.setattr(lease, "SECONDS", 1)  # how long it counts as alive
    first = runner(world, client, aim, source=source)
    note, knew = first.journal.note, []

    def die(record: Record) -> None:
        note(record)
        if record.judged == 0 and record.judge is not None and record.judge["state"]["new"]["requests"] > 10:
            knew.append(record)
            raise Died

    with traffic(world, aim).running() as asked:
        with monkeypatch.context() as killed:
            killed.setattr(first.journal, "note", die)
            killed.setattr(Lease, "__exit__", lambda self, *exception: self._stop.set())
            with pytest.raises(Died):
                first.start(NEW, CANARY)
        second = runner(world, client, aim, source=source)
        found = second.journal.load().current
        assert found is not None
        assert (found.judge, found.mark, found.stage) == (knew[0].judge, knew[0].mark, 0)
        record = second.start(NEW)
    assert (record.result, record.reason, record.revision) == (Result.PROMOTED, "", 1)
    assert asked.failures == []
    assert colours(client, aim)["blue"] == 0
    notes = "\n".join(record.notes)
    for said in ("40 % on green", "pass: 0 of", "100 % on green"):
        assert said in notes
    counted, before = requests(record), requests(knew[0])
    assert counted is not None
    assert before is not None
    assert counted["green"] > before["green"] + 72  # what the last stage alone takes
    told = outcome(aim, record, second.weights())
    assert {key: told[key] for key in ("service", "strategy", "result", "weights", "requests")} == {
        "service": "website", "strategy": "canary", "result": "promoted", "weights": {"blue": 0, "green": 100},
        "requests": counted}


def test_a_rolling_rollout_brings_pods_and_traffic_by_batches(world: World, client: Client, make: Make) -> None:
    aim = make()
    told: list[Event] = []
    run = runner(world, client, aim)
    run.tell = told.append
    with traffic(world, aim).running() as asked:
        record = run.start(NEW, ROLLING)
    assert record.result is Result.PROMOTED
    assert asked.failures == []
    batches = [re.fullmatch(r"stages: (\d+) % on green, (\d) pods", note) for note in record.notes]
    shares, pods = zip(*(map(int, found.groups()) for found in batches if found), strict=True)
    assert shares == (33, 66, 100)
    assert pods[0] < record.replicas == pods[-1]
    assert [event.record.percent for event in told if event.record.phase is Phase.STAGES] == [33.0, 66.0, 100.0]
    assert (told[0].happened, told[-1].happened) == (Happened.STARTED, Happened.ENDED)
    assert colours(client, aim)["blue"] == 0


def test_a_release_that_crashes_in_a_batch_goes_back(world: World, client: Client, make: Make) -> None:
    aim = make(batch_minutes=1.0)
    with traffic(world, aim).running() as asked:
        record = runner(world, client, aim).start("example/website:3.0--crash-after-seconds-7", ROLLING)
    assert record.result is Result.ROLLED_BACK
    assert "became ready and restarted" in record.reason
    assert world.get(host(aim)).json()["color"] == "blue"
    assert asked.colours["blue"] > 100


def test_a_blue_green_release_that_fails_in_the_hold_goes_back(world: World, client: Client, make: Make) -> None:
    aim = make()
    with traffic(world, aim).running():
        record = runner(world, client, aim, hold=60, source=Counted(world, aim)).start(BAD)
    assert (record.result, record.phase) == (Result.ROLLED_BACK, Phase.DONE)
    assert "requests of the new colour failed" in record.reason
    assert 0 < record.returned - record.decided < PROMPT_SECONDS


def in_stages(world: World, client: Client, aim: Target, cluster: Running) -> tuple[threading.Thread, list[Any]]:
    """A rolling rollout that waits at its first batch, at work in a thread; the list gets what comes of it."""
    came: list[Any] = []

    def work() -> None:
        with Client.from_kubeconfig(cluster.kubeconfig) as own:
            try:
                came.append(runner(world, own, aim).start(NEW, ROLLING))
            except OperationError as error:
                came.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    at = runner(world, client, aim)
    eventually("the first batch", lambda: (current := at.journal.load().current) and current.entered, 60)
    return thread, came


def weigh(client: Client, aim: Target) -> None:
    place = ("networking.k8s.io/v1", "Ingress", aim.name, aim.namespace)
    client.patch(*place, Cluster(client, aim).weights.patch(client.get(*place), (50, 50)), field_manager="kubectl-edit")


def shrink(client: Client, aim: Target) -> None:
    client.patch("apps/v1", "Deployment", f"{aim.name}-blue", aim.namespace, {"spec": {"replicas": 1}},
                 field_manager="kubectl-scale")


@pytest.mark.parametrize(("hand", "whose"), [(weigh, "kubectl-edit"), (shrink, "kubectl-scale")])
def test_a_hand_on_weights_or_pods_is_seen_and_both_colours_stay(
        world: World, client: Client, make: Make, cluster: Running,
        hand: Callable[[Client, Target], None], whose: str) -> None:
    aim = make(batch_minutes=5.0)
    thread, came = in_stages(world, client, aim, cluster)
    hand(client, aim)
    thread.join(timeout=5)
    assert isinstance(came[0], Contested)
    assert whose in str(came[0])
    assert min(colours(client, aim).values()) >= 1
    aborted = runner(world, client, aim).abort()
    assert (aborted.result, aborted.live) == (Result.ABORTED, "blue")


def test_a_stage_is_promoted_from_outside(world: World, client: Client, make: Make, cluster: Running) -> None:
    aim = make(batch_minutes=5.0)
    thread, came = in_stages(world, client, aim, cluster)
    for stage in (1, 2):
        asked = runner(world, client, aim).promote()
        assert (asked.result, asked.stage) == (Result.RUNNING, stage)
        at = runner(world, client, aim)
        eventually("the next batch", lambda at=at, stage=stage: (  # type: ignore[misc]
            (current := at.journal.load().current) and current.stage == stage and current.entered), 60)
    assert runner(world, client, aim).promote().result is Result.PROMOTED
    thread.join(timeout=30)
    assert came[0].result is Result.PROMOTED


def test_a_service_without_a_front_door_takes_blue_green_only(world: World, client: Client, make: Make) -> None:
    aim = make()
    hidden = Target(aim.stack, aim.settings, aim.service.model_copy(update={"paths": ()}))
    with pytest.raises(NotAcceptable, match=r"the front door does not reach website.*blue-green"):
        runner(world, client, hidden, source=Counted(world, aim)).start(NEW, CANARY)
    with pytest.raises(NotAcceptable, match="judged by readings"):
        runner(world, client, aim).start(NEW, CANARY)
