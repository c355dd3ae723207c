"""Which change of a Kubernetes object is an update, which replaces it, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.engine.provider import Change, Context, Diff
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.kubernetes import provider_diff as diffs
from rehearsal.kubernetes.provider import KubernetesProvider

pytestmark = pytest.mark.unit
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner), max_leaves=20)


def context(type: str, **config: Any) -> Context:
    return Context(urn=f"urn:{type}", type=type, name="Thing", config=config, seed=1, operation="1")


def diff(type: str, old: Properties, new: Properties, **config: Any) -> Diff:
    provider, at = KubernetesProvider(), context(type, **config)
    olds = provider.check(at, None, old).inputs
    news = provider.check(at, olds, new).inputs
    return provider.diff(at, "x", olds, olds, news)


def paths(found: Diff) -> dict[str, bool]:
    return {each.path: each.replaces for each in found.properties}


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert diffs.differences(value, value, ()) == ()


@settings(max_examples=30)
@given(st.dictionaries(st.text(min_size=1), JSON, min_size=1, max_size=3))
def test_a_changed_key_always_shows(old: dict[str, Any]) -> None:
    key = next(iter(old))
    found = diffs.differences(old, {**old, key: {"changed": object()}}, ())
    assert found
    assert all(each.path.startswith(diffs.join("", key)) for each in found)


MANIFEST = {"metadata": {"name": "a", "namespace": "b", "labels": {"x": "1"}, "annotations": {"y": "2"}},
            "data": {"z": "3"}, "stringData": {"w": "4"}, "spec": {"list": [{"v": 5}]}}


def with_unknown(value: Any, path: tuple[Any, ...]) -> Any:
    if not path:
        return UNKNOWN
    copied = list(value) if isinstance(value, list) else dict(value)
    copied[path[0]] = with_unknown(copied[path[0]], path[1:])
    return copied


def every_path(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [each for key, inner in items for each in every_path(inner, (*path, key))]


@pytest.mark.parametrize("type", ["core/v1:Secret", "core/v1:ConfigMap", "apps/v1:Deployment", "helm.sh/v3:Release"])
@pytest.mark.parametrize("path", every_path(MANIFEST), ids=str)
def test_an_unknown_value_anywhere_can_be_checked_compared_and_shown(type: str, path: tuple[Any, ...]) -> None:
    provider, at = KubernetesProvider(), context(f"kubernetes:{type}", namespace="c")
    old = provider.check(at, None, MANIFEST).inputs
    new = provider.check(at, old, with_unknown(MANIFEST, path)).inputs
    assert provider.check(at, None, with_unknown(MANIFEST, path)).inputs
    assert provider.diff(at, "b/a", old, old, new).changed
    assert provider.preview(at, new, None)
    assert provider.preview(at, new, old)


def test_paths_are_written_as_pulumi_writes_them() -> None:
    found = diffs.differences(
        {"metadata": {"labels": {"app.kubernetes.io/name": "a"}}, "spec": {"containers": [{"image": "a:1"}, {}]}},
        {"metadata": {"labels": {"app.kubernetes.io/name": "b"}}, "spec": {"containers": [{"image": "a:2"}], "x": 1}},
        ())
    assert [(each.path, each.change) for each in found] == [
        ('metadata.labels["app.kubernetes.io/name"]', Change.UPDATE), ("spec.containers[0].image", Change.UPDATE),
        ("spec.containers[1]", Change.DELETE), ("spec.x", Change.ADD)]


@pytest.mark.parametrize(("type", "old", "new", "expected"), [
    ("apps/v1:Deployment", {"spec": {"selector": {"matchLabels": {"a": "1"}}}},
     {"spec": {"selector": {"matchLabels": {"a": "2"}}}}, {"spec.selector.matchLabels.a": True}),
    ("apps/v1:Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, {"spec.replicas": False}),
    ("batch/v1:Job", {"spec": {"template": {"spec": {"containers": [{"image": "a"}]}}}},
     {"spec": {"template": {"spec": {"containers": [{"image": "b"}]}}}},
     {"spec.template.spec.containers[0].image": True}),
    ("batch/v1:CronJob", {"spec": {"schedule": "a"}}, {"spec": {"schedule": "b"}}, {"spec.schedule": False}),
    ("core/v1:Service", {"spec": {"clusterIP": "None"}}, {"spec": {}}, {"spec.clusterIP": True}),
    ("core/v1:Service", {"spec": {"clusterIP": "None"}}, {}, {"spec": True}),
    ("core/v1:Pod", {"spec": {"containers": [{"image": "a"}]}}, {"spec": {"containers": [{"image": "b"}]}},
     {"spec.containers[0].image": True}),
    ("core/v1:PersistentVolumeClaim", {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
     {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}, {"spec.resources.requests.storage": False}),
    ("rbac.authorization.k8s.io/v1:RoleBinding", {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}},
     {"roleRef.name": True}),
    ("storage.k8s.io/v1:StorageClass", {"parameters": {"type": "gp2"}}, {"parameters": {"type": "gp3"}},
     {"parameters.type": True}),
    ("external-secrets.io/v1:ExternalSecret", {"spec": {"a": 1}}, {"spec": {"a": 2}}, {"spec.a": False})])
def test_immutable_fields_replace_and_others_do_not(type: str, old: Properties, new: Properties,
                                                    expected: dict[str, bool]) -> None:
    assert paths(diff(f"kubernetes:{type}", old, new)) == expected


def test_another_name_or_namespace_is_another_object() -> None:
    found = diff("kubernetes:core/v1:Service", {"metadata": {"name": "a"}},
                 {"metadata": {"name": "b", "namespace": "c"}})
    assert paths(found) == {"metadata.name": True, "metadata.namespace": True}
    assert not found.delete_before_replace


def test_the_default_namespace_is_the_same_spelt_out_or_not() -> None:
    assert not diff("kubernetes:core/v1:Service", {"metadata": {"name": "a"}},
                    {"metadata": {"name": "a", "namespace": "default"}}).changed


def test_a_config_map_is_replaced_unless_the_provider_may_change_it() -> None:
    old, new = ({"metadata": {"name": "a"}, "data": {"x": each}} for each in "12")
    found = diff("kubernetes:core/v1:ConfigMap", old, new)
    assert (found.replaces, found.delete_before_replace) == (True, True)
    assert not diff("kubernetes:core/v1:ConfigMap", old, new, enableConfigMapMutable=True).replaces
    frozen = {**new, "immutable": True}
    assert diff("kubernetes:core/v1:ConfigMap", old, frozen, enableConfigMapMutable=True).replaces


def test_an_autonamed_object_is_replaced_before_the_old_one_goes() -> None:
    found = diff("kubernetes:core/v1:ConfigMap", {"data": {"x": "1"}}, {"data": {"x": "2"}})
    assert (found.replaces, found.delete_before_replace) == (True, False)


def test_a_secrets_string_data_is_its_data() -> None:
    assert not diff("kubernetes:core/v1:Secret", {"metadata": {"name": "a"}, "stringData": {"x": "y"}},
                    {"metadata": {"name": "a"}, "data": {"x": "eQ=="}}).changed


def test_an_unknown_value_is_a_change() -> None:
    assert paths(diff("kubernetes:core/v1:Service", {"metadata": {"name": "a"}, "spec": {"x": 1}},
                      {"metadata": {"name": "a"}, "spec": {"x": UNKNOWN}})) == {"spec.x": False}


@pytest.mark.parametrize(("given_", "kept", "respelled"), [
    ("1000m", "1", True), ("0.5", "500m", True), ("1024Mi", "1Gi", True), (1, "1", True), ("1", "1", False),
    ("1", "2", False), ("a", "b", False), (True, "1", False)])
def test_a_quantity_that_the_server_spells_differently_shows_at_every_update(given_: Any, kept: str,
                                                                            respelled: bool) -> None:
    assert diffs.respelled({"cpu": given_}, {"cpu": kept}) == (("cpu",) if respelled else ())


def test_live_values_are_pruned_to_what_the_inputs_mention() -> None:
    live = {"spec": {"a": 2, "defaulted": 1, "list": [{"x": 1, "y": 2}, {"x": 3}]}, "status": {}}
    assert diffs.pruned(live, {"spec": {"a": 1, "gone": 1, "list": [{"x": 0}]}}) == {
        "spec": {"a": 2, "list": [{"x": 1}, {"x": 3}]}}
