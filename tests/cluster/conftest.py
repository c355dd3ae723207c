"""Fixtures of the tests that need a real kube-apiserver."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from kube.client import Client
from rehearsal.kubernetes.controlplane import ControlPlane, Running


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One control plane for the whole session (etcd, kube-apiserver, kube-controller-manager, kube-scheduler), with
    no node in it. Tests share it: each works in a namespace of its own (`namespace`) and removes what it made that
    has no namespace, nodes above all, since a leftover node would change what other tests see scheduled."""
    plane = ControlPlane(tmp_path_factory.mktemp("cluster"), "test")
    running = plane.ensure()
    try:
        yield running
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def client(cluster: Running) -> Iterator[Client]:
    """The administrator's client of `cluster`."""
    with Client.from_kubeconfig(cluster.kubeconfig) as client:
        yield client


@pytest.fixture
def namespace(client: Client) -> Iterator[str]:
    """The name of an empty namespace, with its default service account; deleted afterwards (not waited for)."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    accounts = client.path("v1", "ServiceAccount", None, name)
    next(event for event in client.watch(accounts) if event.object["metadata"]["name"] == "default")
    yield name
    client.delete("v1", "Namespace", name)
