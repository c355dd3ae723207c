"""The provider for `kubernetes:` resources when a call fails, is throttled or kills the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kube.client import Client
from rehearsal import faults
from rehearsal.engine.provider import Context, ProviderError
from rehearsal.kubernetes.controlplane import Running
from rehearsal.kubernetes.provider import KubernetesProvider
from tests.cluster.provider_world import (
    CONFIG_MAP,
    Make,
    context_fixture,  # noqa: F401  registers the fixture `context`
    provider_fixture,  # noqa: F401  registers the fixture `provider`
    reports_fixture,  # noqa: F401  registers the fixture `reports`
)

pytestmark = pytest.mark.cluster


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


RELEASE = "kubernetes:helm.sh/v3:Release"


@pytest.mark.parametrize("atomic", [False, True])
def test_a_release_that_fails_half_way_is_kept_as_begun_or_rolled_back(
        provider: KubernetesProvider, context: Make, client: Client, namespace: str, atomic: bool) -> None:
    """Three kinds and a Secret: the fourth call is the definition of the second kind."""
    at = context(RELEASE, "secrets")
    inputs = provider.check(at, None, {
        "chart": "external-secrets", "version": "1.0.0", "namespace": namespace, "name": "halfway",
        "atomic": atomic}).inputs
    faults.activate(faults.Plan(at=(at.urn, 4, faults.Fault.ERROR)))
    try:
        with pytest.raises(ProviderError, match="injected fault") as caught:
            provider.create(at, inputs)
    finally:
        faults.activate(None)
    labels = f"candlefish.ai/release={namespace}.halfway"
    made = client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", labels=labels)
    secrets = client.list("v1", "Secret", namespace, labels="owner=helm")
    if atomic:
        assert caught.value.partial is None
        assert (made, secrets) == ([], [])
        return
    assert caught.value.partial is not None
    assert made
    assert secrets[0]["metadata"]["labels"]["status"] == "pending-install"
    id, outputs = caught.value.partial
    finished = provider.update(at, id, inputs, outputs, inputs, ())
    assert finished["status"]["status"] == "deployed"
    provider.delete(at, id, inputs, finished)
    assert client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", labels=labels) == []
