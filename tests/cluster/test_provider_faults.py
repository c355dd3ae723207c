"""The provider for `kubernetes:` resources when a call fails, is throttled or kills the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal import faults
from rehearsal.engine.provider import Context, ProviderError
from rehearsal.kubernetes.client import Client
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
