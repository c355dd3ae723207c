"""What goes into an apply when fields are ignored or belong to others."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rehearsal.kubernetes import provider_ownership as ownership

pytestmark = pytest.mark.unit
REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}


def live(*entries: tuple[str, str, dict[str, Any]], **spec: Any) -> dict[str, Any]:
    managed = [{"manager": manager, "operation": operation, "fieldsV1": fields}
               for manager, operation, fields in entries]
    return {"metadata": {"name": "x", "managedFields": managed}, "spec": spec}


def test_an_ignored_field_of_others_is_left_out() -> None:
    body = ownership.with_ignored({"spec": {"replicas": 1, "x": 1}}, live(("hpa", "Update", REPLICAS), replicas=5),
                                  "us", ["spec.replicas"])
    assert body == {"spec": {"x": 1}}


@pytest.mark.parametrize("managers", [[("us", "Apply", REPLICAS)],
                                      [("us", "Apply", REPLICAS), ("hpa", "Update", REPLICAS)], []])
def test_an_ignored_field_of_ours_goes_out_as_it_is_live(managers: list[Any]) -> None:
    body = ownership.with_ignored({"spec": {"replicas": 1}}, live(*managers, replicas=5), "us", ["spec.replicas"])
    assert body == {"spec": {"replicas": 5}}


def test_an_ignored_parent_counts_as_owned_through_its_children() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:selector": {"f:color": {}}}}
    body = ownership.with_ignored({"spec": {"selector": {"color": "blue"}}},
                                  live(("rollout", "Apply", fields), selector={"color": "green"}), "us",
                                  ["spec.selector"])
    assert body == {"spec": {}}


def test_a_path_through_a_list_is_not_resolved_and_is_told() -> None:
    inputs = {"spec": {"containers": [{"image": "old"}]}}
    path = "spec.containers[0].image"
    assert ownership.with_ignored(inputs, live(containers=[{"image": "new"}]), "us", [path]) == inputs
    assert ownership.unresolved([path, "spec.replicas"]) == (path,)


def test_fields_of_kubectl_are_taken_over() -> None:
    entries = ownership.adopted(live(("us", "Apply", {"f:data": {"f:a": {}}}),
                                     ("kubectl-edit", "Update", {"f:data": {"f:b": {}}}),
                                     ("rollout", "Apply", REPLICAS)), "us")
    assert entries is not None
    assert {each["manager"]: each["fieldsV1"] for each in entries} == {
        "us": {"f:data": {"f:a": {}, "f:b": {}}}, "rollout": REPLICAS}
    assert ownership.adopted(live(("us", "Apply", {}), ("rollout", "Apply", {})), "us") is None


def test_the_field_manager_is_stated_kept_or_drawn() -> None:
    stated = {"metadata": {"annotations": {"pulumi.com/patchFieldManager": "mine"}}}
    assert ownership.field_manager(stated, None, random.Random(1)) == "mine"
    assert ownership.field_manager({}, {"__fieldManager": "kept"}, random.Random(1)) == "kept"
    drawn = ownership.field_manager({}, None, random.Random(1))
    assert drawn == ownership.field_manager({}, {}, random.Random(1))
    assert drawn.startswith("pulumi-kubernetes-")
