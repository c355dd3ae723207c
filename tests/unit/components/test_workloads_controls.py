"""The controls of Kubernetes (CKV_K8S_*) over every pod that a stack's workloads have, in every stack."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.plans.hosts import hosts
from infra.settings.load import load_file
from tests.unit.components.answering import Registrations
from tests.unit.components.test_workloads_components import workloads

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
STACKS = ("development", "staging", "production", "recovery")
WAIVED = {"development": {"CKV_K8S_43"}}  # (d) in the table of controls: images there are tags
PODS = {"kubernetes:apps/v1:Deployment": ("spec", "template"), "kubernetes:core/v1:PodTemplate": ("template",),
        "kubernetes:batch/v1:CronJob": ("spec", "jobTemplate", "spec", "template")}


@dataclass(frozen=True)
class Pod:
    """One pod's template. `ends`: a job's, which has no probes."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    ends: bool

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        return [*self.spec["containers"], *self.spec.get("initContainers", ())]


Control = Callable[[Pod, Mapping[str, Any]], bool]


def sized(kind: str, what: str) -> Control:
    return lambda pod, container: bool(container["resources"][kind].get(what))


def never(key: str) -> Control:
    return lambda pod, container: pod.spec.get(key) is not True


def security(key: str, value: Any) -> Control:
    return lambda pod, container: container["securityContext"].get(key) == value


CONTROLS: dict[str, Control] = {
    "CKV_K8S_8": lambda pod, container: pod.ends or "livenessProbe" in container,
    "CKV_K8S_9": lambda pod, container: pod.ends or "readinessProbe" in container,
    "CKV_K8S_10": sized("requests", "cpu"), "CKV_K8S_11": sized("limits", "cpu"),
    "CKV_K8S_12": sized("requests", "memory"), "CKV_K8S_13": sized("limits", "memory"),
    "CKV_K8S_14": lambda pod, container: bool(re.search(r":(?!latest)[\w][\w.-]*(@|$)", container["image"])),
    "CKV_K8S_15": lambda pod, container: container["imagePullPolicy"] == "Always",
    "CKV_K8S_16": security("privileged", False),
    "CKV_K8S_17": never("hostPID"), "CKV_K8S_18": never("hostIPC"), "CKV_K8S_19": never("hostNetwork"),
    "CKV_K8S_20": security("allowPrivilegeEscalation", False),
    "CKV_K8S_21": lambda pod, container: pod.namespace not in ("", "default"),
    "CKV_K8S_22": security("readOnlyRootFilesystem", True),
    "CKV_K8S_23": security("runAsNonRoot", True),
    "CKV_K8S_28": security("capabilities", {"drop": ["ALL"]}),
    "CKV_K8S_29": lambda pod, container: pod.spec["securityContext"].get("runAsNonRoot") is True,
    "CKV_K8S_30": lambda pod, container: bool(container.get("securityContext")),
    "CKV_K8S_31": lambda pod, container: pod.spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault",
    "CKV_K8S_37": security("capabilities", {"drop": ["ALL"]}),
    "CKV_K8S_38": lambda pod, container: pod.spec["automountServiceAccountToken"] is False,
    "CKV_K8S_40": lambda pod, container: container["securityContext"]["runAsUser"] >= 10_000,
    "CKV_K8S_43": lambda pod, container: bool(re.search(r"@sha256:[0-9a-f]{64}$", container["image"])),
}


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest) -> tuple[str, Registrations]:
    settings = load_file(ROOT / f"Pulumi.{request.param}.yaml")
    named = {reference.secret for service in settings.services for reference in service.secrets}
    return request.param, workloads(
        settings.services, settings=settings.workloads,
        namespace=settings.cluster.namespace, secrets={name: f"arn:secret:{name}" for name in named})


def pods(recorded: Registrations) -> list[Pod]:
    found = []
    for registered in recorded.all:
        template: Any = registered.inputs
        for key in PODS.get(registered.type, ()):
            template = template[key]
        if registered.type in PODS:
            metadata = registered.inputs["metadata"]
            found.append(Pod(metadata["name"], metadata["namespace"], template["metadata"]["labels"],
                             template["spec"], registered.type.endswith("CronJob")))
    return found


def test_every_control_holds_for_every_container(stack: tuple[str, Registrations]) -> None:
    name, recorded = stack
    found = pods(recorded)
    assert {pod.name for pod in found} >= {"website-blue", "maintenance", "database-dump", "backend-api-migration"}
    assert [(pod.name, container["name"], control) for pod in found for container in pod.containers
            for control, holds in CONTROLS.items()
            if control not in WAIVED.get(name, ()) and not holds(pod, container)] == []


def test_a_network_policy_holds_for_every_pod_in_both_directions(stack: tuple[str, Registrations]) -> None:
    """CKV2_K8S_6: a policy of the pod's own beside the namespace's default-deny."""
    _, recorded = stack
    policies = [found.inputs["spec"] for found in recorded.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    for pod in pods(recorded):
        own = [policy for policy in policies if policy["podSelector"].get("matchLabels")
               and policy["podSelector"]["matchLabels"].items() <= pod.labels.items()]
        assert [policy["policyTypes"] for policy in own] == [["Ingress", "Egress"]], pod.name


def test_every_pod_has_an_account_of_its_own_without_a_token(stack: tuple[str, Registrations]) -> None:
    _, recorded = stack
    accounts = {found.inputs["metadata"]["name"]: found.inputs["automountServiceAccountToken"]
                for found in recorded.of("kubernetes:core/v1:ServiceAccount")}
    assert {pod.spec["serviceAccountName"] for pod in pods(recorded)} == set(accounts)
    assert set(accounts.values()) == {False}


def test_jobs_end_do_not_overlap_and_do_not_pile_up(stack: tuple[str, Registrations]) -> None:
    _, recorded = stack
    jobs = {found.inputs["metadata"]["name"]: found.inputs["spec"]
            for found in recorded.of("kubernetes:batch/v1:CronJob")}
    assert {name for name, spec in jobs.items() if spec["suspend"]} == {"backend-api-migration"}
    for spec in jobs.values():
        assert spec["concurrencyPolicy"] == "Forbid"
        assert 0 < spec["failedJobsHistoryLimit"] <= 5
        job = spec["jobTemplate"]["spec"]
        assert job["activeDeadlineSeconds"] > 0
        assert job["ttlSecondsAfterFinished"] > 0
        assert job["template"]["spec"]["restartPolicy"] == "Never"


def test_addresses_in_the_websites_environment_are_the_stacks_own(stack: tuple[str, Registrations]) -> None:
    settings = load_file(ROOT / f"Pulumi.{stack[0]}.yaml")
    (website,) = [service for service in settings.services if service.name == "website"]
    apex = hosts(settings.domain).apex
    assert website.environment["NEXT_PUBLIC_API_URL"] == f"https://api.{apex}"
    assert website.environment["NEXT_PUBLIC_WEBSOCKET_URL"] == f"wss://ws.{apex}"
    assert website.environment["CSP_REPORT_URI"] == settings.edge.csp_report_uri
    assert website.environment["HELMET_ENABLED"] == "true"
    assert {reference.variable for reference in website.secrets if reference.optional} == {
        "NEW_RELIC_LICENSE_KEY", "SENTRY_DSN"}
