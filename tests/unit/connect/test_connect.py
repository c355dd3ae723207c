"""`candlefish connect`: where each target is, what is said of it, the relay, and what is wrong usage."""

from __future__ import annotations

import json
import re
import shlex
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from candlefish import app
from infra.plans import guards
from infra.settings.load import load_file
from infra.settings.platform import Feature
from kube.client import NotFound, Object
from operations.cluster import Objects
from operations.connect import relay, session, targets
from operations.connect.targets import KINDS, Target
from operations.errors import NotAcceptable, OperationError
from tests.unit.recovery.fake_aws import FakeAws, Refusal

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
SETTINGS = load_file(ROOT / "Pulumi.production.yaml")
NAMESPACE = SETTINGS.cluster.namespace
HOST = "production-candlefish-db.x.us-east-1.rds.amazonaws.com"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1"
OWNER = [{"Key": "Project", "Value": SETTINGS.ownership.project}, {"Key": "Stack", "Value": "production"}]


def answers(**changes: Any) -> FakeAws:
    instance = {"DBInstanceStatus": "available", "MasterUsername": "candlefish_admin", "DBName": "candlefish",
                "Endpoint": {"Address": HOST, "Port": 5432}, "MasterUserSecret": {"SecretArn": SECRET}}
    group = {"Status": "available", "NodeGroups": [{"PrimaryEndpoint": {"Address": "cache.x", "Port": 6379}}]}
    secrets = [{"ARN": f"{SECRET}-{name}", "Name": f"candlefish-production/{name}-0a1b2c3", "CreatedDate": 0,
                "Tags": OWNER} for name in ("cache-auth", "grafana-admin")]
    found: dict[str, Any] = {"DescribeDBInstances": {"DBInstances": [instance]},
             "DescribeReplicationGroups": {"ReplicationGroups": [group]},
             "ListSecrets": {"SecretList": secrets}} | changes
    services = {"DescribeDBInstances": "rds", "DescribeReplicationGroups": "elasticache",
                "ListSecrets": "secretsmanager"}
    return FakeAws({(services[name], "us-east-1", name): answer for name, answer in found.items()})


def place(target: Target, **changes: Any) -> targets.Place:
    return KINDS[target].find("production", SETTINGS, answers(**changes).client)


def test_the_databases_line_keeps_its_name_for_the_certificate_and_goes_to_this_machine() -> None:
    found = place(Target.DATABASE)
    assert (found.host, found.port, found.relayed) == (HOST, 5432, True)
    variable, words = shlex.split(found.line(15432))[0], shlex.split(found.line(15432))[1:]
    assert words == ["psql", f"host={HOST} hostaddr=127.0.0.1 port=15432 dbname=candlefish user=candlefish_admin "
                             "sslmode=require"]
    assert variable == f"PGPASSWORD=$({found.password})"
    assert SECRET in str(found.password)


def test_the_caches_line_speaks_tls_with_the_caches_name() -> None:
    found = place(Target.REDIS)
    assert found.line(16379).endswith("redis-cli -h 127.0.0.1 -p 16379 --tls --sni cache.x")
    assert f"{SECRET}-cache-auth" in found.line(1)


def test_the_tools_are_services_of_the_cluster_and_prometheus_has_no_password() -> None:
    grafana, prometheus = place(Target.GRAFANA), place(Target.PROMETHEUS)
    assert (grafana.host, grafana.port, grafana.relayed) == ("grafana", 3000, False)
    assert f"{SECRET}-grafana-admin" in str(grafana.password)
    assert (prometheus.host, prometheus.password) == ("prometheus-stack-kube-prom-prometheus", None)
    assert prometheus.line(19090).endswith(" http://127.0.0.1:19090")


@pytest.mark.parametrize(("target", "changes", "says"), [
    (Target.DATABASE, {"DescribeDBInstances": Refusal("DBInstanceNotFound")}, "there is none of that name"),
    (Target.DATABASE, {"DescribeDBInstances": {"DBInstances": [{"DBInstanceStatus": "creating"}]}}, "creating"),
    (Target.REDIS, {"DescribeReplicationGroups": Refusal("ReplicationGroupNotFoundFault")}, "no cache production-"),
    (Target.REDIS, {"ListSecrets": {"SecretList": []}}, "no secret cache-auth"),
])
def test_what_is_not_there_is_told(target: Target, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(OperationError, match=re.escape(says)):
        place(target, **changes)


def test_the_relay_is_admitted_let_out_and_removed_by_the_cluster_itself() -> None:
    job = relay.job(SETTINGS, "connect-database-1", NAMESPACE, HOST, 5432)
    spec, template = job["spec"], job["spec"]["template"]
    policy = guards.default_policies(NAMESPACE, ("10.0.0.0/24",))["relay"]["spec"]["podSelector"]["matchLabels"]
    assert policy.items() <= template["metadata"]["labels"].items()
    assert spec["activeDeadlineSeconds"] == 4 * 3600
    assert spec["ttlSecondsAfterFinished"] <= 60
    assert spec["backoffLimit"] == 0
    pod, (container,) = template["spec"], template["spec"]["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["args"] == ["nc", "-lk", "-s", "127.0.0.1", "-p", "5432", "-e", "nc", HOST, "5432"]
    assert "env" not in container  # no password goes there


def test_the_image_of_the_relay_has_busyboxs_nc() -> None:
    assert re.search(r"(?m)^FROM \S+-alpine", (ROOT / "images/database-tools/Dockerfile").read_text())


class Cluster:
    """Jobs that are made and deleted, and one pod as each look finds it."""

    def __init__(self, *pods: Object | None) -> None:
        self.pods, self.jobs = list(pods), dict[str, Object]()

    def create(self, body: Object, **_: Any) -> None:
        self.jobs[body["metadata"]["name"]] = body

    def delete(self, api: str, kind: str, name: str, namespace: str) -> None:
        if self.jobs.pop(name, None) is None:
            raise NotFound("gone")

    def list(self, *_: Any, **__: Any) -> list[Object]:
        found = self.pods.pop(0) if len(self.pods) > 1 else self.pods[0]
        return [found] if found else []


def pod(phase: str = "Running", ready: str = "True", **state: Any) -> Object:
    return {"metadata": {"name": "pod-1"}, "status": {
        "phase": phase, "conditions": [{"type": "Ready", "status": ready}],
        "containerStatuses": [{"state": state}]}}


def test_a_relay_is_waited_for_and_gone_at_the_end_whatever_happens() -> None:
    cluster: Any = Cluster(None, pod("Pending", "False"), pod())
    objects = Objects(cluster, NAMESPACE, pause=lambda _: None)

    def interrupted() -> None:
        with relay.relay(objects, SETTINGS, "database", HOST, 5432, print) as made:
            assert made.pod() == "pod-1"
            assert list(cluster.jobs) == [made.name]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert cluster.jobs == {}


@pytest.mark.parametrize(("found", "says"), [
    (pod("Pending", "False", waiting={"reason": "ErrImagePull", "message": "not found"}), "ErrImagePull not found"),
    (pod("Failed", "False", terminated={"reason": "Error", "exitCode": 1}), "Error")])
def test_a_relay_that_does_not_start_is_told_and_removed(found: Object, says: str) -> None:
    cluster: Any = Cluster(found)
    with pytest.raises(OperationError, match=says), relay.relay(
            Objects(cluster, NAMESPACE), SETTINGS, "database", HOST, 5432, print):
        raise AssertionError("it is not ready")
    assert cluster.jobs == {}


def test_a_relay_that_has_ended_ends_the_connection() -> None:
    cluster: Any = Cluster(pod("Failed", "False"))
    with pytest.raises(OperationError, match="connect again"):
        relay.Relay(Objects(cluster, NAMESPACE), "connect-database-1").pod()


def test_a_tools_port_is_found_by_its_name_in_a_ready_pod() -> None:
    ready = pod() | {"spec": {"containers": [{"ports": [{"name": "http-web", "containerPort": 9091}]}]}}
    services = {"spec": {"selector": {"app": "x"}, "ports": [{"port": 9090, "targetPort": "http-web"}]}}
    client: Any = SimpleNamespace(list=lambda *_, **__: [pod(ready="False") | {"metadata": {"name": "no"}}, ready],
                                  get=lambda api, kind, name, namespace: services if kind == "Service" else ready)
    found = session.Service(Objects(client, "monitoring"), "prometheus", 9090)
    assert (found.pod(), found.port()) == ("pod-1", 9091)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["candlefish", "connect", *arguments])
    with pytest.raises(SystemExit) as left:
        app.main()
    return int(str(left.value.code))


def test_a_port_that_is_taken_is_told_before_anything_is_made(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(monkeypatch, "database", "--stack", "production", "--port", port) == 2
    assert f"port {port} of this machine is taken; give another with --port" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "says", "code"), [
    (("database", "--stack", "nowhere"), "nowhere", 2), (("mongodb", "--stack", "production"), "mongodb", 2),
    (("database", "--stack", "production", "--port", "0", "--kubeconfig", "/nowhere"), "/nowhere", 1)])
def test_wrong_usage_and_no_way_to_the_cluster_are_told(
        arguments: tuple[str, ...], says: str, code: int, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, *arguments) == code
    assert says in capsys.readouterr().err


def test_a_stack_without_monitoring_has_no_grafana() -> None:
    features = tuple(each for each in Feature if each is not Feature.MONITORING)
    without = SETTINGS.model_copy(update={"addons": SETTINGS.addons.model_copy(update={"features": features})})
    targets.expected(Target.DATABASE, without, "production")
    with pytest.raises(NotAcceptable, match=r"addons\.features"):
        targets.expected(Target.GRAFANA, without, "production")


def test_what_is_shown_has_no_password_and_is_json() -> None:
    made = session.Session(Target.DATABASE, place(Target.DATABASE), 15432, lambda: "pod-1")
    document = json.loads(json.dumps(made.document("production")))
    assert document.keys() == {"stack", "target", "host", "port", "command", "password"}
    assert document["password"].startswith("aws secretsmanager get-secret-value")
