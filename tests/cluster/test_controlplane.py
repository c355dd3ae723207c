"""The control plane's processes, and the client against them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pytest

from kube.client import (
    Client,
    Conflict,
    Event,
    Forbidden,
    Invalid,
    NotFound,
    Object,
    Unavailable,
    UnknownKind,
)
from rehearsal.kubernetes.controlplane import ControlPlane, ControlPlaneError, Running

pytestmark = pytest.mark.cluster


def config_map(namespace: str, name: str = "settings", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def test_data_and_port_survive_a_restart_and_killed_processes_come_back(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plane = ControlPlane(tmp_path / "home", "restart")
    try:
        first = plane.ensure()
        with Client.from_kubeconfig(first.kubeconfig) as client:
            client.create(config_map("default", colour="blue"))
        etcd = plane.processes.recorded()["etcd"].pid
        apiserver = psutil.Process(plane.processes.recorded()["kube-apiserver"].pid)
        apiserver.kill()
        apiserver.wait(timeout=10)
        assert plane.ensure() == first
        assert plane.processes.recorded()["etcd"].pid == etcd
        plane.stop()
        assert plane.running() is None
        assert not psutil.pid_exists(etcd) or psutil.Process(etcd).status() == psutil.STATUS_ZOMBIE
        started: list[str] = []

        def gives_up_once(name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
            """As kube-controller-manager does when the API server is slow to become healthy."""
            given = ["false"] if name == "kube-controller-manager" and name not in started else command
            started.append(name)
            start(name, given, environment)

        start = plane.processes.start
        monkeypatch.setattr(plane.processes, "start", gives_up_once)
        second = plane.ensure()
        assert started.count("kube-controller-manager") == 2
        assert second.endpoint == first.endpoint
        with Client.from_kubeconfig(second.kubeconfig) as client:
            assert client.get("v1", "ConfigMap", "settings", "default")["data"] == {"colour": "blue"}
    finally:
        plane.stop()


def test_a_port_that_another_program_took_is_told_with_the_way_out(tmp_path: Path, cluster: Running) -> None:
    plane = ControlPlane(tmp_path, "other")
    (tmp_path / "ports.json").write_text((cluster.home / "ports.json").read_text())
    with pytest.raises(ControlPlaneError, match=r"is in use by .*remove .*ports\.json"):
        plane.ensure()


def test_a_webhook_url_with_a_query_is_refused_because_the_server_would_drop_it(tmp_path: Path) -> None:
    with pytest.raises(ControlPlaneError, match="drop"):
        ControlPlane(tmp_path, "x").ensure("http://127.0.0.1:1/authenticate?cluster=x")


def test_nothing_listens_beyond_loopback(cluster: Running) -> None:
    processes = ControlPlane(cluster.home, "test").processes.recorded()
    addresses = {connection.laddr.ip for entry in processes.values()
                 for connection in psutil.Process(entry.pid).net_connections(kind="tcp")
                 if connection.status == psutil.CONN_LISTEN}
    assert addresses == {"127.0.0.1"}


def test_errors_are_typed(client: Client, namespace: str) -> None:
    with pytest.raises(NotFound):
        client.get("v1", "ConfigMap", "absent", namespace)
    with pytest.raises(UnknownKind, match=r"no Certificate of cert-manager\.io/v1"):
        client.discover("cert-manager.io/v1", "Certificate")
    created = client.create(config_map(namespace))
    with pytest.raises(Conflict):
        client.create(config_map(namespace))
    client.replace({**created, "data": {"a": "1"}})
    with pytest.raises(Conflict):
        client.replace({**created, "data": {"a": "2"}})
    with pytest.raises(Invalid) as refused:
        client.apply({**config_map(namespace), "dat": {}}, field_manager="test")
    assert ".dat: field not declared in schema" in str(refused.value)
    with pytest.raises(Invalid) as invalid:
        client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "namespace": namespace},
                       "spec": {"ports": [{"port": 0}]}})
    assert invalid.value.causes[0].field == "spec.ports[0].port"


def test_an_apply_over_another_managers_field_is_a_conflict_unless_forced(client: Client, namespace: str) -> None:
    client.apply(config_map(namespace, colour="blue"), field_manager="one")
    with pytest.raises(Conflict, match="one"):
        client.apply(config_map(namespace, colour="green"), field_manager="two")
    forced = client.apply(config_map(namespace, colour="green"), field_manager="two", force=True)
    assert forced["data"] == {"colour": "green"}


def test_a_dry_run_changes_nothing(client: Client, namespace: str) -> None:
    client.apply(config_map(namespace), field_manager="test", dry_run=True)
    with pytest.raises(NotFound):
        client.get("v1", "ConfigMap", "settings", namespace)


def test_a_watch_sees_each_change_and_goes_on_after_a_break(client: Client, namespace: str) -> None:
    seen: list[Event] = []
    arrived = threading.Condition()

    def follow() -> None:
        for event in client.watch(client.path("v1", "ConfigMap", None, namespace), fields="metadata.name=settings",
                                  stopped=lambda: len(seen) >= 3):
            with arrived:
                seen.append(event)
                arrived.notify_all()

    thread = threading.Thread(target=follow)
    client.create(config_map(namespace, step="1"))
    thread.start()
    with arrived:
        assert arrived.wait_for(lambda: len(seen) == 1, timeout=10)
    time.sleep(2.5)  # longer than a connection stays open without events: the next change comes over another one
    client.patch("v1", "ConfigMap", "settings", namespace, {"data": {"step": "2"}})
    client.delete("v1", "ConfigMap", "settings", namespace)
    thread.join(timeout=10)
    assert [event.type for event in seen] == ["ADDED", "MODIFIED", "DELETED"]


def test_pod_security_is_enforced_by_namespace_label(client: Client, namespace: str) -> None:
    client.patch("v1", "Namespace", namespace, None,
                 {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    with pytest.raises(Forbidden, match="violates PodSecurity"):
        client.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": namespace},
                       "spec": {"containers": [{"name": "x", "image": "x"}]}})


def test_an_api_server_that_is_not_there_is_unavailable(cluster: Running) -> None:
    kubeconfig = cluster.kubeconfig.read_text().replace(str(cluster.ports["kube-apiserver"]), "1")
    with Client.from_kubeconfig(kubeconfig) as client, pytest.raises(Unavailable, match="can't be reached"):
        client.get("v1", "Namespace", "default")
