from __future__ import annotations

import asyncio
import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.loadbalancer import names, routing
from rehearsal.kubernetes.loadbalancer.annotations import ModelError
from rehearsal.kubernetes.loadbalancer.build import Builder, group_of
from rehearsal.kubernetes.loadbalancer.counters import Counters
from rehearsal.kubernetes.loadbalancer.dataplane import DataPlane
from rehearsal.kubernetes.loadbalancer.elbv2_rules import action_of, conditions_of
from rehearsal.kubernetes.loadbalancer.endpoints import endpoints_of
from rehearsal.kubernetes.loadbalancer.model import (
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    Redirect,
    TargetGroup,
)
from rehearsal.kubernetes.loadbalancer.targets import Health, Target

pytestmark = pytest.mark.unit

PREFIX = "alb.ingress.kubernetes.io/"


def ingress(annotations: dict[str, str], *paths: tuple[str, str, str, Any], host: str = "a.test",
            name: str = "site") -> Object:
    """`paths`: path, type, service, port (a number or "use-annotation")."""
    rules = [{"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": (
        {"number": port} if isinstance(port, int) else {"name": port})}}} for path, kind, service, port in paths]
    return {"metadata": {"name": name, "namespace": "shop", "annotations": {
        f"{PREFIX}{key}": value for key, value in {"target-type": "ip", **annotations}.items()}},
        "spec": {"rules": [{"host": host, "http": {"paths": rules}}]}}


def build(*ingresses: Object) -> Any:
    def service(namespace: str, name: str) -> Object | None:
        return None if name == "absent" else {
            "metadata": {"name": name, "namespace": namespace, "uid": name},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 3000}]}}

    def existing(name: str) -> TargetGroup:
        return TargetGroup(f"arn:{name}", name, arn=f"arn:{name}")

    return Builder("c", group_of(ingresses[0]), service, existing).build(ingresses)


def request(path: str = "/", host: str = "a.test", method: str = "GET", query: str = "",
            **headers: str) -> routing.Request:
    return routing.Request(method, host, path, query, headers, "10.1.2.3")


def test_a_weighted_action_becomes_target_groups_with_the_controllers_names_and_tags() -> None:
    action = json.dumps({"type": "forward", "forwardConfig": {"targetGroups": [
        {"serviceName": "blue", "servicePort": "80", "weight": 90},
        {"serviceName": "green", "servicePort": 80, "weight": 10}, {"targetGroupName": "kept", "weight": 0}]}})
    found = build(ingress({"actions.site": action, "healthcheck-path": "/health", "tags": "Team=a"},
                          ("/", "Prefix", "site", "use-annotation")))
    forward = found.listeners[0].rules[0].action
    assert forward == Forward((("shop/site-blue:80", 90), ("shop/site-green:80", 10), ("arn:kept", 0)))
    blue = found.target_groups["shop/site-blue:80"]
    assert blue.name.startswith("k8s-shop-blue-")
    assert len(blue.name) <= 32
    assert blue.health.path == "/health"
    assert dict(blue.tags) == {"Team": "a", "elbv2.k8s.aws/cluster": "c", "ingress.k8s.aws/stack": "shop/site",
                               "ingress.k8s.aws/resource": "shop/site-blue:80"}
    assert found.name == names.load_balancer_name("c", "shop/site", "internal")


def test_exact_paths_come_before_longer_prefixes_before_shorter_ones() -> None:
    found = build(ingress({}, ("/", "Prefix", "a", 80), ("/api", "Prefix", "b", 80), ("/api", "Exact", "c", 80)))
    order = [rule.action.weights[0][0] for rule in found.listeners[0].rules]
    assert order == ["shop/site-c:80", "shop/site-b:80", "shop/site-a:80"]


def test_a_group_merges_its_ingresses_in_their_order() -> None:
    grouped = {"group.name": "edge"}
    late = ingress({**grouped, "group.order": "20"}, ("/", "Prefix", "late", 80), name="a-late")
    early = ingress({**grouped, "group.order": "10"}, ("/x", "Prefix", "early", 80), name="z-early")
    found = build(late, early)
    assert found.group == "edge"
    assert [rule.action.weights[0][0] for rule in found.listeners[0].rules] == [
        "shop/z-early-early:80", "shop/a-late-late:80"]
    assert names.finalizer("edge") == "group.ingress.k8s.aws/edge"
    assert names.finalizer("shop/site") == "ingress.k8s.aws/resources"


def test_the_http_listener_redirects_when_asked_to() -> None:
    found = build(ingress({"listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]', "certificate-arn": "arn:cert",
                           "ssl-redirect": "443"}, ("/", "Prefix", "a", 80)))
    http, https = found.listeners
    assert http.default == Redirect(301, "HTTPS", port="443")
    assert https.certificates == ("arn:cert",)
    assert routing.main_listener(found) == https
    assert routing.location(http.default, http, request("/x", query="y=1")) == "https://a.test/x?y=1"


@pytest.mark.parametrize(("annotations", "path", "message"), [
    ({"target-type": "instance"}, ("/", "Prefix", "a", 80), "target-type must be ip"),
    ({"actions.a": "{"}, ("/", "Prefix", "a", "use-annotation"), "is not JSON"),
    ({}, ("/", "Prefix", "a", "use-annotation"), "there is no"),
    ({"auth-type": "cognito", "certificate-arn": "arn:cert"}, ("/", "Prefix", "a", 80), "lacks userPoolARN"),
    ({"conditions.a": '[{"field":"source-ip","sourceIpConfig":{"values":["10.0.0.0/8","11.0.0.0/8","12.0.0.0/8",'
                      '"13.0.0.0/8"]}}]'}, ("/", "Prefix", "a", 80), "a rule takes 5"),
    ({}, ("/", "Prefix", "a", 81), "has no port 81"),
    ({"listen-ports": '[{"HTTPS": 443}]'}, ("/", "Prefix", "a", 80), "needs certificate-arn"),
    ({"healthcheck-interval-seconds": "5"}, ("/", "Prefix", "a", 80), "must be smaller"),
    ({"healthcheck-interval-seconds": "soon"}, ("/", "Prefix", "a", 80), "not a whole number"),
    ({"actions.a": '{"type":"fixed-response"}'}, ("/", "Prefix", "a", "use-annotation"), "malformed"),
    ({"success-codes": "ok"}, ("/", "Prefix", "a", 80), "malformed"),
    ({"healthcheck-port": "http"}, ("/", "Prefix", "a", 80), "healthcheck-port"),
    ({"actions.a": '{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":"80",'
                   '"weight":1000}]}}'}, ("/", "Prefix", "a", "use-annotation"), "not within 0 and 999")])
def test_a_wrong_ingress_is_refused_with_the_reason(annotations: dict[str, str], path: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build(ingress(annotations, path))


def test_a_service_that_comes_later_does_not_hold_up_the_group() -> None:
    found = build(ingress({}, ("/", "Prefix", "absent", 80), ("/x", "Prefix", "a", 80)))
    assert [type(rule.action) for rule in found.listeners[0].rules] == [Forward, FixedResponse]
    assert routing.action_for(found.listeners[0], request("/")).status == 503


@pytest.mark.parametrize(("condition", "asked", "expected"), [
    (Condition("host-header", ("*.test",)), request(host="A.TEST"), True),
    (Condition("path-pattern", ("/api", "/api/*")), request("/api/x"), True),
    (Condition("path-pattern", ("/api", "/api/*")), request("/apix"), False),
    (Condition("path-pattern", ("/Api",)), request("/api"), False),
    (Condition("http-request-method", ("POST",)), request(), False),
    (Condition("http-header", ("*mobile*",), "agent"), request(agent="some Mobile one"), True),
    (Condition("query-string", ("v=2",)), request(query="a=1&v=2"), True),
    (Condition("source-ip", ("10.0.0.0/8",)), request(), True)])
def test_conditions_match_as_the_load_balancer_says(condition: Condition, asked: routing.Request,
                                                    expected: bool) -> None:
    assert routing.matches(condition, asked) is expected


def test_the_first_matching_rule_wins_and_the_default_is_last() -> None:
    found = build(ingress({}, ("/api", "Prefix", "b", 80)))
    assert isinstance(routing.action_for(found.listeners[0], request("/api/x")), Forward)
    assert routing.action_for(found.listeners[0], request("/other")) == FixedResponse(404)


@pytest.mark.parametrize(("codes", "status", "accepted"), [
    ("200", 200, True), ("200,301", 301, True), ("200-299", 204, True), ("200", 503, False)])
def test_success_codes(codes: str, status: int, accepted: bool) -> None:
    assert HealthCheck(success_codes=codes).accepts(status) is accepted


def test_actions_and_conditions_are_valid_to_botocores_model() -> None:
    model = botocore.session.Session().get_service_model("elbv2").operation_model("CreateRule").input_shape
    conditions = [Condition("host-header", ("a",)), Condition("path-pattern", ("/",)),
                  Condition("http-header", ("x",), "h"), Condition("http-request-method", ("GET",)),
                  Condition("query-string", ("a=b", "=c")), Condition("source-ip", ("10.0.0.0/8",))]
    for action in (Forward((("a", 1),), 60), FixedResponse(503, "text/html", "x"), Redirect()):
        validate_parameters({"ListenerArn": "arn", "Priority": 1, "Conditions": conditions_of(conditions),
                             "Actions": [action_of(action, {"a": "arn"})]}, model)


def test_endpoints_are_the_ready_ones_of_the_services_port() -> None:
    service = {"metadata": {"name": "s", "namespace": "n"},
               "spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]}}
    slices = [{"metadata": {"namespace": "n", "labels": {"kubernetes.io/service-name": name}},
               "ports": [{"name": "http", "port": 3000}, {"name": "admin", "port": 9000}],
               "endpoints": [{"addresses": [f"10.0.0.{at}"], "conditions": {"ready": True}},
                             {"addresses": ["10.0.0.99"], "conditions": {"ready": False}}]}
              for at, name in enumerate(("s", "other"))]
    assert endpoints_of(service, "80", slices) == [("10.0.0.0", 3000)]
    assert endpoints_of(service, "admin", slices) == [("10.0.0.0", 9000)]
    assert endpoints_of(service, "82", slices) == []


def test_a_node_that_lags_sees_targets_and_weights_later_than_one_that_does_not() -> None:
    target = Target(("10.0.0.1", 80), registered=100.0, deregistered=110.0)
    assert [target.visible(now, 0) for now in (99, 100, 109, 110)] == [False, True, True, False]
    assert [target.visible(now, 5) for now in (104, 105, 114, 115)] == [False, True, True, False]

    async def seen() -> tuple[int, int]:
        plane = DataPlane(NoPods(), lag_seconds=60)
        plane.set_balancer("shop/site", build(ingress({}, ("/", "Prefix", "a", 80))), "dns")
        now, late = len(plane.seen(0.0)), len(plane.seen(1.0))
        plane.close()
        return now, late

    assert asyncio.run(seen()) == (1, 0)


class NoPods:
    def loopback(self, address: str, port: int) -> int | None:
        return None


def test_a_group_with_only_unhealthy_targets_fails_open() -> None:
    async def pick() -> tuple[bool, bool]:
        plane = DataPlane(NoPods())
        plane.set_balancer("shop/site", build(ingress({}, ("/", "Prefix", "a", 80))), "dns")
        targets = plane.target_sets["shop/site-a:80"]
        nothing = targets.pick(0, None) is None
        targets.set_endpoints([("10.0.0.1", 3000)])
        targets.targets["10.0.0.1", 3000].health = Health.UNHEALTHY
        some = targets.pick(0, None) is not None
        plane.close()
        return nothing, some

    assert asyncio.run(pick()) == (True, True)


def test_weights_are_kept_statistically_and_zero_gets_nothing() -> None:
    plane = DataPlane(NoPods(), seed=1)
    forward = Forward((("blue", 90), ("green", 10), ("none", 0)), sticky_seconds=60)
    chosen = [plane.choose_group(forward, None) for _ in range(10_000)]
    assert 850 < chosen.count("green") < 1150
    assert "none" not in chosen
    assert plane.choose_group(forward, "green") == "green"
    assert plane.choose_group(forward, "none") != "none"
    assert plane.choose_group(Forward((("blue", 0),)), None) is None


def test_counters_keep_totals_beside_periods() -> None:
    counters = Counters()
    counters.target_answered("lb", "tg", 200, 0.0123)
    assert counters.take()["lb", "tg"].seconds == {0.012: 1}
    counters.target_failed("lb", "tg", 502)
    assert counters.totals()["lb", "tg"].requests == 2
    assert counters.totals()["lb", ""].statuses == {"502": 1}
    assert Listener(80, "HTTP", FixedResponse(404)).rules == ()
