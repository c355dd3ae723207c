"""Who owns which field under server-side apply: what operations changed stays through every `up` (K10)."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from infra.plans import ingress, kubernetes, maintenance
from infra.plans.hosts import hosts
from infra.settings import model
from infra.settings.workloads import Workloads
from kube.client import JSON_PATCH, Client, Object
from rehearsal.engine import paths
from rehearsal.engine.provider import Context, ProviderError
from rehearsal.engine.values import Properties
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

SERVICE = model.Service(
    name="website", port=3000, image="registry/website:1", paths=("/",), switches={"READ_ONLY": "false"},
    resources=model.Resources(cpu_millis=10, memory_mib=16, cpu_limit_millis=20, memory_limit_mib=32),
    replicas=model.Replicas(minimum=2, maximum=4))
PODS = kubernetes.pod_template(SERVICE, "", priority_class="web", storage_class="gp3")["template"]
SETTINGS = Workloads(maintenance_image="registry/maintenance:1", database_tools_image="registry/tools:1")
GROUP = {member.name: {"metadata": {"name": member.name, "labels": {}, "annotations": {
    **member.annotations, **kubernetes.SKIP_AWAIT}}, "spec": {"ingressClassName": "none", "rules": member.rules}}
    for member in ingress.members((SERVICE,), hosts(model.Domain()))}


@dataclasses.dataclass(frozen=True)
class Owned:
    """What operations write: `fragment` as they apply it, `pointer` where the value is, a second value after it."""

    type: str
    inputs: Properties
    ignored: list[str]
    pointer: str
    values: tuple[Any, Any]
    fragment: Callable[[Any], dict[str, Any]]


def _annotation(name: str) -> tuple[str, Callable[[Any], dict[str, Any]]]:
    return (f"/metadata/annotations/{name.replace('/', '~1')}",
            lambda value: {"metadata": {"annotations": {name: value}}})


def _ingress(name: str, annotation: str, *values: str) -> Owned:
    pointer, fragment = _annotation(annotation)
    return Owned("kubernetes:networking.k8s.io/v1:Ingress", GROUP[name], ingress.OWNED_BY_OPERATIONS, pointer,
                 (values[0], values[1]), fragment)


OWNED = {
    "the image of a colour": Owned(
        DEPLOYMENT, kubernetes.deployment(SERVICE, "green", "", PODS), kubernetes.DEPLOYMENT_OWNED_BY_OPERATIONS,
        "/spec/template/spec/containers/0/image", ("registry/website:2", "registry/website:3"),
        lambda image: {"spec": {"template": {"spec": {"containers": [{"name": "website", "image": image}]}}}}),
    "replicas": Owned(
        DEPLOYMENT, {**(idle := kubernetes.deployment(SERVICE, "green", "", PODS)),
                     "metadata": {**idle["metadata"], "annotations": kubernetes.SKIP_AWAIT}},
        kubernetes.DEPLOYMENT_OWNED_BY_OPERATIONS, "/spec/replicas", (3, 5),
        lambda count: {"spec": {"replicas": count}}),
    "the live colour": Owned(
        "kubernetes:core/v1:Service", kubernetes.service(SERVICE, ""), kubernetes.LIVE_SERVICE_OWNED_BY_OPERATIONS,
        "/spec/selector/color", ("green", "blue"),
        lambda colour: {"spec": {"selector": kubernetes.selector(SERVICE, colour)}}),
    "least replicas": Owned(
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", kubernetes.autoscaler(SERVICE, "blue", ""),
        kubernetes.AUTOSCALER_OWNED_BY_OPERATIONS, "/spec/minReplicas", (3, 1),
        lambda count: {"spec": {"minReplicas": count}}),
    "a switch": Owned(
        CONFIG_MAP, kubernetes.switch(SERVICE, "READ_ONLY", ""), kubernetes.SWITCH_OWNED_BY_OPERATIONS,
        "/data/READ_ONLY", ("true", "later"), lambda value: {"data": {"READ_ONLY": value}}),
    "weights": _ingress("website", ingress.action_annotation("website"), "90 to 10", "0 to 100"),
    "maintenance": _ingress("maintenance", ingress.MAINTENANCE_SWITCH, ingress.MAINTENANCE_ON,
                            ingress.MAINTENANCE_OFF),
    "the maintenance page's replicas": Owned(
        DEPLOYMENT, {**(page := maintenance.deployment(SETTINGS, "", "web")),
                     "metadata": {**page["metadata"], "annotations": kubernetes.SKIP_AWAIT}},
        maintenance.OWNED_BY_OPERATIONS, "/spec/replicas", (2, 1), lambda count: {"spec": {"replicas": count}}),
}
# Field manager, and whether the write is a server-side apply. What kubectl writes the provider takes over.
WRITERS = {"an apply": ("candlefish-operations", True), "a patch": ("candlefish-operations", False),
           "kubectl patch": ("kubectl-patch", False)}


@dataclasses.dataclass
class Life:
    """One resource as the engine leads it from `up` to `up`."""

    provider: KubernetesProvider
    at: Context
    ignored: tuple[str, ...]
    id: str
    inputs: Properties
    outputs: Properties

    def up(self, **labels: str) -> bool:
        """With other labels than before; whether anything changed."""
        wanted = copy.deepcopy(self.inputs)
        wanted["metadata"]["labels"].update(labels)
        news = paths.ignore_changes(self.inputs, self.provider.check(self.at, self.inputs, wanted).inputs, self.ignored)
        if not self.provider.diff(self.at, self.id, self.inputs, self.outputs, news).changed:
            return False
        self.outputs = self.provider.update(self.at, self.id, self.inputs, self.outputs, news, self.ignored)
        self.inputs = news
        return True


def value_at(item: Object, pointer: str) -> Any:
    found: Any = item
    for part in pointer.strip("/").split("/"):
        found = found[int(part)] if isinstance(found, list) else found[part.replace("~1", "/")]
    return found


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("what", OWNED)
def test_what_operations_changed_before_or_after_an_up_stays(
        provider: KubernetesProvider, context: Make, client: Client, namespace: str, what: str, writer: str) -> None:
    owned, (manager, applies) = OWNED[what], WRITERS[writer]
    at = context(owned.type)
    given = copy.deepcopy(owned.inputs)
    given["metadata"]["namespace"] = namespace
    inputs, id, outputs = made(provider, at, given)
    life = Life(provider, at, tuple(owned.ignored), id, inputs, outputs)
    api, kind, name = outputs["apiVersion"], outputs["kind"], outputs["metadata"]["name"]

    def write(value: Any) -> None:
        if applies:
            body = {"apiVersion": api, "kind": kind, **owned.fragment(value)}
            body["metadata"] = {**body.get("metadata", {}), "name": name, "namespace": namespace}
            client.apply(body, field_manager=manager, force=True)
        else:
            client.patch(api, kind, name, namespace, [{"op": "replace", "path": owned.pointer, "value": value}],
                         field_manager=manager, content_type=JSON_PATCH)

    def live() -> Object:
        return client.get(api, kind, name, namespace)

    for step, value in enumerate(owned.values):
        write(value)  # before an `up` that changes something else, and (the second) after one
        assert life.up() is False
        assert life.up(step=str(step)) is True
        assert value_at(live(), owned.pointer) == value
        assert live()["metadata"]["labels"]["step"] == str(step)
        assert life.up() is False
    found = provider.read(at, id, life.inputs, life.outputs)  # a refresh
    assert found is not None
    life.inputs, life.outputs = found.inputs, found.outputs
    assert life.up() is False
    assert life.up(step="refreshed") is True
    assert value_at(live(), owned.pointer) == owned.values[1]


def test_a_path_through_a_list_is_a_conflict_and_never_a_revert(
        provider: KubernetesProvider, context: Make, client: Client, namespace: str) -> None:
    at = context(DEPLOYMENT)
    inputs, id, outputs = made(provider, at, deployment(namespace))
    containers: list[Mapping[str, Any]] = [{"name": "web", "image": "web:2"}]
    client.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
                  "spec": {"template": {"spec": {"containers": containers}}}}, field_manager="ours", force=True)
    ignored = ("spec.template.spec.containers[0].image",)
    news = paths.ignore_changes(inputs, provider.check(at, inputs, deployment(namespace, minReadySeconds=1)).inputs,
                                ignored)
    with pytest.raises(ProviderError, match=r"conflict with \"ours\".*image"):
        provider.update(at, id, inputs, outputs, news, ignored)


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


def test_a_patch_resource_owns_only_its_fields_and_gives_them_up(provider: KubernetesProvider, context: Make,
                                                                 client: Client, namespace: str) -> None:
    client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": namespace},
                   "data": {"theirs": "1"}})
    at = context("kubernetes:core/v1:ConfigMapPatch")
    inputs, id, outputs = made(provider, at, config_map(namespace, ours="1"))
    assert outputs["data"] == {"theirs": "1", "ours": "1"}
    provider.delete(at, id, inputs, outputs)
    assert client.get("v1", "ConfigMap", "settings", namespace)["data"] == {"theirs": "1"}


def owners(item: Object, field: str) -> set[str]:
    return {entry["manager"] for entry in item["metadata"]["managedFields"]
            if f"f:{field}" in (entry["fieldsV1"].get("f:spec") or {})}
