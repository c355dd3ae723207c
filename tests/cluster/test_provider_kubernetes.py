"""The provider for `kubernetes:` resources against a real API server."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from kube.client import Client
from kube.client import NotFound as Missing
from rehearsal.engine.provider import NotFound, ProviderError
from rehearsal.engine.values import Secret
from rehearsal.kubernetes.controlplane import Running
from rehearsal.kubernetes.provider import KubernetesProvider
from tests.cluster.provider_world import (
    CONFIG_MAP,
    DEPLOYMENT,
    Make,
    config_map,
    context_fixture,  # noqa: F401  registers the fixture `context`
    deployment,
    made,
    provider_fixture,  # noqa: F401  registers the fixture `provider`
    reports_fixture,  # noqa: F401  registers the fixture `reports`
)

pytestmark = pytest.mark.cluster


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
    at = context("kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding", "web")
    with pytest.raises(ProviderError, match=r"serves no TargetGroupBinding of elbv2\.k8s\.aws.*CRDs have been created"):
        made(provider, at, {"metadata": {"namespace": namespace}, "spec": {}})
    assert any("Retry #1" in report for report in reports)


def test_an_unreachable_cluster_is_told_and_can_be_given_up(provider: KubernetesProvider, context: Make,
                                                            cluster: Running, namespace: str,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = cluster.kubeconfig.read_text().replace(str(cluster.ports["kube-apiserver"]), "1")
    at = context(CONFIG_MAP, kubeconfig=kubeconfig)
    with pytest.raises(ProviderError, match="configured Kubernetes cluster is unreachable"):
        made(provider, at, config_map(namespace))
    at = context(CONFIG_MAP, kubeconfig=kubeconfig, deleteUnreachable=True)
    provider.delete(at, f"{namespace}/settings", config_map(namespace), {})
    assert provider.read(at, f"{namespace}/settings", config_map(namespace), {}) is None
    at = context(CONFIG_MAP, kubeconfig=kubeconfig)
    with pytest.raises(ProviderError, match="configured Kubernetes cluster is unreachable"):
        provider.read(at, f"{namespace}/settings", config_map(namespace), {})
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert provider.read(at, f"{namespace}/settings", config_map(namespace), {}) is None


def test_a_namespace_is_deleted_with_everything_in_it(provider: KubernetesProvider, context: Make,
                                                      client: Client) -> None:
    at = context("kubernetes:core/v1:Namespace", "room", timeout=90)  # the controller looks again only after 5 s
    inputs, id, outputs = made(provider, at, {})
    client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": id}})
    provider.delete(at, id, inputs, outputs)
    with pytest.raises(Missing):
        client.get("v1", "ConfigMap", "x", id)
