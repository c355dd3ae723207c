"""What the tests of the `kubernetes:` provider share: contexts, small inputs, and a way to make an object of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rehearsal.engine.provider import Context
from rehearsal.engine.values import Properties
from rehearsal.kubernetes.controlplane import Running
from rehearsal.kubernetes.provider import KubernetesProvider

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
Make = Callable[..., Context]


@pytest.fixture(name="provider")
def provider_fixture() -> Iterator[KubernetesProvider]:
    provider = KubernetesProvider()
    yield provider
    provider.close()


@pytest.fixture(name="reports")
def reports_fixture() -> list[str]:
    return []


@pytest.fixture(name="context")
def context_fixture(cluster: Running, reports: list[str]) -> Make:
    def make(type: str, name: str = "thing", timeout: int = 20, **config: Any) -> Context:
        return Context(urn=f"urn:pulumi:s::p::{type}::{name}", type=type, name=name, seed=1, operation="1",
                       config={"kubeconfig": cluster.kubeconfig.read_text(), **config}, report=reports.append,
                       timeout_seconds=timeout)

    return make


def config_map(namespace: str, **data: str) -> Properties:
    return {"metadata": {"name": "settings", "namespace": namespace}, "data": data}


def deployment(namespace: str, replicas: int = 0, **spec: Any) -> Properties:
    labels = {"app": "web"}
    container = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "10m"}}}
    return {"metadata": {"name": "web", "namespace": namespace}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}, **spec}}


def made(provider: KubernetesProvider, context: Context, inputs: Properties) -> tuple[Properties, str, Properties]:
    checked = provider.check(context, None, inputs)
    assert checked.failures == ()
    return (checked.inputs, *provider.create(context, checked.inputs))
