"""An environment in use: what operators changed stays through `up`, a seventh service comes, maintenance, jobs."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from infra.plans import ingress
from kube.client import Client, Object
from tests.e2e.conftest import Command
from tests.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

STACK, NAMESPACE, OPERATIONS = "development", "candlefish-dev", "candlefish-operations"
SEVENTH = {
    "port": 9000, "image": "ghcr.io/candlefish-ai/guestbook:1.0.0", "callers": ["front-door"], "paths": ["/guestbook"],
    "calls": ["database"], "probe": {"path": "/health"}, "switches": {"CLOSED": "false"},
    "secrets": [{"variable": "DATABASE_URL", "secret": "database", "key": "url"},
                {"variable": "SENTRY_DSN", "secret": "sentry", "key": "dsn", "optional": True}],
    "resources": {"cpuMillis": 10, "memoryMib": 32, "cpuLimitMillis": 50, "memoryLimitMib": 64},
    "replicas": {"minimum": 1, "maximum": 1}}
CHANGES = (f"services.guestbook={json.dumps(SEVENTH)}", "services.website.replicas.maximum=3",
           "services.website.resources.memoryMib=520", "services.website.drainSeconds=1")


@pytest.fixture(scope="module")
def candlefish(development: Command) -> Iterator[Command]:
    yield development
    development("rehearse", "reset", "--yes")


@pytest.fixture(scope="module")
def built(candlefish: Command) -> dict[str, Any]:
    document: dict[str, Any] = candlefish("rehearse", "up", "--stack", STACK, "--json").document
    return document


@pytest.fixture(scope="module")
def cluster(candlefish: Command, built: dict[str, Any]) -> Iterator[Client]:
    with Client.from_kubeconfig(candlefish.home / "stacks" / STACK / "kubernetes" / "kubeconfig") as client:
        yield client


def up(candlefish: Command, *arguments: str) -> dict[str, int]:
    config = [word for change in CHANGES for word in ("--config", change)]
    changes: dict[str, int] = candlefish("rehearse", "up", "--stack", STACK, "--json", *config,
                                         *arguments).document["changes"]
    return changes


def get(client: Client, api: str, kind: str, name: str) -> Object:
    return client.get(api, kind, name, NAMESPACE)


def write(client: Client, api: str, kind: str, name: str, **fields: Any) -> None:
    """As operations do: a server-side apply of their own."""
    metadata = {**fields.pop("metadata", {}), "name": name, "namespace": NAMESPACE}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}
    client.apply(body, field_manager=OPERATIONS, force=True)


def ask(url: str, **headers: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers, and the body's JSON or text."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def rollout(candlefish: Command, *arguments: str) -> Any:
    """As in a shell that has evaluated `candlefish rehearse env`."""
    lines = candlefish("rehearse", "env", "--stack", STACK).stdout.splitlines()
    exported = dict(line.removeprefix("export ").split("=", 1) for line in lines if "PATH=" not in line.split("=")[0])
    shell = {name: value.strip("'\"") for name, value in exported.items() if name != "PATH"}
    return candlefish("rollout", *arguments, "--stack", STACK, "--json", **shell).document


def test_what_operators_changed_stays_and_a_seventh_service_comes(
        candlefish: Command, built: dict[str, Any], cluster: Client) -> None:
    site = built["outputs"]["siteUrl"]
    image = "ghcr.io/candlefish-ai/website:2.0.0"
    released = rollout(candlefish, "start", "website", "--image", image, "--strategy", "blue-green", "--hold", "0",
                       "--front-door", site)
    assert (released["result"], released["weights"]) == ("promoted", {"blue": 0, "green": 100})
    write(cluster, "v1", "ConfigMap", "backend-api-read-only", data={"READ_ONLY": "true"})
    write(cluster, "autoscaling/v2", "HorizontalPodAutoscaler", "website-green", spec={"minReplicas": 2})
    assert ask(f"{site}/x")[2]["color"] == "green"

    changes = up(candlefish)
    assert changes["create"] > 15
    assert (changes["replace"], changes["delete"]) == (0, 0)

    green = get(cluster, "apps/v1", "Deployment", "website-green")["spec"]
    assert green["replicas"] in (1, 2)  # the autoscaler's minimum may have come first
    assert green["template"]["spec"]["containers"][0]["image"] == image
    assert get(cluster, "v1", "Service", "website")["spec"]["selector"]["color"] == "green"
    assert get(cluster, "v1", "ConfigMap", "backend-api-read-only")["data"] == {"READ_ONLY": "true"}
    scaler = get(cluster, "autoscaling/v2", "HorizontalPodAutoscaler", "website-green")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 3)
    wanted = get(cluster, "v1", "PodTemplate", "website")["template"]["spec"]["containers"][0]
    assert wanted["resources"]["requests"]["memory"] == "520Mi"  # waits there for the next rollout
    assert ask(f"{site}/x")[2]["version"] == "2.0.0"
    eventually("the seventh service answers", lambda: ask(f"{site}/guestbook/1")[0] == 200)
    assert ask(f"{site}/guestbook/1")[2]["service"] == "guestbook"
    same = up(candlefish, "--expect-no-changes")
    assert {count for operation, count in same.items() if operation != "same"} == {0}


def test_one_write_puts_the_maintenance_page_up_and_another_takes_it_down(
        candlefish: Command, built: dict[str, Any], cluster: Client) -> None:
    site = built["outputs"]["siteUrl"]

    def switch(value: str) -> None:
        write(cluster, "networking.k8s.io/v1", "Ingress", "maintenance",
              metadata={"annotations": {ingress.MAINTENANCE_SWITCH: value}})

    write(cluster, "apps/v1", "Deployment", "maintenance", spec={"replicas": 1})
    eventually("the page can be looked at", lambda: ask(
        f"{site}/", **{ingress.MAINTENANCE_HEADER: "preview"})[1].get("Retry-After") == "600")
    assert ask(f"{site}/")[0] == 200

    switch(ingress.MAINTENANCE_ON)
    eventually("the page is up", lambda: ask(f"{site}/")[0] == 503)
    assert ask(f"{site}/guestbook/1")[1]["Retry-After"] == "600"
    assert ask(f"{site}/api/health")[2]["service"] == "website"
    assert ask(f"{built['outputs']['apiUrl']}/health")[2]["service"] == "api-gateway"
    assert ask(f"{site}/api/metrics")[0] == 404
    up(candlefish, "--expect-no-changes")
    assert ask(f"{site}/")[0] == 503

    switch(ingress.MAINTENANCE_OFF)
    eventually("the site is back", lambda: ask(f"{site}/")[0] == 200)


@pytest.mark.parametrize("name", ["backend-api-migration", "database-dump", "database-upkeep"])
def test_a_job_is_made_of_its_template_and_runs(cluster: Client, name: str) -> None:
    template = get(cluster, "batch/v1", "CronJob", name)["spec"]["jobTemplate"]
    cluster.create({"apiVersion": "batch/v1", "kind": "Job", **template,
                    "metadata": {**template["metadata"], "name": f"{name}-now", "namespace": NAMESPACE}})
    eventually("the job is done", lambda: get(cluster, "batch/v1", "Job", f"{name}-now")["status"].get("succeeded"))


def test_the_time_is_moved_and_the_functions_that_are_due_are_called(
        candlefish: Command, built: dict[str, Any]) -> None:
    """A minute: what begins with the environment. The evenings to come and what has another clock are only shown."""
    shown = candlefish("rehearse", "clock", "--stack", STACK, "--json").document
    assert {each["expression"] for each in shown["next"]} >= {
        "cron(0 18 ? * MON-FRI *) America/New_York", "cron(0 8 ? * MON-FRI *) America/New_York", "rate(30 days)"}
    assert {each["kind"] for each in shown["notMoved"]} >= {"CronJob", "backup plan", "rotation"}
    moved = candlefish("rehearse", "clock", "--stack", STACK, "--advance", "1m", "--json").document
    assert {each["outcome"] for each in moved["calls"]} == {"done"}, moved["calls"]
    called = {each["target"].rpartition("candlefish-")[2] for each in moved["calls"]}
    assert called >= {"visitor-memory", "cache-rotation", "key-rotation"}  # more, if it is six in the evening now


def test_down_and_up_again_makes_everything_anew_though_its_port_is_taken(candlefish: Command) -> None:
    port = int((candlefish.home / "aws" / "port").read_text())
    candlefish("rehearse", "down")
    assert candlefish("rehearse", "status", "--stack", STACK, "--json").document["aws"] is None
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        again = candlefish("rehearse", "up", "--stack", STACK, "--json").document
        assert again["changes"]["create"] > 100
        assert int((candlefish.home / "aws" / "port").read_text()) != port
