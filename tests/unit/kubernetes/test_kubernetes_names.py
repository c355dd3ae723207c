"""Type tokens, automatic names and what a preview shows, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.engine.provider import Context, ProviderError
from rehearsal.engine.values import UNKNOWN
from rehearsal.kubernetes import provider_names as names
from rehearsal.kubernetes.provider import KubernetesProvider

pytestmark = pytest.mark.unit


def context(type: str, seed: int = 1, **config: Any) -> Context:
    return Context(urn=f"urn:{type}", type=type, name="Thing", config=config, seed=seed, operation="1")


@pytest.mark.parametrize(("token", "api_version", "kind", "namespaced", "patch"), [
    ("kubernetes:core/v1:ConfigMap", "v1", "ConfigMap", True, False),
    ("kubernetes:apps/v1:DeploymentPatch", "apps/v1", "Deployment", True, True),
    ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "rbac.authorization.k8s.io/v1", "ClusterRole", False,
     False),
    ("kubernetes:external-secrets.io/v1:ExternalSecret", "external-secrets.io/v1", "ExternalSecret", True, False)])
def test_a_type_token_tells_api_version_and_kind(token: str, api_version: str, kind: str, namespaced: bool,
                                                 patch: bool) -> None:
    found = names.parse(token)
    assert (found.api_version, found.kind, found.namespaced, found.patch) == (api_version, kind, namespaced, patch)


@pytest.mark.parametrize("token", ["kubernetes:yaml:ConfigFile", "kubernetes:yaml/v2:ConfigGroup",
                                   "kubernetes:helm.sh/v4:Chart", "kubernetes:kustomize:Directory"])
def test_what_renders_outside_the_api_is_refused_with_the_way_out(token: str) -> None:
    checked = KubernetesProvider().check(context(token), None, {})
    assert "helm.sh/v3:Release" in checked.failures[0].reason
    with pytest.raises(ProviderError, match="not rehearsed"):
        KubernetesProvider().construct(context(token), {}, lambda registration: pytest.fail("registered"))


def test_a_missing_name_is_made_once_and_kept() -> None:
    provider, at = KubernetesProvider(), context("kubernetes:core/v1:ConfigMap")
    first = provider.check(at, None, {}).inputs
    assert first["metadata"]["name"].startswith("thing-")
    assert len(first["metadata"]["name"]) == len("thing-") + 8
    later = provider.check(context("kubernetes:core/v1:ConfigMap", seed=2), first, {"data": {}}).inputs
    assert later["metadata"] == first["metadata"]
    assert provider.check(at, None, {}).inputs == first


def test_api_version_and_kind_come_from_the_type_and_must_agree_with_it() -> None:
    provider, at = KubernetesProvider(), context("kubernetes:apps/v1:Deployment")
    assert provider.check(at, None, {}).inputs["apiVersion"] == "apps/v1"
    failures = provider.check(at, None, {"apiVersion": "apps/v1beta1", "kind": "Deployment"}).failures
    assert [each.property for each in failures] == ["apiVersion"]


def test_the_providers_namespace_is_the_default_of_what_has_one() -> None:
    provider = KubernetesProvider()
    config: dict[str, Any] = {"namespace": "candlefish-dev"}
    namespaced = provider.check(context("kubernetes:core/v1:ConfigMap", **config), None, {}).inputs
    assert namespaced["metadata"]["namespace"] == "candlefish-dev"
    role = provider.check(context("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", **config), None, {}).inputs
    assert "namespace" not in role["metadata"]


def test_a_preview_needs_no_cluster_and_leaves_open_what_only_the_server_knows() -> None:
    provider = KubernetesProvider()
    at = context("kubernetes:core/v1:Service", kubeconfig=UNKNOWN)
    inputs = provider.check(at, None, {"spec": {"type": "LoadBalancer"}}).inputs
    outputs = provider.preview(at, inputs, None)
    assert outputs["status"] is UNKNOWN
    assert outputs["metadata"]["uid"] is UNKNOWN
    known = {**inputs, "status": {"loadBalancer": {}}, "__fieldManager": "x"}
    outputs = provider.preview(at, {**inputs, "spec": {"type": "ClusterIP"}}, known)
    assert outputs["status"] == {"loadBalancer": {}}
    assert outputs["spec"] == {"type": "ClusterIP"}
    assert "__fieldManager" not in outputs


@pytest.mark.parametrize(("config", "message"), [
    ({}, "has no kubeconfig"),
    ({"kubeconfig": "/nowhere/config"}, "there is no file /nowhere/config"),
    ({"kubeconfig": "{}"}, "contexts has no entry named None"),
    ({"kubeconfig": {"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                     "clusters": [{"name": "c", "cluster": {"server": "https://real.example"}}],
                     "users": [{"name": "u", "user": {"token": "t"}}]}}, "not on this machine"),
    ({"enableServerSideApply": False}, "client-side apply"),
    ({"renderYamlToDirectory": "x"}, "renderYamlToDirectory")])
def test_a_provider_that_cannot_work_says_why(config: dict[str, Any], message: str) -> None:
    provider, at = KubernetesProvider(), context("kubernetes:core/v1:ConfigMap", **config)
    with pytest.raises(ProviderError, match=message):
        provider.create(at, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})


def test_an_unknown_chart_tells_how_to_add_it() -> None:
    provider, at = KubernetesProvider(), context("kubernetes:helm.sh/v3:Release")
    inputs = {"chart": "no-such-chart", "version": "1"}
    assert "crds.py" in provider.check(at, None, inputs).failures[0].reason
    registry = {"chart": "oci://public.ecr.aws/karpenter/karpenter", "version": "1"}
    assert provider.check(at, None, registry).failures == ()
    assert [each.property for each in provider.check(at, None, {"chart": "grafana"}).failures] == ["version"]
