"""The front door's Ingress: rules, actions and settings as the load balancer controller reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.plans import ingress
from infra.plans.edge import BLOCKED_PATHS, hosts
from infra.settings import model

pytestmark = pytest.mark.unit

HOSTS = hosts(model.Domain())


def service(name: str, paths: tuple[str, ...] = (), where: tuple[str, ...] = (), **changes: Any) -> model.Service:
    values: dict[str, Any] = {
        "name": name, "port": 3000, "image": "i", "callers": ("front-door",), "paths": paths, "hosts": where,
        "resources": model.Resources(cpu_millis=1, memory_mib=1, cpu_limit_millis=1, memory_limit_mib=1),
        "replicas": model.Replicas(minimum=1, maximum=2)}
    return model.Service(**(values | changes))


SERVICES = (
    service("website", ("/", "/ws"), ("apex", "www")),
    service("analytics-dashboard", ("/dashboard",), service_port=80),
    service("api-gateway", ("/",), ("api",)),
    service("paintbox"),
)


def front_door_annotations(services: tuple[model.Service, ...] = SERVICES) -> dict[str, Any]:
    return ingress.ingress_annotations(
        services, certificate_arn="arn:cert", web_acl_arn="arn:acl", subnets="a,b", tags={"Project": "candlefish"},
        load_balancer_attributes=ingress.attributes("logs", "candlefish-ingress"))


def places(services: tuple[model.Service, ...] = SERVICES) -> list[tuple[str, str, str]]:
    return [(rule["host"], path["path"], path["backend"]["service"]["name"])
            for rule in ingress.rules(services, HOSTS) for path in rule["http"]["paths"]]


def test_each_host_leads_each_path_to_its_service() -> None:
    assert {place for place in places() if place[2] != ingress.BLOCKED_ACTION} == {
        ("candlefish.ai", "/", "website"), ("candlefish.ai", "/ws", "website"),
        ("candlefish.ai", "/dashboard", "analytics-dashboard"),
        ("www.candlefish.ai", "/", "website"), ("www.candlefish.ai", "/ws", "website"),
        ("api.candlefish.ai", "/", "api-gateway")}


def test_what_nobody_may_ask_for_is_refused_on_every_host() -> None:
    for host in {place[0] for place in places()}:
        assert {path for found, path, action in places() if (found, action) == (host, "blocked")} == set(BLOCKED_PATHS)


def test_a_longer_path_comes_before_a_shorter_one() -> None:
    for host in {place[0] for place in places()}:
        lengths = [len(path) for found, path, _ in places() if found == host]
        assert lengths == sorted(lengths, reverse=True)


def test_every_backend_has_its_action() -> None:
    actions = {key.removeprefix(f"{ingress.PREFIX}/actions.") for key in front_door_annotations()
               if key.startswith(f"{ingress.PREFIX}/actions.")}
    assert actions == {place[2] for place in places()}


def test_every_service_starts_with_all_traffic_on_blue() -> None:
    for name, port in (("website", 3000), ("analytics-dashboard", 80)):
        action = json.loads(front_door_annotations()[ingress.action_annotation(name)])
        assert [(group["serviceName"], group["servicePort"], group["weight"])
                for group in action["forwardConfig"]["targetGroups"]] == [
            (f"{name}-blue", port, 100), (f"{name}-green", port, 0)]


def test_only_the_service_with_the_websocket_keeps_clients_at_a_colour_and_not_for_long() -> None:
    sticky = {service.name: ingress.forward_action(service)["forwardConfig"].get("targetGroupStickinessConfig")
              for service in SERVICES}
    assert sticky.pop("website") == {"enabled": True, "durationSeconds": 60}
    assert set(sticky.values()) == {None}


def test_the_load_balancer_speaks_tls_drops_bad_headers_and_outlasts_a_heartbeat() -> None:
    found = front_door_annotations()
    assert json.loads(found[f"{ingress.PREFIX}/listen-ports"]) == [{"HTTP": 80}, {"HTTPS": 443}]
    assert found[f"{ingress.PREFIX}/ssl-redirect"] == "443"
    assert found[f"{ingress.PREFIX}/ssl-policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    attributes = dict(pair.split("=") for pair in found[f"{ingress.PREFIX}/load-balancer-attributes"].split(","))
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["access_logs.s3.bucket"] == "logs"
    assert int(attributes["idle_timeout.timeout_seconds"]) == 600


def test_values_of_annotations_are_strings() -> None:
    assert all(isinstance(value, str) for value in front_door_annotations().values())


def test_cloudfronts_root_object_is_turned_back_for_the_service_at_the_root_only() -> None:
    transformed = [key for key in front_door_annotations() if "/transforms." in key]
    assert transformed == [f"{ingress.PREFIX}/transforms.website", f"{ingress.PREFIX}/transforms.api-gateway"]


def test_a_health_check_asks_the_services_own_path_and_waits_for_its_drain() -> None:
    website = service("website", probe=model.Probe(path="/api/health"), drain_seconds=45)
    found = ingress.health_check_annotations(website)
    assert found[f"{ingress.PREFIX}/healthcheck-path"] == "/api/health"
    assert found[f"{ingress.PREFIX}/target-group-attributes"] == "deregistration_delay.timeout_seconds=45"


def test_the_controllers_tags_find_the_target_group_of_a_colour() -> None:
    assert ingress.target_group_tags("candlefish-staging", "ns", SERVICES[1], "green") == {
        "elbv2.k8s.aws/cluster": "candlefish-staging", "ingress.k8s.aws/stack": "ns/candlefish-ingress",
        "ingress.k8s.aws/resource": "ns/candlefish-ingress-analytics-dashboard-green:80"}


@pytest.mark.parametrize(("services", "complaint"), [
    ((service("a", ("/",)), service("b", ("/",))), "services a and b both take https://candlefish.ai/"),
    ((service("a", ("docs",)),), "path 'docs' must start with /"),
    ((service("a", ("/",), ("apx",)),), "host 'apx' is not one of apex, www, api"),
])
def test_a_front_door_that_cannot_be_is_refused(services: tuple[model.Service, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ingress.rules(services, HOSTS)


def test_a_tag_that_an_annotation_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="use another value"):
        ingress.string_map({"Owner": "platform, web"})
