"""What outsiders and operators get at the front door, as the rehearsed load balancer reads our Ingresses."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from infra.plans import ingress, operators
from infra.plans.hosts import hosts
from infra.settings.model import Domain
from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.loadbalancer import authentication, routing
from rehearsal.kubernetes.loadbalancer.build import Builder
from rehearsal.kubernetes.loadbalancer.model import FixedResponse, Forward, Listener, Redirect
from tests.unit.plans.test_ingress_plan import SERVICES

pytestmark = pytest.mark.unit

HOSTS = hosts(Domain())
PROVIDER = operators.identity_provider("arn:aws:cognito-idp:us-east-1:1:userpool/p", "client", "candlefish-operators")
OFFICE, ELSEWHERE = "203.0.113.9", "198.51.100.1"


def object_of(name: str, namespace: str, annotations: dict[str, Any], rules: list[Any]) -> Object:
    return {"metadata": {"name": name, "namespace": namespace, "annotations": annotations}, "spec": {"rules": rules}}


@pytest.fixture(scope="module")
def listener() -> Listener:
    group = ingress.members(SERVICES, HOSTS)
    behind = {service.name for service in SERVICES if ingress.for_operators(service)}
    common = {f"{ingress.PREFIX}/{key}": value for key, value in (
        ("group.name", "candlefish"), ("certificate-arn", "arn:cert"))}
    everyones = [object_of(member.name, "ns", {
        **common, **member.annotations,
        **(operators.sign_in_annotations(PROVIDER) if member.name in behind else {})}, member.rules)
        for member in group]
    tools = object_of(operators.TOOLS_NAME, "monitoring", {**common, **operators.tools_annotations(
        HOSTS, [IPv4Network("203.0.113.0/24")], PROVIDER)}, operators.tools_rules(HOSTS))

    def service(namespace: str, name: str) -> Object:
        ports = [{"port": port} for port in (80, 3000, 8080, 9090)]
        return {"metadata": {"name": name, "namespace": namespace, "uid": name}, "spec": {"ports": ports}}

    def existing(name: str) -> Any:
        raise AssertionError(name)

    built = Builder("c", "candlefish", service, existing).build([tools, *everyones])
    return next(each for each in built.listeners if each.protocol == "HTTPS")


def asked(listener: Listener, host: str, path: str, source: str = ELSEWHERE) -> Any:
    rule = routing.rule_for(listener, routing.Request("GET", host, path, "", {}, source))
    return (rule.action, rule.authenticate is not None)


@pytest.mark.parametrize("host", [HOSTS.apex, HOSTS.www, HOSTS.api, HOSTS.direct])
@pytest.mark.parametrize("path", ["/api/metrics", "/api/metrics/", "/admin", "/admin/users"])
def test_metrics_and_admin_paths_are_never_reached(listener: Listener, host: str, path: str) -> None:
    action, _ = asked(listener, host, path, OFFICE)
    assert isinstance(action, FixedResponse)
    assert action.status == 404


@pytest.mark.parametrize(("host", "path"), [
    (HOSTS.apex, "/health"), (HOSTS.apex, "/api/health"), (HOSTS.api, "/health"), (HOSTS.direct, "/health"),
    (HOSTS.apex, "/ws"), (HOSTS.www, "/")])
def test_what_everyone_may_ask_for_needs_no_sign_in(listener: Listener, host: str, path: str) -> None:
    action, signed_in = asked(listener, host, path)
    assert isinstance(action, Forward)
    assert not signed_in


@pytest.mark.parametrize("path", ["/operational-dashboard", "/operational-dashboard/x"])
def test_the_operational_dashboard_asks_for_a_sign_in(listener: Listener, path: str) -> None:
    action, signed_in = asked(listener, HOSTS.apex, path)
    assert isinstance(action, Forward)
    assert signed_in


@pytest.mark.parametrize("host", HOSTS.operators)
def test_tools_are_found_from_the_operators_ranges_only_and_ask_for_a_sign_in(listener: Listener, host: str) -> None:
    assert asked(listener, host, "/", ELSEWHERE) == (FixedResponse(404), False)
    action, signed_in = asked(listener, host, "/d/overview", OFFICE)
    assert isinstance(action, Redirect if host == HOSTS.monitoring else Forward)
    assert signed_in


def test_a_sign_in_goes_to_the_pools_own_page_and_comes_back_to_the_name_that_was_asked_for(
        listener: Listener) -> None:
    request = routing.Request("GET", HOSTS.grafana, "/", "", {}, OFFICE)
    wanted = routing.rule_for(listener, request).authenticate
    assert wanted is not None
    status, headers = authentication.answer(wanted, request) or (0, {})
    assert status == 302
    assert headers["Location"].startswith(
        "https://candlefish-operators.auth.us-east-1.amazoncognito.com/oauth2/authorize?client_id=client"
        "&redirect_uri=https%3A%2F%2Fgrafana.candlefish.ai%2Foauth2%2Fidpresponse&response_type=code&scope=openid")
    assert operators.callback_urls(HOSTS)[1] == "https://grafana.candlefish.ai/oauth2/idpresponse"
