"""The front door's Ingresses: rules, actions and settings as the load balancer controller reads them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.plans import balancer, ingress
from infra.plans.firewall import BLOCKED_PATHS
from infra.plans.hosts import hosts
from infra.settings import model

pytestmark = pytest.mark.unit

HOSTS = hosts(model.Domain())


def service(name: str, paths: tuple[str, ...] = (), where: tuple[str, ...] = (), **changes: Any) -> model.Service:
    values: dict[str, Any] = {
        "name": name, "port": 3000, "image": "i", "callers": ("front-door",), "paths": paths, "hosts": where,
        "resources": model.Resources(cpu_millis=1, memory_mib=1, cpu_limit_millis=1, memory_limit_mib=1),
        "replicas": model.Replicas(minimum=1, maximum=2)}
    # The settings refuse some of these paths too, before a plan sees them: they are put in unchecked.
    return model.Service(**(values | changes | {"paths": ()})).model_copy(update={"paths": paths})


SERVICES = (
    service("website", ("/", "/ws"), ("apex", "www")),
    service("analytics-dashboard", ("/operational-dashboard",), service_port=80),
    service("api-gateway", ("/",), ("api",)),
    service("paintbox"),
)


GROUP = ingress.members(SERVICES, HOSTS)


def test_names_of_another_stack_lead_to_the_same_services() -> None:
    own = hosts(model.Domain(prefix="recovery"))
    both = ingress.priorities(ingress.members(SERVICES, own, HOSTS)).values()
    alone = ingress.priorities(ingress.members(SERVICES, own)).values()
    there = {ingress.Route(route.host.replace("recovery.", ""), route.path, route.service)
             for route in alone if route.host != own.direct}
    assert set(both) == {*alone, *there}
    assert len(both) <= 100  # rules of a load balancer, ELB's quota


def settings() -> dict[str, Any]:
    return balancer.door_annotations(
        web_acl_arn="arn:acl", subnets="a,b", tags={"Project": "candlefish"},
        load_balancer_attributes=balancer.attributes("logs", "candlefish-ingress"))


def member(name: str) -> ingress.Member:
    (found,) = [each for each in GROUP if each.name == name]
    return found


def answers(host: str, path: str, maintenance: bool = False) -> str:
    """The action of the first rule that takes the request."""
    return next(route.service for route in ingress.priorities(GROUP).values()
                if route.host == host and ingress.below(path, route.path)
                and (maintenance or route.service != ingress.MAINTENANCE))


@pytest.mark.parametrize(("host", "path", "action"), [
    ("candlefish.ai", "/", "website"), ("candlefish.ai", "/ws", "website"), ("candlefish.ai", "/about", "website"),
    ("candlefish.ai", "/operational-dashboard/x", "analytics-dashboard"), ("candlefish.ai", "/dashboards", "website"),
    ("www.candlefish.ai", "/", "website"), ("api.candlefish.ai", "/orders", "api-gateway"),
    ("candlefish.ai", "/api/metrics", "blocked"), ("candlefish.ai", "/health", "website-health"),
    ("api.candlefish.ai", "/health", "api-gateway-health")])
def test_each_place_is_answered_by_its_service(host: str, path: str, action: str) -> None:
    assert answers(host, path) == action


@pytest.mark.parametrize("host", ["candlefish.ai", "www.candlefish.ai", "api.candlefish.ai"])
def test_in_maintenance_the_page_answers_all_but_health_checks_and_what_is_blocked(host: str) -> None:
    assert answers(host, "/x", maintenance=True) == answers(host, "/ws", maintenance=True) == "maintenance"
    assert answers(host, "/operational-dashboard", maintenance=True) == "maintenance"
    assert answers(host, "/health", maintenance=True).endswith("-health")
    assert answers(host, "/api/metrics", maintenance=True) == "blocked"


def test_the_maintenance_page_waits_behind_a_header_until_one_annotation_changes() -> None:
    (condition,) = json.loads(member("maintenance").annotations[ingress.MAINTENANCE_SWITCH])
    assert condition["httpHeaderConfig"]["httpHeaderName"] == ingress.MAINTENANCE_HEADER
    assert json.loads(ingress.MAINTENANCE_ON) == []


def test_health_checks_go_to_the_live_service_whatever_the_weights_are() -> None:
    action = json.loads(member(ingress.NAME).annotations[ingress.action_annotation("website-health")])
    assert [group["serviceName"] for group in action["forwardConfig"]["targetGroups"]] == ["website"]


def test_a_new_service_moves_no_other_ones_place() -> None:
    more = ingress.members((*SERVICES, service("guestbook", ("/guestbook",))), HOSTS)
    before = {each.name: each.order for each in GROUP}
    assert before.items() <= {each.name: each.order for each in more}.items()


def test_what_nobody_may_ask_for_is_refused_on_every_host() -> None:
    blocked = {(route.host, route.path) for route in member(ingress.NAME).routes if route.service == "blocked"}
    assert blocked == {(host, path) for host in ("candlefish.ai", "www.candlefish.ai", "api.candlefish.ai")
                       for path in BLOCKED_PATHS}


def test_every_backend_has_its_action() -> None:
    for each in GROUP:
        actions = {key.removeprefix(f"{ingress.PREFIX}/actions.") for key in each.annotations
                   if key.startswith(f"{ingress.PREFIX}/actions.")}
        assert actions == {route.service for route in each.routes}


def test_every_service_starts_with_all_traffic_on_blue() -> None:
    for name, port in (("website", 3000), ("analytics-dashboard", 80)):
        action = json.loads(member(name).annotations[ingress.action_annotation(name)])
        assert [(group["serviceName"], group["servicePort"], group["weight"])
                for group in action["forwardConfig"]["targetGroups"]] == [
            (f"{name}-blue", port, 100), (f"{name}-green", port, 0)]


def test_only_the_service_with_the_websocket_keeps_clients_at_a_colour_and_not_for_long() -> None:
    sticky = {service.name: ingress.forward_action(service)["forwardConfig"].get("targetGroupStickinessConfig")
              for service in SERVICES}
    assert sticky.pop("website") == {"enabled": True, "durationSeconds": 60}
    assert set(sticky.values()) == {None}


def test_the_load_balancer_speaks_tls_drops_bad_headers_and_outlasts_a_heartbeat() -> None:
    found = settings()
    assert json.loads(found[f"{ingress.PREFIX}/listen-ports"]) == [{"HTTP": 80}, {"HTTPS": 443}]
    assert found[f"{ingress.PREFIX}/ssl-redirect"] == "443"
    assert found[f"{ingress.PREFIX}/ssl-policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    attributes = dict(pair.split("=") for pair in found[f"{ingress.PREFIX}/load-balancer-attributes"].split(","))
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["access_logs.s3.bucket"] == "logs"
    assert int(attributes["idle_timeout.timeout_seconds"]) == 600


def test_values_of_annotations_are_strings() -> None:
    assert all(isinstance(value, str) for value in settings().values())


def test_cloudfronts_root_object_is_turned_back_for_the_service_at_the_root_only() -> None:
    transformed = {key for each in GROUP for key in each.annotations if "/transforms." in key}
    assert transformed == {f"{ingress.PREFIX}/transforms.website", f"{ingress.PREFIX}/transforms.api-gateway"}


@pytest.mark.parametrize(("asked", "answered"), [
    ("/index.html", "/"), ("/index.html?utm_source=mail&x=1", "/?utm_source=mail&x=1"),
    ("/index.html5", "/index.html5"), ("/docs/index.html", "/docs/index.html"), ("/", "/")])
def test_turning_back_the_root_object_keeps_the_query(asked: str, answered: str) -> None:
    """ELB's pattern sees path and query, and an answer of no group would be a 500."""
    ((rewrite,),) = (step["urlRewriteConfig"]["rewrites"] for step in ingress.root_rewrite())
    assert re.sub(rewrite["regex"], rewrite["replace"].replace("$1", r"\1"), asked) == answered


def test_a_health_check_asks_the_services_own_path_and_waits_for_its_drain() -> None:
    website = service("website", probe=model.Probe(path="/api/health"), drain_seconds=45)
    found = ingress.health_check_annotations(website)
    assert found[f"{ingress.PREFIX}/healthcheck-path"] == "/api/health"
    assert found[f"{ingress.PREFIX}/target-group-attributes"] == "deregistration_delay.timeout_seconds=45"


def test_the_controllers_tags_find_the_target_group_of_a_colour() -> None:
    assert balancer.target_group_tags("candlefish-staging", "ns", SERVICES[1], "green") == {
        "elbv2.k8s.aws/cluster": "candlefish-staging", "ingress.k8s.aws/stack": "candlefish",
        "ingress.k8s.aws/resource": "ns/analytics-dashboard-analytics-dashboard-green:80"}


@pytest.mark.parametrize(("services", "complaint"), [
    ((service("a", ("/",)), service("b", ("/",))), "services a and b both take https://candlefish.ai/"),
    ((service("a", ("docs",)),), "path 'docs' must start with /"),
    ((service("a", ("/",), ("apx",)),), "host 'apx' is not one of apex, www, api"),
    ((service("a", ("/x", "/long/path")), service("b", ("/long",))), "candlefish.ai/long/path is never reached"),
])
def test_a_front_door_that_cannot_be_is_refused(services: tuple[model.Service, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ingress.members(services, HOSTS)


def test_a_tag_that_an_annotation_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="use another value"):
        balancer.string_map({"Owner": "platform, web"})
