from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.plans.capacity import BESIDE_SERVICES, CLUSTER_ADDONS, Demand, NodePool, both_colours, fit
from infra.plans.instances import INSTANCE_TYPES
from infra.settings.load import load_file

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
LARGE = INSTANCE_TYPES["t3.large"]
demands = st.lists(st.builds(Demand, st.sampled_from("abc"), st.integers(1, 3000), st.integers(1, 8000),
                             st.integers(0, 30)), max_size=4)


def test_allocatable_of_a_t3_large_is_what_eks_leaves() -> None:
    assert LARGE.allocatable_cpu_millis == 1930
    assert LARGE.allocatable_memory_mib == 8028 - 640 - 100


def test_a_rollout_counts_both_colours_at_the_autoscalers_maximum() -> None:
    assert both_colours("website", 300, 1024, 20).pods == 40


def test_a_pod_larger_than_any_node_is_told_with_its_size() -> None:
    result = fit([Demand("website", 2000, 100, 2)], [NodePool(LARGE, 10)])
    assert [(s.service, s.pods, s.cpu_millis) for s in result.shortfalls] == [("website", 2, 4000)]


def test_pods_beyond_the_nodes_addresses_do_not_fit() -> None:
    result = fit([Demand("website", 1, 1, 40)], [NodePool(LARGE, 1)])
    others = sum(pods for *_, pods in (*CLUSTER_ADDONS, *BESIDE_SERVICES))
    assert result.shortfalls[0].pods == 40 - (LARGE.maximum_pods - 6 - others)


@given(demands, st.integers(1, 10))
def test_more_nodes_never_make_it_worse(wanted: list[Demand], nodes: int) -> None:
    def homeless(count: int) -> int:
        return sum(s.pods for s in fit(wanted, [NodePool(LARGE, count)]).shortfalls)

    assert homeless(nodes + 20) <= homeless(nodes)


@given(demands, st.integers(1, 10))
def test_what_is_accepted_fits_by_arithmetic(wanted: list[Demand], nodes: int) -> None:
    result = fit(wanted, [NodePool(LARGE, nodes)])
    if result.fits:
        assert sum(d.cpu_millis * d.pods for d in wanted) <= LARGE.allocatable_cpu_millis * nodes
        assert result.cpu_free_millis >= 0
        assert result.memory_free_mib >= 0


@pytest.mark.parametrize("stack", ["development", "staging", "production", "recovery"])
def test_the_decisions_table_is_the_codes(stack: str) -> None:
    settings = load_file(ROOT / f"Pulumi.{stack}.yaml")
    pools = [NodePool(min((INSTANCE_TYPES[type] for type in group.instance_types),
                          key=lambda each: (each.cpus, each.memory_mib)), group.maximum)
             for group in settings.cluster.node_groups.values()]
    wanted = [both_colours(service.name, service.resources.cpu_millis, service.resources.memory_mib,
                           service.replicas.maximum) for service in settings.services]
    found = fit(wanted, pools, settings.addons.features)
    row = (f"| {stack} | {found.nodes} | {sum(each.pods for each in wanted)} "
           f"| {sum(each.cpu_millis * each.pods for each in wanted)}m "
           f"| {sum(each.memory_mib * each.pods for each in wanted)} MiB "
           f"| {found.cpu_free_millis}m | {found.memory_free_mib} MiB |")
    assert found.fits
    assert row in (ROOT / "docs" / "decisions" / "0003-requests-below-limits.md").read_text()
