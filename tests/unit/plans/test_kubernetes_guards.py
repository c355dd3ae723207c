"""The namespace's guards: who may talk to whom, how much there may be, who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from infra.plans import guards, jobs, maintenance
from infra.plans.guards import default_policies, limit_range, operators_role, quota, service_policy
from infra.plans.quantities import cpu, memory
from infra.settings import model

pytestmark = pytest.mark.unit

NAMESPACE = "candlefish-staging"


def service(name: str, port: int = 3000, callers: tuple[str, ...] = (), calls: tuple[str, ...] = (),
            paths: tuple[str, ...] = (), maximum: int = 4) -> model.Service:
    return model.Service(
        name=name, port=port, image="i", callers=callers, calls=calls, paths=paths,
        resources=model.Resources(cpu_millis=100, memory_mib=256, cpu_limit_millis=500, memory_limit_mib=1024),
        replicas=model.Replicas(minimum=1, maximum=maximum))


SERVICES = (
    service("website", callers=("front-door",), paths=("/",)),
    service("backend-api", 8000, callers=("api-gateway", "website"), calls=("database", "cache")),
    service("api-gateway", 8080, callers=("front-door",), calls=("internet",)),
)


def policy(name: str) -> dict[str, Any]:
    (found,) = [one for one in SERVICES if one.name == name]
    spec: dict[str, Any] = service_policy(found, SERVICES, NAMESPACE, front_door_cidrs=("10.20.0.0/22",),
                                             data_cidrs=("10.20.64.0/24",))["spec"]
    return spec


def sources(name: str) -> set[str]:
    (rule,) = policy(name)["ingress"]
    return {str(next(iter(source.values()))) for source in rule["from"]}


@pytest.mark.parametrize(("callee", "callers", "door"), [
    ("website", set(), True),
    ("backend-api", {"api-gateway", "website"}, False),
    ("api-gateway", set(), True),
])
def test_a_service_is_reached_by_its_callers_only(callee: str, callers: set[str], door: bool) -> None:
    found = sources(callee)
    services = {name for name in (one.name for one in SERVICES)
                if str({"matchLabels": {"app.kubernetes.io/name": name}}) in found}
    assert services == callers
    assert (str({"cidr": "10.20.0.0/22"}) in found) == door


def test_every_service_can_be_checked_and_scraped() -> None:
    for one in SERVICES:
        assert str({"matchLabels": guards.CHECKER_LABELS}) in sources(one.name)
        (rule,) = policy(one.name)["ingress"]
        assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}} in rule["from"]


def test_a_caller_may_leave_for_what_it_calls_and_for_nothing_else() -> None:
    assert policy("website")["egress"] == [
        {"to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "backend-api"}}}],
         "ports": [{"protocol": "TCP", "port": 8000}]}]
    assert policy("backend-api")["egress"] == [
        {"to": [{"ipBlock": {"cidr": "10.20.64.0/24"}}], "ports": [{"protocol": "TCP", "port": 6379}]},
        {"to": [{"ipBlock": {"cidr": "10.20.64.0/24"}}], "ports": [{"protocol": "TCP", "port": 5432}]}]


def test_the_internet_means_https_and_no_private_address() -> None:
    internet = policy("api-gateway")["egress"][-1]
    assert internet["ports"] == [{"protocol": "TCP", "port": 443}]
    assert set(guards.PRIVATE_RANGES) == set(internet["to"][0]["ipBlock"]["except"])


def test_a_service_that_calls_nothing_may_not_leave_at_all() -> None:
    lonely = service("brand-portal", callers=("front-door",), paths=("/brand",))
    spec = service_policy(lonely, (lonely,), NAMESPACE, front_door_cidrs=(), data_cidrs=())["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in spec


@pytest.mark.parametrize(("wrong", "complaint"), [
    (service("website", callers=("fornt-door",)), "callers has fornt-door; known are"),
    (service("website", calls=("databse",)), "calls has databse; known are"),
    (service("website", paths=("/",)), "add it to `callers` or remove `paths`"),
])
def test_a_word_that_means_nothing_is_refused(wrong: model.Service, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        service_policy(wrong, (wrong,), NAMESPACE, front_door_cidrs=(), data_cidrs=())


def test_by_default_nothing_passes_but_names_can_be_looked_up() -> None:
    found = default_policies(NAMESPACE, ())
    assert found["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    dns = found["allow-dns"]["spec"]
    assert dns["podSelector"] == {}
    assert {(port["protocol"], port["port"]) for port in dns["egress"][0]["ports"]} == {("UDP", 53), ("TCP", 53)}


def test_a_relay_goes_to_the_data_stores_alone_and_nobody_comes_to_it() -> None:
    policy = default_policies(NAMESPACE, ("10.20.64.0/24",))["relay"]["spec"]
    assert policy["podSelector"]["matchLabels"] == guards.RELAY_LABELS
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert [(rule["to"], [port["port"] for port in rule["ports"]]) for rule in policy["egress"]] == [
        ([{"ipBlock": {"cidr": "10.20.64.0/24"}}], [port]) for port in (5432, 6379)]


def test_the_namespace_enforces_the_restricted_standard() -> None:
    labels = guards.namespace(NAMESPACE)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_quota_holds_both_colours_at_their_maximum_with_a_surge_and_the_jobs() -> None:
    hard = quota((service("website", maximum=3),), NAMESPACE)["spec"]["hard"]
    pods = 6 + 2  # both colours; a third more, rounded up
    assert hard["pods"] == str(pods + guards.JOBS_PODS)
    assert hard["requests.cpu"] == cpu(pods * 100 + guards.JOBS_CPU_MILLIS)
    assert hard["limits.memory"] == memory(pods * 1024 + guards.JOBS_MEMORY_MIB)
    assert hard["services.loadbalancers"] == "0"


def test_no_container_may_be_larger_than_the_largest_service() -> None:
    (limit,) = limit_range(SERVICES, NAMESPACE)["spec"]["limits"]
    assert limit["max"] == {"cpu": "1", "memory": "1Gi"}


def test_operators_may_neither_read_secrets_nor_delete_what_pulumi_owns() -> None:
    rules = operators_role(NAMESPACE)["rules"]
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert "secrets" not in resources
    assert not any("*" in (*rule["resources"], *rule["verbs"]) for rule in rules)
    deleted = {resource for rule in rules if "delete" in rule["verbs"] for resource in rule["resources"]}
    assert deleted == {"pods", "jobs"}


def test_operators_may_move_everything_that_a_rollout_moves() -> None:
    rules = operators_role(NAMESPACE)["rules"]
    patched = {resource for rule in rules if "patch" in rule["verbs"] for resource in rule["resources"]}
    assert patched >= {"deployments", "deployments/scale", "services", "ingresses", "horizontalpodautoscalers",
                       "leases", "configmaps"}
    read = {resource for rule in rules if "get" in rule["verbs"] for resource in rule["resources"]}
    assert read >= {"podtemplates", "cronjobs", "pods/portforward"}  # a WebSocket is asked for with `get`


def test_the_room_beside_the_services_holds_the_jobs_and_the_maintenance_page() -> None:
    sizes = [jobs.UPKEEP_SIZE, jobs.DUMP_SIZE, *[maintenance.SIZE] * maintenance.REPLICAS]
    assert sum(size.cpu_limit_millis for size in sizes) < guards.JOBS_CPU_MILLIS
    assert sum(size.memory_limit_mib for size in sizes) < guards.JOBS_MEMORY_MIB
    assert len(sizes) < guards.JOBS_PODS


def test_visitors_services_come_before_internal_ones() -> None:
    front, internal = (guards.PRIORITIES[guards.priority_class(one)][0] for one in SERVICES[:2])
    assert front > internal
