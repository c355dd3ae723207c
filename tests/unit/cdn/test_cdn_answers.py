"""What a response-headers policy and functions make of an answer; where names lead; who is told of changes."""

from __future__ import annotations

import asyncio
import base64
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict

from rehearsal.aws.cdn import events, javascript, security
from rehearsal.aws.cdn.messages import EdgeError, Request, Response
from rehearsal.aws.cdn.model import Distribution, Event, Origin
from rehearsal.aws.cdn.names import FRONT_DOOR, Names, Unresolved
from rehearsal.aws.gateway.changes import Changes

pytestmark = pytest.mark.unit

ORIGIN = Origin("o", "b.s3.us-east-1.amazonaws.com", "/p", (("X-A", "1"),), True)
DISTRIBUTION = Distribution("1", "D", "arn", "d.cloudfront.net", True, (), "", (), {"o": ORIGIN}, {}, {})
CORS = {"OriginOverride": True, "AccessControlAllowCredentials": False, "AccessControlMaxAgeSec": 600,
        "AccessControlAllowOrigins": {"Items": ["https://*.a.example", "https://b.example"]},
        "AccessControlAllowMethods": {"Items": ["GET", "PUT"]}, "AccessControlAllowHeaders": {"Items": ["*"]},
        "AccessControlExposeHeaders": {"Items": ["x-seen"]}}


def applied(policy: dict[str, Any], method: str = "GET", asked: dict[str, str] | None = None,
            **headers: str) -> dict[str, str]:
    got = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    security.apply(policy, got, method=method, asked=asked or {})
    return dict(got)


def test_an_item_that_does_not_override_leaves_the_origins_own() -> None:
    policy = {"SecurityHeadersConfig": {
        "ContentSecurityPolicy": {"ContentSecurityPolicy": "default-src 'self'", "Override": False},
        "FrameOptions": {"FrameOption": "DENY", "Override": True},
        "XSSProtection": {"Protection": True, "ModeBlock": True, "Override": True}}}
    assert applied(policy, Content_Security_Policy="nonce", X_Frame_Options="SAMEORIGIN") == {
        "Content-Security-Policy": "nonce", "X-Frame-Options": "DENY", "X-XSS-Protection": "1; mode=block"}
    assert applied(policy)["Content-Security-Policy"] == "default-src 'self'"


def test_headers_are_removed_but_not_those_that_carry_the_answer() -> None:
    policy = {"RemoveHeadersConfig": {"Items": [{"Header": "Server"}, {"Header": "content-length"}]}}
    assert applied(policy, Server="x", Content_Length="4") == {"Content-Length": "4"}


@pytest.mark.parametrize(("origin", "allowed"), [
    ("https://x.a.example", True), ("https://a.example", False), ("http://x.a.example", False),
    ("https://b.example", True), ("https://evil-b.example", False), ("https://xa.example", False)])
def test_cors_is_for_the_origins_that_are_named(origin: str, allowed: bool) -> None:
    got = applied({"CorsConfig": CORS}, asked={"Origin": origin})
    assert (got.get("Access-Control-Allow-Origin") == origin) is allowed
    assert ("Access-Control-Expose-Headers" in got) is allowed


def test_a_preflight_is_told_methods_and_headers() -> None:
    got = applied({"CorsConfig": CORS}, "OPTIONS", {
        "Origin": "https://b.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-b"})
    assert (got["Access-Control-Allow-Methods"], got["Access-Control-Allow-Headers"]) == ("GET, PUT", "x-b")
    assert got["Access-Control-Max-Age"] == "600"


def test_cors_of_the_origin_stays_where_nothing_overrides_it() -> None:
    got = applied({"CorsConfig": {**CORS, "OriginOverride": False}}, asked={"Origin": "https://b.example"},
                  Access_Control_Allow_Origin="*")
    assert got == {"Access-Control-Allow-Origin": "*"}


def request(**headers: str) -> Request:
    return Request("GET", "/x", "a=1", CIMultiDict({"Host": "a.example"} | headers), b"body", "192.0.2.1", id="1")


def test_an_event_has_lambda_at_edges_shape_and_its_answer_is_read_back() -> None:
    made = events.event(DISTRIBUTION, Event.ORIGIN_REQUEST, request(Accept="x"), include_body=True, origin=ORIGIN)
    cf = made["Records"][0]["cf"]
    assert cf["config"] == {"distributionDomainName": "d.cloudfront.net", "distributionId": "D",
                            "eventType": "origin-request", "requestId": "1"}
    asked = cf["request"]
    assert asked["headers"]["host"] == [{"key": "Host", "value": "a.example"}]
    assert base64.b64decode(asked["body"]["data"]) == b"body"
    assert asked["origin"]["s3"]["customHeaders"] == {"x-a": [{"key": "X-A", "value": "1"}]}
    asked["uri"], asked["origin"]["s3"]["path"] = "/y", "/q"
    asked["body"] |= {"action": "replace", "encoding": "text", "data": "other"}
    back = events.request_from(asked, Event.ORIGIN_REQUEST, request())
    assert isinstance(back, Request)
    assert (back.path, back.query, back.body, back.client) == ("/y", "a=1", b"other", "192.0.2.1")
    assert events.origin_from(asked, ORIGIN) == Origin("o", ORIGIN.domain, "/q", ORIGIN.headers, True)


@pytest.mark.parametrize("answer", [
    None, {"uri": "no-slash", "headers": {}}, {"uri": "/x", "headers": {}},
    {"uri": "/x", "headers": {"host": [{"value": "b.example"}]}}, {"status": "99"}, {"status": "soon"},
    {"uri": "/x", "headers": {"host": [{"value": "a.example"}], "x-edge-a": [{"value": "1"}]}},
    {"status": "200", "body": "?", "bodyEncoding": "base64"}, {"uri": "/x", "headers": {"host": "a.example"}}])
def test_what_a_function_may_not_answer_is_a_502(answer: Any) -> None:
    with pytest.raises(EdgeError) as error:
        events.request_from(answer, Event.VIEWER_REQUEST, request())
    assert error.value.status == 502


def test_a_response_that_a_function_changes_keeps_its_body_unless_it_gives_one() -> None:
    before = Response(200, CIMultiDict({"A": "1"}), b"page", "OK")
    told = events.event(DISTRIBUTION, Event.ORIGIN_RESPONSE, request(), response=before)["Records"][0]["cf"]["response"]
    same = events.response_from({**told, "headers": {"b": [{"key": "B", "value": "2"}]}}, Event.ORIGIN_RESPONSE, before)
    assert (same.status, same.body, dict(same.headers)) == (200, b"page", {"B": "2"})
    assert events.response_from({**told, "status": 404, "body": "no"}, Event.ORIGIN_RESPONSE, before).body == b"no"


def test_a_cloudfront_functions_event_has_cookies_and_queries_apart() -> None:
    made = javascript.event(DISTRIBUTION, Event.VIEWER_REQUEST, Request(
        "GET", "/x", "a=1&a=2&b", CIMultiDict({"Host": "h", "Cookie": "s=1; t=2"}), b"", "192.0.2.1"))["request"]
    assert made["querystring"] == {"a": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]},
                                   "b": {"value": ""}}
    assert (made["cookies"]["t"], "cookie" in made["headers"]) == ({"value": "2"}, False)
    back = javascript.request_from({**made, "uri": "/y"}, request(Host="h"))
    assert isinstance(back, Request)
    assert (back.path, back.query, back.headers["Cookie"]) == ("/y", "a=1&a=2&b", "s=1; t=2")


def test_a_cloudfront_function_may_answer_by_itself_but_not_change_the_host() -> None:
    own = javascript.request_from({"statusCode": 404, "headers": {"x-a": {"value": "1"}}}, request())
    assert isinstance(own, Response)
    assert (own.status, own.headers["X-A"]) == (404, "1")
    with pytest.raises(EdgeError, match="read-only"):
        javascript.request_from({"uri": "/", "headers": {"host": {"value": "b"}}}, request())


def test_without_node_a_cloudfront_function_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(javascript.shutil, "which", lambda name: None)
    with pytest.raises(EdgeError, match="Install Node"):
        asyncio.run(javascript.run("function handler() {}", {}))


class Dns:
    """Route 53 and ELBv2 as far as a name goes through them."""

    def __init__(self, inverted: bool = False) -> None:
        self.inverted = inverted

    def __call__(self, service: str, region: str, account: str) -> Any:
        return self

    def get_paginator(self, name: str) -> Any:
        pages = {"list_hosted_zones": {"HostedZones": [
            {"Name": "a.example.", "Id": "/hostedzone/Z", "Config": {"PrivateZone": False}},
            {"Name": "o.a.example.", "Id": "/hostedzone/P", "Config": {"PrivateZone": True}}]},
            "describe_load_balancers": {"LoadBalancers": [
                {"DNSName": f"{lb}.us-east-1.elb.amazonaws.com", "LoadBalancerArn": lb} for lb in ("one", "two")]}}
        return SimpleNamespace(paginate=lambda: [pages[name]])

    def list_resource_record_sets(self, *, HostedZoneId: str, StartRecordName: str, StartRecordType: str) -> Any:
        assert HostedZoneId == "Z"

        def alias(name: str, target: str, **more: str) -> dict[str, Any]:
            return {"Name": f"{name}.", "Type": "A", "AliasTarget": {"DNSName": target}, **more}

        records = [alias("o.a.example", "one.us-east-1.elb.amazonaws.com.", Failover="PRIMARY", HealthCheckId="c"),
                   alias("o.a.example", "dualstack.two.us-east-1.elb.amazonaws.com.", Failover="SECONDARY"),
                   alias("rest.a.example", "d-1.execute-api.us-east-1.amazonaws.com"),
                   alias("loop.a.example", "loop.a.example"),
                   {"Name": "c.a.example.", "Type": "CNAME", "ResourceRecords": [{"Value": "o.a.example"}]},
                   {"Name": "ip.a.example.", "Type": "A", "ResourceRecords": [{"Value": "192.0.2.1"}]}]
        return {"ResourceRecordSets": [each for each in records if each["Name"] == f"{StartRecordName}."]}

    def get_health_check(self, *, HealthCheckId: str) -> Any:
        return {"HealthCheck": {"HealthCheckConfig": {"Inverted": self.inverted}}}

    def describe_tags(self, *, ResourceArns: list[str]) -> Any:
        return {"TagDescriptions": [{"Tags": [{"Key": "elbv2.k8s.aws/cluster", "Value": ResourceArns[0]}]}]}

    def get(self, account: str, region: str, type: str, id: str) -> Any:
        return {"url": f"http://127.0.0.1/{id}"} if type == FRONT_DOOR else None


def test_what_a_name_led_to_is_remembered_until_names_change() -> None:
    dns: Any = Dns()
    names = Names(dns, dns, "http://gateway")
    assert names.url("1", "o.a.example") == "http://127.0.0.1/one"
    dns.inverted = True
    assert names.url("1", "o.a.example") == "http://127.0.0.1/one"
    names.forget()
    assert names.url("1", "o.a.example") == "http://127.0.0.1/two"


def url(host: str, inverted: bool = False) -> str:
    dns: Any = Dns(inverted)
    return Names(dns, dns, "http://gateway").url("1", host)


def test_a_name_leads_through_route_53_to_a_front_door_or_the_gateway() -> None:
    assert url("o.a.example") == url("c.a.example") == "http://127.0.0.1/one"
    assert url("o.a.example", inverted=True) == "http://127.0.0.1/two"
    assert url("rest.a.example") == url("x.execute-api.eu-west-1.amazonaws.com") == "http://gateway"


@pytest.mark.parametrize("host", ["none.a.example", "b.example", "loop.a.example", "ip.a.example",
                                  "three.us-east-1.elb.amazonaws.com"])
def test_a_name_that_leads_nowhere_is_said(host: str) -> None:
    with pytest.raises(Unresolved, match=r"[a-z]"):
        url(host)


def test_who_follows_changes_is_told_of_the_next_and_of_a_reset() -> None:
    async def follow() -> list[Any]:
        changes = Changes()
        waiting = asyncio.create_task(changes.wait("cloudfront", 0))
        await changes.note("route53", "1")
        await changes.note("cloudfront", "2")
        told = [await waiting, await changes.wait("cloudfront", -1), await changes.wait("cloudfront", 1, 0.01)]
        waiting = asyncio.create_task(changes.wait("cloudfront", 1))
        await asyncio.sleep(0)
        await changes.clear()
        return [*told, await waiting]

    assert asyncio.run(follow()) == [(1, ["2"]), (1, ["2"]), (1, ["2"]), (2, [])]
