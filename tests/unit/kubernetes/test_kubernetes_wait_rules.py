"""When an object counts as ready."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.kubernetes import waits_rules as rules

pytestmark = pytest.mark.unit


def deployment(wanted: int | None, updated: int, available: int, reason: str = "NewReplicaSetAvailable",
               observed: int = 2) -> dict[str, Any]:
    spec = {} if wanted is None else {"replicas": wanted}
    return {"metadata": {"generation": 2, "annotations": {"deployment.kubernetes.io/revision": "1"}}, "spec": spec,
            "status": {"observedGeneration": observed, "updatedReplicas": updated, "availableReplicas": available,
                       "conditions": [{"type": "Available", "status": "True"},
                                      {"type": "Progressing", "status": "True", "reason": reason}]}}


@pytest.mark.parametrize(("item", "missing"), [
    (deployment(3, 3, 3), None), (deployment(0, 0, 0), None), (deployment(None, 1, 1), None),
    (deployment(3, 3, 3, observed=1), "has not seen this generation"),
    (deployment(3, 1, 3), "1 of 3 pods are of the new revision"),
    (deployment(3, 3, 2), "2 of 3 new pods are available"),
    (deployment(1, 1, 1, reason="ReplicaSetUpdated"), "new ReplicaSet is not available")])
def test_a_deployment_is_ready_when_its_new_pods_are_available(item: Any, missing: str | None) -> None:
    found = rules.deployment(item)
    assert (found is None) if missing is None else (found is not None and missing in found)


def test_a_stateful_set_is_ready_when_all_pods_are_and_the_revision_is_rolled_out() -> None:
    item: dict[str, Any] = {"metadata": {"generation": 1}, "spec": {"replicas": 2}, "status": {
        "observedGeneration": 1, "readyReplicas": 2, "currentRevision": "a", "updateRevision": "b"}}
    assert "new revision" in str(rules.stateful_set(item))
    item["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert rules.stateful_set(item) is None
    item["status"]["readyReplicas"] = 1
    assert rules.stateful_set(item) == "1 of 2 pods are ready"


def test_a_daemon_set_without_nodes_is_ready() -> None:
    item: dict[str, Any] = {"metadata": {"generation": 1}, "status": {"observedGeneration": 1}}
    assert rules.daemon_set(item) is None
    item["status"]["desiredNumberScheduled"] = 1
    assert "0 are available" in str(rules.daemon_set(item))


def test_a_job_is_ready_when_complete_and_lost_when_failed() -> None:
    assert rules.job({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}) is None
    assert rules.job({"status": {}}) == "0 of 1 pods completed"
    with pytest.raises(rules.Failed, match="BackoffLimitExceeded"):
        rules.job({"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}})


def test_a_pod_that_cannot_be_scheduled_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    assert rules.pod({"status": {"phase": "Pending", "conditions": [condition]}}) == "Unschedulable: 0/3 nodes"


@pytest.mark.parametrize(("mode", "phase", "ready"), [
    (None, "Pending", False), (None, "Bound", True), ("WaitForFirstConsumer", "Pending", True),
    ("WaitForFirstConsumer", "Bound", True), ("WaitForFirstConsumer", "Lost", False)])
def test_a_claim_is_ready_by_the_binding_mode_of_its_class(mode: str | None, phase: str, ready: bool) -> None:
    assert (rules.claim(mode)({"status": {"phase": phase}}) is None) is ready


@pytest.mark.parametrize(("expression", "ready"), [
    ("condition=Ready", True), ("condition=Ready=False", False), ("condition=Other", False),
    ("jsonpath={.status.phase}", True), ("jsonpath={.status.phase}=Up", True), ("jsonpath={.status.phase}=Down", False),
    ("jsonpath={.status.absent}", False), ("jsonpath={.status.on}=true", True),
    ('["condition=Ready", "jsonpath={.status.phase}=Up"]', True), ('["condition=Ready", "condition=Other"]', False)])
def test_wait_for_takes_conditions_and_paths(expression: str, ready: bool) -> None:
    item = {"status": {"phase": "Up", "on": True, "conditions": [{"type": "Ready", "status": "True"}]}}
    assert (rules.wait_for(expression)(item) is None) is ready


def test_wait_for_refuses_anything_else() -> None:
    with pytest.raises(ValueError, match="neither condition"):
        rules.wait_for("when it feels like it")
