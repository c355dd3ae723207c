"""The development stack from nothing, its first `up` stopped twice, then through the user's own tools: `aws`,
`kubectl`, `curl`, a browser, and the docs' commands. It lives on in test_traffic and test_upkeep, which destroys it."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from tests.e2e import lives
from tests.e2e.conftest import ROOT, Command
from tests.eventually import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
STACK = "development"
EVENT = "6f1e1d2c-3b4a-4c5d-8e6f-708192a3b4c5"


def working_day(after: date) -> date:
    """The first after it."""
    day = after + timedelta(days=1)
    return day if day.weekday() < 5 else working_day(day)


EVENING = working_day(datetime.now(UTC).date())


@pytest.fixture(scope="module")
def candlefish(development: Command) -> Command:
    return development


@pytest.fixture(scope="module")
def built(candlefish: Command) -> dict[str, Any]:
    document = lives.mended(candlefish, STACK)
    lives.settled(candlefish, STACK)
    return document


@pytest.fixture(scope="module")
def shell(candlefish: Command, built: dict[str, Any]) -> Any:
    """Runs a line in a shell that has evaluated `candlefish rehearse env`, with an `aws` of version 1 or 2 on PATH."""
    lines = candlefish("rehearse", "env", "--stack", STACK).stdout

    def run(line: str) -> str:
        done = subprocess.run(["sh", "-c", f"{lines}\n{line}"], capture_output=True, text=True, timeout=120,
                              check=False, env=candlefish.env())
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def test_ctrl_c_before_anything_runs_is_told_in_a_sentence(candlefish: Command) -> None:
    process = lives.starting(candlefish, STACK)
    assert process.stderr is not None
    first = process.stderr.readline()  # says what is built, before the servers are asked
    process.send_signal(signal.SIGINT)
    said = (first + process.stderr.read()).decode(errors="replace")
    assert process.wait(timeout=240) == 130, said
    assert "candlefish: interrupted" in said
    assert "Traceback" not in said


def test_a_preview_comes_first(candlefish: Command) -> None:
    lives.previewed(candlefish, STACK)


@pytest.mark.parametrize(("after", "number"), lives.moments())
def test_up_goes_on_where_it_was_stopped(candlefish: Command, after: int, number: signal.Signals) -> None:
    lives.stopped(candlefish, STACK, after, number)


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed on this machine")
def test_aws_shows_the_environment(shell: Any) -> None:
    assert json.loads(shell("aws eks list-clusters --output json"))["clusters"] == [f"candlefish-{STACK}"]
    found = json.loads(shell("aws rds describe-db-instances --output json"))["DBInstances"]
    assert [db["DBInstanceIdentifier"] for db in found] == [f"{STACK}-candlefish-db"]
    assert "candlefish-" in shell("aws ecr describe-repositories --output text")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed on this machine")
def test_kubectl_shows_the_environment(shell: Any) -> None:
    listing = shell("kubectl get deploy,svc,ingress -A")
    for service in ("website", "backend-api", "analytics-dashboard", "paintbox", "brand-portal", "api-gateway"):
        assert f"deployment.apps/{service}-blue" in listing
        assert f"deployment.apps/{service}-green" in listing
        assert re.search(rf"service/{service}\s", listing)
    assert "candlefish-ingress" in listing
    assert "website" in shell("kubectl -n candlefish-dev logs deploy/website-blue --tail 5 || true") + listing


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def test_the_urls_of_the_outputs_answer(built: dict[str, Any]) -> None:
    site, api = built["outputs"]["siteUrl"], built["outputs"]["apiUrl"]
    assert get(f"{site}/api/health")["color"] == "blue"
    assert get(f"{site}/api/health")["service"] == "website"
    assert get(f"{api}/health")["service"] == "api-gateway"


def test_an_event_that_is_sent_to_the_api_is_in_the_table(built: dict[str, Any], shell: Any) -> None:
    api = built["outputs"]["restApi"]["url"]
    assert get(f"{api}/health") == {"status": "ok"}
    event = {"id": EVENT, "type": "frame", "timestamp": int(time.time() * 1000), "fps": 58}
    request = urllib.request.Request(f"{api}/api/analytics", data=json.dumps({"events": [event]}).encode(),
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["accepted"] == 1
    table = built["outputs"]["tables"]["analytics-events"]
    asked = f'boto3.client("dynamodb").get_item(TableName="{table}", Key={{"eventId": {{"S": "{EVENT}"}}}})'
    assert "58" in shell(f"{sys.executable} -c 'import boto3; print({asked}[\"Item\"][\"fps\"])'")


def test_a_websocket_is_answered(built: dict[str, Any]) -> None:
    async def talk() -> Any:
        async with (aiohttp.ClientSession() as session, session.ws_connect(built["outputs"]["websocketUrl"]) as socket):
            await socket.send_json({"action": "ping"})
            return await asyncio.wait_for(socket.receive_json(), 60)

    assert asyncio.run(talk())["type"] == "pong"


def test_an_event_goes_from_the_edge_to_a_live_subscriber(built: dict[str, Any]) -> None:
    """Edge → REST API → function → table → stream → publisher → WebSocket."""
    metric, outputs = "candlefish_animation_fps", built["outputs"]
    event = {"id": str(uuid.uuid4()), "type": "frame", "timestamp": int(time.time() * 1000), "fps": 41}

    async def watch() -> Any:
        async with aiohttp.ClientSession() as session, session.ws_connect(outputs["websocketUrl"]) as socket:
            await socket.send_json({"action": "subscribe", "metrics": [metric]})
            assert (await asyncio.wait_for(socket.receive_json(), 60))["type"] == "subscribed"
            async with session.post(f"{outputs['siteUrl']}/api/analytics", json={"events": [event]}) as answer:
                assert (await answer.json())["accepted"] == 1
                assert "(CloudFront)" in answer.headers["Via"]
            return await asyncio.wait_for(socket.receive_json(), 60)

    assert asyncio.run(watch())["metrics"][metric]


def test_the_edge_serves_both_colours_of_the_site(built: dict[str, Any], shell: Any) -> None:
    site, buckets = built["outputs"]["siteUrl"], built["outputs"]["siteBuckets"]
    path = "_next/static/chunk.js"
    put = (f'boto3.client("s3").put_object(Bucket="{buckets["green"]}", Key="{path}", Body=b"green()", '
           'ContentType="text/javascript")')
    shell(f"{sys.executable} -c 'import boto3; {put}'")
    seen = []
    for _ in range(2):
        with urllib.request.urlopen(f"{site}/{path}", timeout=10) as answer:
            assert answer.read() == b"green()"  # blue, the live one, has no such file
            seen.append(answer.headers["X-Cache"])
            assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains; preload"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert seen == ["Miss from cloudfront", "Hit from cloudfront"]


def test_the_function_at_the_edge_sends_www_to_the_apex(built: dict[str, Any]) -> None:
    address = urlsplit(built["outputs"]["siteUrl"]).netloc
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", "/a?b=1", headers={"Host": "www.dev.candlefish.ai"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://dev.candlefish.ai/a?b=1")
    assert answer.headers["X-Cache"] == "LambdaGeneratedResponse from cloudfront"
    connection.close()


def test_admin_paths_are_not_reachable_from_outside(built: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{built['outputs']['siteUrl']}/api/metrics")


def test_outputs_mask_secrets_unless_asked(candlefish: Command, built: dict[str, Any]) -> None:
    hidden = candlefish("rehearse", "outputs", "--stack", STACK, "--json").document
    assert hidden == built["outputs"]
    shown = candlefish("rehearse", "outputs", "--stack", STACK, "--json", "--show-secrets").document
    assert "clusters" in shown["kubeconfig"]


def test_the_export_is_a_deployment_of_version_3_without_plain_secrets(candlefish: Command, shell: Any) -> None:
    text = candlefish("rehearse", "export", "--stack", STACK).stdout
    document = json.loads(text)
    assert document["version"] == 3
    assert document["deployment"]["secrets_providers"]["type"] == "passphrase"
    password = document["deployment"]["resources"]
    assert any(r["type"] == "random:index/randomPassword:RandomPassword" for r in password)
    if shutil.which("aws"):
        token = json.loads(shell("aws secretsmanager list-secrets --output json"))["SecretList"]
        jwt = next(s["ARN"] for s in token if "jwt-key" in s["Name"])
        value = json.loads(shell(f"aws secretsmanager get-secret-value --secret-id '{jwt}' --output json"))
        assert json.loads(value["SecretString"])["current"] not in text


def test_what_is_deployed_is_what_the_program_says_and_violates_no_control(candlefish: Command, tmp_path: Path) -> None:
    """Policies that name what only a deployment knows are undecided before it."""
    export = tmp_path / "export.json"
    export.write_text(candlefish("rehearse", "export", "--stack", STACK).stdout)
    report = candlefish("preview", "--stack", STACK, "--state", str(export), "--format", "json",
                        "--expect-no-changes").document
    assert report


def test_coverage_says_of_every_property_how_it_is_served(candlefish: Command, built: dict[str, Any]) -> None:
    rows = candlefish("rehearse", "coverage", "--json").document
    assert {row["served"] for row in rows} <= {"emulated", "kept", "altered", "lost", "unknown", "unvalidated"}
    vpc = {row["property"]: row["served"] for row in rows if row["type"] == "aws:ec2/vpc:Vpc"}
    assert vpc["cidrBlock"] == "emulated"


def test_status_tells_what_runs(candlefish: Command, built: dict[str, Any]) -> None:
    document = candlefish("rehearse", "status", "--stack", STACK, "--json").document
    assert document["current"] is True
    assert document["resources"] > 200


def test_nothing_listens_beyond_loopback(candlefish: Command, built: dict[str, Any]) -> None:
    ours = [process for process in psutil.process_iter(["cmdline"])
            if str(candlefish.home) in " ".join(process.info["cmdline"] or ())]
    assert ours
    everyone = {process.pid: process for parent in ours for process in [parent, *parent.children(recursive=True)]}
    for process in everyone.values():
        for connection in process.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr.ip in ("127.0.0.1", "::1"), f"{process.cmdline()} listens on {connection.laddr}"


def test_the_browser_view_shows_outputs_cluster_and_resources(candlefish: Command, built: dict[str, Any]) -> None:
    with subprocess.Popen([sys.executable, "-m", "candlefish", "rehearse", "open", "--stack", STACK], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=candlefish.env()) as view:
        try:
            assert view.stdout is not None
            address = view.stdout.readline().strip()
            eventually("the view answers", lambda: _answers(f"{address}/data.json"), 10)
            found = get(f"{address}/data.json")
            assert found["stack"] == STACK
            assert any(row["kind"] == "Deployment" and row["name"] == "website-blue" for row in found["cluster"])
            assert any(row["type"] == "aws:eks/cluster:Cluster" for row in found["resources"])
            assert found["outputs"]["kubeconfig"] == "[secret]"
        finally:
            view.terminate()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except urllib.error.URLError:
        return False
    return True


def documented() -> list[str]:
    """The commands of docs/rehearsal.md that need no other set-up, with the stack of these tests, but for those that
    `lives` runs."""
    text = (ROOT / "docs" / "rehearsal.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    wanted = [line.removeprefix("candlefish ") for line in lines if line.startswith("candlefish rehearse")]
    return [re.sub(r"--to \S+", f"--to {EVENING}T19:00-05:00", line.replace("--stack staging", f"--stack {STACK}"))
            for line in wanted
            if line.split()[1] not in ("open", "destroy", "down", "reset")
            and line.split()[1:] not in [[verb, "--stack", "staging"] for verb in ("up", "preview", "refresh")]]


def test_a_drill_breaks_the_environment_and_brings_it_back(candlefish: Command, built: dict[str, Any]) -> None:
    """All of them: `make drill`."""
    found = candlefish("recovery", "drill", "--disaster", "table-truncated", "--stack", STACK, "--json").document
    real = found[0].pop("real_seconds")
    command = found[0].pop("commands")[0]
    assert re.fullmatch(rf"candlefish recovery restore table {STACK}-\S+ --at MOMENT --stack {STACK}", command)
    assert found == [{
        "disaster": "table-truncated", "recovered": True, "predicted_seconds": {"p50": 3600, "p95": 3600},
        "target_seconds": 7200, "data_lost": 0, "data_compared": found[0]["data_compared"], "rpo_seconds": 300}]
    assert found[0]["data_compared"] >= 40
    assert real > 0


@pytest.mark.parametrize("line", documented())
def test_a_command_of_the_docs_works(candlefish: Command, built: dict[str, Any], line: str) -> None:
    candlefish(*line.split())


def test_in_the_morning_after_it_everything_is_on_again(candlefish: Command, built: dict[str, Any]) -> None:
    candlefish("rehearse", "clock", "--stack", STACK, "--to", f"{working_day(EVENING)}T09:00-05:00")
    eventually("the site answers", lambda: _answers(f"{built['outputs']['siteUrl']}/api/health"), 120)


def test_pulumi_yaml_and_the_stack_files_are_what_the_real_engine_reads() -> None:
    import yaml

    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    for name, declaration in project["config"].items():
        assert declaration["type"] in ("string", "integer", "boolean", "array"), name
        for path in ROOT.glob("Pulumi.*.yaml"):
            assert f"candlefish:{name}" in yaml.safe_load(path.read_text())["config"], f"{path.name} lacks {name}"


def test_the_python_of_the_makefile_is_checked(tmp_path: Path) -> None:
    fake = tmp_path / "python3"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    done = subprocess.run([str(ROOT / "scripts" / "find-python")], capture_output=True, text=True, check=False,
                          env={"PATH": str(tmp_path) + ":/bin", "PYTHON": str(fake)})
    assert done.returncode == 1
    assert "Python 3.11 or later" in done.stderr
    assert "apt-get install" in done.stderr
