"""An environment in use: what operators changed stays through `up`, a seventh service comes, maintenance, jobs.

The commands of docs/switches.md are those that are run here.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from kube.client import Client, Object
from rehearsal.postgres.binaries import NoPostgres, find
from tests.e2e.conftest import ROOT, Command
from tests.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

STACK, NAMESPACE = "development", "candlefish-dev"
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


def ask(url: str, **headers: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers, and the body's JSON or text."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def text_of(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


class Page:
    """docs/switches.md: its commands are run by their words, so that what is run is what is written. As in a shell that
    has evaluated `candlefish rehearse env`."""

    def __init__(self, candlefish: Command, export: Path) -> None:
        text = (ROOT / "docs" / "switches.md").read_text()
        lines = "".join(re.findall(r"```sh\n(.*?)```", text, re.S)).splitlines()
        self.left = [line.removeprefix("candlefish ") for line in lines]
        self._candlefish, self._export = candlefish, export
        exported = [line.removeprefix("export ").split("=", 1) for line in
                    candlefish("rehearse", "env", "--stack", STACK).stdout.splitlines()]
        self.shell: dict[str, Any] = {name: value.strip("'\"") for name, value in exported if name != "PATH"}

    def __call__(self, line: str) -> Any:
        self.left.remove(line)
        words = line.replace(f" --stack {STACK}", "").split()
        return self.operate(*(str(self._export) if word == "out" else word for word in words))

    def operate(self, *arguments: str, code: int = 0) -> Any:
        return self._candlefish(*arguments, "--stack", STACK, "--json", code=code, **self.shell).document

    def boto3(self, service: str) -> Any:
        return boto3.client(service, region_name=self.shell["AWS_REGION"],
                            endpoint_url=self.shell["AWS_ENDPOINT_URL"], aws_secret_access_key="test",
                            aws_access_key_id=self.shell["AWS_ACCESS_KEY_ID"])


@pytest.fixture(scope="module")
def page(candlefish: Command, built: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Page:
    export = tmp_path_factory.mktemp("out")
    for key, text in (("_next/static/one.js", "one()"), ("offline/index.html", "<h1>offline, of the release</h1>")):
        (export / key).parent.mkdir(parents=True)
        (export / key).write_text(text)
    return Page(candlefish, export)


def test_what_operators_changed_stays_and_a_seventh_service_comes(
        candlefish: Command, built: dict[str, Any], cluster: Client, page: Page) -> None:
    site = built["outputs"]["siteUrl"]
    image = "ghcr.io/candlefish-ai/website:2.0.0"
    released = page.operate("rollout", "start", "website", "--image", image, "--strategy", "blue-green", "--hold", "0",
                            "--front-door", site)
    assert (released["result"], released["weights"]) == ("promoted", {"blue": 0, "green": 100})
    on = page("switch read-only on --stack development")
    assert (on["value"], on["pods"], on["with"]) == ("true", 1, 1)
    assert page("scale website --min 2 --stack development")["minimum"] == 2
    assert page("site deploy out --stack development --dry-run")["steps"][-1] == "invalidate"
    deployed = page("site deploy out --stack development")
    assert (deployed["outcome"], deployed["colour"], deployed["written"]) == ("live", "green", 4)
    assert ask(f"{site}/x")[2]["color"] == "green"

    changes = up(candlefish)
    assert changes["create"] > 15
    assert (changes["replace"], changes["delete"]) == (0, 0)

    green = get(cluster, "apps/v1", "Deployment", "website-green")["spec"]
    assert green["replicas"] in (1, 2)  # the autoscaler's minimum may have come first
    assert green["template"]["spec"]["containers"][0]["image"] == image
    assert get(cluster, "v1", "Service", "website")["spec"]["selector"]["color"] == "green"
    values = {each["switch"]: each["value"] for each in page("switch --stack development")["switches"]}
    assert values["read-only"] == "true"
    assert page("site status --stack development")["live"] == "green"
    assert text_of(f"{site}/offline/index.html") == "<h1>offline, of the release</h1>"
    scaler = get(cluster, "autoscaling/v2", "HorizontalPodAutoscaler", "website-green")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 3)
    wanted = get(cluster, "v1", "PodTemplate", "website")["template"]["spec"]["containers"][0]
    assert wanted["resources"]["requests"]["memory"] == "520Mi"  # waits there for the next rollout
    assert ask(f"{site}/x")[2]["version"] == "2.0.0"
    eventually("the seventh service answers", lambda: ask(f"{site}/guestbook/1")[0] == 200)
    assert ask(f"{site}/guestbook/1")[2]["service"] == "guestbook"
    same = up(candlefish, "--expect-no-changes")
    assert {count for operation, count in same.items() if operation != "same"} == {0}


def test_the_maintenance_page_comes_stays_through_up_and_goes(
        candlefish: Command, built: dict[str, Any], page: Page) -> None:
    site = built["outputs"]["siteUrl"]
    assert page("maintenance on --stack development")["ready"] == 2
    assert ask(f"{site}/")[0] == 503
    assert ask(f"{site}/guestbook/1")[1]["Retry-After"] == "600"
    assert ask(f"{site}/api/health")[2]["service"] == "website"
    assert ask(f"{built['outputs']['apiUrl']}/health")[2]["service"] == "api-gateway"
    assert ask(f"{site}/api/metrics")[0] == 404
    up(candlefish, "--expect-no-changes")
    assert ask(f"{site}/")[0] == 503
    assert page("maintenance status --stack development")["maintenance"] == "on"
    (looked,) = page.operate("verify", "--only", "site", "--only", "site-health")["checks"][:1]
    assert (looked["state"], "maintenance off" in looked["said"]) == ("skipped", True)
    assert page("maintenance off --stack development")["pods"] == 0
    assert ask(f"{site}/")[0] == 200


def test_a_stack_is_verified_after_up_and_what_breaks_is_found(
        candlefish: Command, built: dict[str, Any], page: Page) -> None:
    """The commands of docs/verification.md that look at a stack."""
    after = built["verification"]
    assert (after["ok"], after["counts"]["failed"]) == (True, 0), after["checks"]
    reasons = {each["name"]: each["said"] for each in after["checks"] if each["state"] == "skipped"}
    assert set(reasons) == {"dns", "tls", "detectors", "config", "frame-rate", "cdn-hits", "canaries"}
    alarm = built["outputs"]["alarms"]["api-errors"]
    cloudwatch = page.boto3("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a drill")
    found = page.operate("verify", "--only", "alarms", "--only", "pods", code=1)
    assert {each["name"]: each["state"] for each in found["checks"]} == {"alarms": "failed", "pods": "ok"}
    assert f"{alarm} since" in found["checks"][0]["said"]
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="the drill is over")
    assert page.operate("verify")["ok"]


def test_the_other_commands_of_the_page_work(page: Page) -> None:
    assert page("switch read-only off --stack development --dry-run")["steps"][0] == "READ_ONLY: true → false"
    assert page("scale website --stack development")["minimum"] == 2
    assert page("site rollback --stack development")["colour"] == "blue"
    assert page.left == []


@pytest.mark.parametrize("name", ["backend-api-migration", "database-dump", "database-upkeep"])
def test_a_job_is_made_of_its_template_and_runs(cluster: Client, name: str) -> None:
    template = get(cluster, "batch/v1", "CronJob", name)["spec"]["jobTemplate"]
    cluster.create({"apiVersion": "batch/v1", "kind": "Job", **template,
                    "metadata": {**template["metadata"], "name": f"{name}-now", "namespace": NAMESPACE}})
    eventually("the job is done", lambda: get(cluster, "batch/v1", "Job", f"{name}-now")["status"].get("succeeded"))


def test_what_was_written_to_the_database_is_found_in_the_restored_one(candlefish: Command, page: Page) -> None:
    """docs/recovery.md's restore test; without PostgreSQL here, that it says so."""
    validate = ("recovery", "validate", "--stack", STACK, "--json")
    try:
        psql = find()["psql"]
    except NoPostgres:
        assert "install PostgreSQL" in candlefish(*validate, code=1, **page.shell).stderr
        return
    client = partial(boto3.client, region_name=page.shell["AWS_REGION"], endpoint_url=page.shell["AWS_ENDPOINT_URL"],
                     aws_access_key_id=page.shell["AWS_ACCESS_KEY_ID"], aws_secret_access_key="test")
    name = f"{STACK}-candlefish-db"
    secret = client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["MasterUserSecret"]
    held = client("secretsmanager").get_secret_value(SecretId=secret["SecretArn"])["SecretString"]
    subprocess.run([psql, f"service={name}", "-c", "create table visits as select generate_series(1, 500) as id, "
                    "now() as created_at"], check=True, capture_output=True,
                   env={**page.shell, "PGPASSWORD": json.loads(held)["password"]})

    found = candlefish(*validate, **page.shell).document

    said = {each["check"]: (each["verdict"], each["text"]) for each in found["checks"]}
    assert {verdict for verdict, _ in said.values()} == {"good"}, said
    assert said["row counts"][1].startswith("500 rows in 1 tables; 1 of the source's 1 tables")
    left = [each["DBInstanceIdentifier"] for each in client("rds").describe_db_instances()["DBInstances"]]
    assert left == [name]


def test_the_time_is_moved_and_the_functions_that_are_due_are_called(
        candlefish: Command, built: dict[str, Any]) -> None:
    """Until what comes next. The evenings to come and what has another clock are only shown."""
    shown = candlefish("rehearse", "clock", "--stack", STACK, "--json").document
    assert {each["expression"] for each in shown["next"]} >= {
        "cron(0 18 ? * MON-FRI *) America/New_York", "cron(0 8 ? * MON-FRI *) America/New_York", "rate(30 days)"}
    assert {each["kind"] for each in shown["notMoved"]} >= {"CronJob", "backup plan", "rotation"}
    due = min(shown["next"], key=lambda each: str(each["at"]))
    then = datetime.fromisoformat(due["local"]) + timedelta(seconds=1)
    moved = candlefish("rehearse", "clock", "--stack", STACK, "--to", then.isoformat(), "--json").document
    assert {each["outcome"] for each in moved["calls"]} == {"done"}, moved["calls"]
    assert due["target"] in {each["target"] for each in moved["calls"]}


def test_it_is_destroyed_with_all_that_was_done_to_it(candlefish: Command) -> None:
    candlefish("rehearse", "destroy", "--stack", STACK, "--yes")
    assert candlefish("rehearse", "status", "--stack", STACK, "--json").document["resources"] == 0
