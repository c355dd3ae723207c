"""The provider for `kubernetes:` resources against a real API server."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal import faults
from rehearsal.engine.provider import Context, NotFound, ProviderError
from rehearsal.engine.values import Properties, Secret
from rehearsal.kubernetes.client import Client, Object
from rehearsal.kubernetes.client import NotFound as Missing
from rehearsal.kubernetes.controlplane import Running
from rehearsal.kubernetes.provider import KubernetesProvider

pytestmark = pytest.mark.cluster
Make = Callable[..., Context]


@pytest.fixture
def provider() -> Iterator[KubernetesProvider]:
    provider = KubernetesProvider()
    yield provider
    provider.close()


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def context(cluster: Running, reports: list[str]) -> Make:
    def make(type: str, name: str = "thing", **config: Any) -> Context:
        return Context(urn=f"urn:pulumi:s::p::{type}::{name}", type=type, name=name, seed=1, operation="1",
                       config={"kubeconfig": cluster.kubeconfig.read_text(), **config}, report=reports.append,
                       timeout_seconds=config.pop("timeout", 20))

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


CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def test_an_object_is_created_read_updated_and_deleted(provider: KubernetesProvider, context: Make, client: Client,
                                                       namespace: str) -> None:
    at = context(CONFIG_MAP, enableConfigMapMutable=True)
    inputs, id, outputs = made(provider, at, config_map(namespace, colour="blue"))
    assert id == f"{namespace}/settings"
    assert outputs["data"] == {"colour": "blue"}
    assert outputs["__fieldManager"].startswith("pulumi-kubernetes-")
    assert not provider.diff(at, id, inputs, outputs, inputs).changed

    news = provider.check(at, inputs, config_map(namespace, colour="green")).inputs
    diff = provider.diff(at, id, inputs, outputs, news)
    assert [each.path for each in diff.properties] == ["data.colour"]
    assert not diff.replaces
    outputs = provider.update(at, id, inputs, outputs, news, ())
    found = provider.read(at, id, news, outputs)
    assert found is not None
    assert found.inputs == news

    provider.delete(at, id, news, outputs)
    assert provider.read(at, id, news, outputs) is None
    provider.delete(at, id, news, outputs)
    with pytest.raises(NotFound):
        provider.update(at, id, inputs, outputs, news, ())


def test_refresh_shows_what_somebody_else_changed(provider: KubernetesProvider, context: Make, client: Client,
                                                  namespace: str) -> None:
    at = context(CONFIG_MAP, enableConfigMapMutable=True)
    inputs, id, outputs = made(provider, at, config_map(namespace, colour="blue"))
    client.patch("v1", "ConfigMap", "settings", namespace, {"data": {"colour": "red", "other": "1"}})
    found = provider.read(at, id, inputs, outputs)
    assert found is not None
    assert found.inputs["data"] == {"colour": "red"}
    assert [each.path for each in provider.diff(at, id, found.inputs, found.outputs, inputs).properties] == [
        "data.colour"]


def test_an_import_yields_inputs_that_show_no_change(provider: KubernetesProvider, context: Make, client: Client,
                                                     namespace: str) -> None:
    at = context("kubernetes:core/v1:Service", "web")
    client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace},
                   "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}})
    found = provider.read(at, f"{namespace}/web", None, None)
    assert found is not None
    assert "status" not in found.inputs
    assert "uid" not in found.inputs["metadata"]
    assert not provider.diff(at, found.id, found.inputs, found.outputs, found.inputs).changed


def test_an_unknown_field_is_refused_with_its_path(provider: KubernetesProvider, context: Make,
                                                   namespace: str) -> None:
    inputs = deployment(namespace)
    inputs["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    with pytest.raises(ProviderError, match=r"spec\.containers.*imagee: field not declared in schema"):
        made(provider, context(DEPLOYMENT), inputs)


def test_a_quantity_in_another_spelling_than_the_servers_is_told_and_shows_as_a_change(
        provider: KubernetesProvider, context: Make, namespace: str, reports: list[str]) -> None:
    at = context("kubernetes:core/v1:LimitRange")
    limits = {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1000m", "memory": "1024Mi"}}]}}
    inputs, id, outputs = made(provider, at, {"metadata": {"name": "limits", "namespace": namespace}, **limits})
    paths = ["spec.limits[0].max.cpu", "spec.limits[0].max.memory"]
    assert sorted(each.path for each in provider.diff(at, id, inputs, outputs, inputs).properties) == paths
    assert all(path in reports[0] for path in paths)


def test_a_secrets_data_is_secret_in_the_outputs(provider: KubernetesProvider, context: Make, namespace: str) -> None:
    at = context("kubernetes:core/v1:Secret")
    inputs, id, outputs = made(provider, at, {"metadata": {"name": "s", "namespace": namespace},
                                              "stringData": {"password": "hunter2"}})
    assert outputs["data"] == Secret({"password": "aHVudGVyMg=="})
    assert "hunter2" not in repr(outputs)
    assert not provider.diff(at, id, inputs, {**outputs, "data": {"password": "aHVudGVyMg=="}}, inputs).changed


def test_an_ignored_field_that_another_manager_owns_is_left_to_it(provider: KubernetesProvider, context: Make,
                                                                  client: Client, namespace: str) -> None:
    at = context(DEPLOYMENT)
    inputs, id, outputs = made(provider, at, deployment(namespace, 0))
    scale = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
             "spec": {"replicas": 3}}
    client.apply(scale, field_manager="candlefish-rollout", force=True)
    news = deployment(namespace, 0, minReadySeconds=1)
    news = provider.check(dataclasses.replace(at, timeout_seconds=1), inputs, news).inputs
    news["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    outputs = provider.update(at, id, inputs, outputs, news, ("spec.replicas",))
    assert outputs["spec"]["replicas"] == 3
    assert outputs["spec"]["minReadySeconds"] == 1
    assert owners(outputs, "replicas") == {"candlefish-rollout"}


def test_an_ignored_field_that_is_ours_keeps_its_live_value(provider: KubernetesProvider, context: Make,
                                                            client: Client, namespace: str) -> None:
    at = context(DEPLOYMENT)
    inputs, id, outputs = made(provider, at, deployment(namespace, 0))
    client.patch("apps/v1", "Deployment", "web", namespace, {"metadata": {"annotations": {"x": "1"}}})
    news = provider.check(at, inputs, deployment(namespace, 0, minReadySeconds=1)).inputs
    news["spec"]["replicas"] = 7  # what the program says now; the engine would have put the old value back
    outputs = provider.update(at, id, inputs, outputs, news, ("spec.replicas",))
    assert outputs["spec"]["replicas"] == 0


def test_a_field_of_another_manager_that_is_not_ignored_is_a_conflict(provider: KubernetesProvider, context: Make,
                                                                     client: Client, namespace: str) -> None:
    at = context(DEPLOYMENT)
    inputs, id, outputs = made(provider, at, deployment(namespace, 0))
    scale = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
             "spec": {"replicas": 3}}
    client.apply(scale, field_manager="candlefish-rollout", force=True)
    news = provider.check(at, inputs, deployment(namespace, 1)).inputs
    with pytest.raises(ProviderError, match=r"conflict with \"candlefish-rollout\".*\.spec\.replicas") as conflict:
        provider.update(at, id, inputs, outputs, news, ())
    assert "troubleshooting help" in str(conflict.value)
    news["metadata"]["annotations"] = {"pulumi.com/patchForce": "true", "pulumi.com/skipAwait": "true"}
    assert provider.update(at, id, inputs, outputs, news, ())["spec"]["replicas"] == 1


def test_a_field_changed_with_kubectl_is_taken_back(provider: KubernetesProvider, context: Make, client: Client,
                                                    namespace: str) -> None:
    at = context(CONFIG_MAP, enableConfigMapMutable=True)
    inputs, id, outputs = made(provider, at, config_map(namespace, colour="blue"))
    client.patch("v1", "ConfigMap", "settings", namespace, {"data": {"colour": "red", "extra": "1"}},
                 field_manager="kubectl-edit")
    news = provider.check(at, inputs, config_map(namespace, colour="green")).inputs
    assert provider.update(at, id, inputs, outputs, news, ())["data"] == {"colour": "green"}


def test_a_deployment_without_pods_is_ready_and_one_that_cannot_be_scheduled_says_why(
        provider: KubernetesProvider, context: Make, namespace: str) -> None:
    at = context(DEPLOYMENT)
    inputs, id, outputs = made(provider, at, deployment(namespace, 0))
    assert outputs["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    news = provider.check(at, inputs, deployment(namespace, 1)).inputs
    with pytest.raises(ProviderError) as failed:
        provider.update(dataclasses.replace(at, timeout_seconds=3), id, inputs, outputs, news, ())
    assert "0 of 1 new pods are available; timed out after 3 s" in str(failed.value)
    assert "no nodes available to schedule pods" in str(failed.value)
    assert failed.value.partial is not None
    assert failed.value.partial[0] == id
    assert failed.value.partial[1]["spec"]["replicas"] == 1


def test_a_deployment_whose_pods_are_refused_names_the_rule(provider: KubernetesProvider, context: Make,
                                                            client: Client, namespace: str) -> None:
    client.patch("v1", "Namespace", namespace, None,
                 {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    at = dataclasses.replace(context(DEPLOYMENT), timeout_seconds=2)
    with pytest.raises(ProviderError, match="violates PodSecurity"):
        made(provider, at, deployment(namespace, 1))


def test_a_cancelled_wait_ends_soon(provider: KubernetesProvider, context: Make, namespace: str) -> None:
    cancelled = threading.Event()
    at = dataclasses.replace(context(DEPLOYMENT), cancelled=cancelled, timeout_seconds=60)
    threading.Timer(0.5, cancelled.set).start()
    with pytest.raises(ProviderError, match="the operation was cancelled"):
        made(provider, at, deployment(namespace, 1))


def test_custom_kinds_exist_once_their_chart_is_released(provider: KubernetesProvider, context: Make, client: Client,
                                                         namespace: str) -> None:
    release = context("kubernetes:helm.sh/v3:Release", "operator")
    inputs, id, outputs = made(provider, release, {
        "chart": "external-secrets", "version": "0.19.2", "namespace": f"{namespace}-eso", "createNamespace": True,
        "name": "eso", "values": {"installCRDs": True}})
    assert outputs["status"]["status"] == "deployed"
    at = context("kubernetes:external-secrets.io/v1:ExternalSecret", "database")
    secret, secret_id, _ = made(provider, at, {"metadata": {"namespace": namespace},
                                               "spec": {"secretStoreRef": {"name": "aws"}, "data": []}})
    assert secret["metadata"]["name"].startswith("database-")
    assert secret["metadata"]["annotations"]["pulumi.com/autonamed"] == "true"
    found = provider.read(release, id, inputs, outputs)
    assert found is not None
    assert not provider.diff(release, id, found.inputs, found.outputs, inputs).changed
    news = {**inputs, "values": {"installCRDs": False}}
    assert provider.update(release, id, inputs, outputs, news, ())["status"]["revision"] == 2
    provider.delete(release, id, inputs, outputs)
    assert provider.read(release, id, inputs, outputs) is None
    assert provider.read(at, secret_id, secret, None) is None
    client.delete("v1", "Namespace", f"{namespace}-eso")


def test_a_missing_kind_says_that_its_definition_may_be_missing(provider: KubernetesProvider, context: Make,
                                                                namespace: str, reports: list[str]) -> None:
    at = context("kubernetes:cert-manager.io/v1:Certificate", "tls")
    with pytest.raises(ProviderError, match=r"serves no Certificate of cert-manager\.io/v1.*CRDs have been created"):
        made(provider, at, {"metadata": {"namespace": namespace}, "spec": {}})
    assert any("Retry #1" in report for report in reports)


def test_an_unreachable_cluster_is_told_and_can_be_given_up(provider: KubernetesProvider, context: Make,
                                                            cluster: Running, namespace: str) -> None:
    kubeconfig = cluster.kubeconfig.read_text().replace(str(cluster.ports["kube-apiserver"]), "1")
    at = context(CONFIG_MAP, kubeconfig=kubeconfig)
    with pytest.raises(ProviderError, match="configured Kubernetes cluster is unreachable"):
        made(provider, at, config_map(namespace))
    at = context(CONFIG_MAP, kubeconfig=kubeconfig, deleteUnreachable=True)
    provider.delete(at, f"{namespace}/settings", config_map(namespace), {})
    assert provider.read(at, f"{namespace}/settings", config_map(namespace), {}) is None


@pytest.mark.parametrize("fault", [faults.Fault.ERROR, faults.Fault.THROTTLE, faults.Fault.TIMEOUT])
def test_a_create_converges_after_a_fault_at_any_of_its_calls(
        provider: KubernetesProvider, context: Make, client: Client, namespace: str, fault: faults.Fault) -> None:
    at = context(CONFIG_MAP, "auto")
    inputs = provider.check(at, None, {"metadata": {"namespace": namespace}, "data": {"a": "1"}}).inputs
    plan = faults.Plan(at=(at.urn, 1, fault))
    faults.activate(plan)
    try:
        try:
            provider.create(at, inputs)
        except ProviderError:
            assert fault is not faults.Fault.THROTTLE
            provider.create(at, provider.check(at, None, {"metadata": {"namespace": namespace},
                                                          "data": {"a": "1"}}).inputs)
    finally:
        faults.activate(None)
    assert {(site.service, site.operation, site.mutating) for site in plan.sites} == {
        ("kubernetes", "PATCH configmaps", True)}
    ours = [each for each in client.list("v1", "ConfigMap", namespace)
            if each["metadata"]["name"].startswith("auto-")]
    assert len(ours) == 1


KILLED = """
import sys
from rehearsal import faults
from rehearsal.engine.provider import Context
from rehearsal.kubernetes.provider import KubernetesProvider
kubeconfig, namespace, fault = sys.argv[1:]
at = Context("urn:auto", "kubernetes:core/v1:ConfigMap", "auto", {"kubeconfig": kubeconfig}, 1, "1")
faults.activate(faults.Plan(at=(at.urn, 1, faults.Fault(fault))))
provider = KubernetesProvider()
provider.create(at, provider.check(at, None, {"metadata": {"namespace": namespace}}).inputs)
"""


@pytest.mark.parametrize(("fault", "left"), [(faults.Fault.KILL_BEFORE, 0), (faults.Fault.KILL_AFTER, 1)])
def test_a_create_that_is_killed_is_repeated_without_a_double(provider: KubernetesProvider, cluster: Running,
                                                              client: Client, namespace: str, fault: faults.Fault,
                                                              left: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(cluster.kubeconfig), namespace, fault], timeout=60,
                          check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == -signal.SIGKILL

    def ours() -> int:
        return sum(each["metadata"]["name"].startswith("auto-") for each in client.list("v1", "ConfigMap", namespace))

    assert ours() == left
    at = Context("urn:auto", CONFIG_MAP, "auto", {"kubeconfig": str(cluster.kubeconfig)}, 1, "1")
    provider.create(at, provider.check(at, None, {"metadata": {"namespace": namespace}}).inputs)
    assert ours() == 1


def test_a_patch_resource_owns_only_its_fields_and_gives_them_up(provider: KubernetesProvider, context: Make,
                                                                 client: Client, namespace: str) -> None:
    client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": namespace},
                   "data": {"theirs": "1"}})
    at = context("kubernetes:core/v1:ConfigMapPatch")
    inputs, id, outputs = made(provider, at, config_map(namespace, ours="1"))
    assert outputs["data"] == {"theirs": "1", "ours": "1"}
    provider.delete(at, id, inputs, outputs)
    assert client.get("v1", "ConfigMap", "settings", namespace)["data"] == {"theirs": "1"}


def test_a_namespace_is_deleted_with_everything_in_it(provider: KubernetesProvider, context: Make,
                                                      client: Client) -> None:
    at = context("kubernetes:core/v1:Namespace", "room")
    inputs, id, outputs = made(provider, at, {})
    client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": id}})
    provider.delete(at, id, inputs, outputs)
    with pytest.raises(Missing):
        client.get("v1", "ConfigMap", "x", id)


def owners(item: Object, field: str) -> set[str]:
    return {entry["manager"] for entry in item["metadata"]["managedFields"]
            if f"f:{field}" in (entry["fieldsV1"].get("f:spec") or {})}
