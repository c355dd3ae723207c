"""Route 53 through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.aws.world import ensure_zone
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

ZONE = "aws:route53/zone:Zone"
RECORD = "aws:route53/record:Record"
CHECK = "aws:route53/healthCheck:HealthCheck"
ADDRESS = {"type": "A", "ttl": 60, "records": ["192.0.2.1"]}


def _alias(name: str) -> list[Inputs]:
    return [{"name": name, "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}]


def test_zones_are_public_or_private(aws: Any) -> None:
    assert len(lives(aws, ZONE, {"name": "candlefish.ai"}, {"comment": "c"})["nameServers"]) == 4
    lives(aws, ZONE, {"name": "internal", "vpcs": [{"vpcId": world(aws).vpc}]})
    zone, outputs = made(aws, ZONE, {"name": "candlefish.ai"})
    made(aws, RECORD, {"zoneId": zone, "name": "www", **ADDRESS})
    with pytest.raises(ProviderError, match="HostedZoneNotEmpty"):
        aws.provider.delete(aws.context(ZONE), zone, {"name": "candlefish.ai"}, outputs)
    aws.provider.delete(aws.context(ZONE), zone, {"name": "candlefish.ai", "forceDestroy": True}, outputs)


@pytest.mark.parametrize(("first", "change"), [
    ({"name": "www", **ADDRESS}, {"records": ["192.0.2.2", "192.0.2.3"]}),
    ({"name": "", "type": "A", "aliases": _alias("a.cloudfront.net")}, {"aliases": _alias("b.cloudfront.net")}),
    ({"name": "t.candlefish.ai", "type": "TXT", "ttl": 60, "records": ["v=spf1 -all"]}, {"ttl": 30}),
    ({"name": "*.w", "type": "CNAME", "ttl": 60, "records": ["a.b.c"]}, {"ttl": 30}),
    ({"name": "w", **ADDRESS, "setIdentifier": "blue", "weightedRoutingPolicies": [{"weight": 10}]},
     {"weightedRoutingPolicies": [{"weight": 0}]}),
    ({"name": "l", **ADDRESS, "setIdentifier": "east", "latencyRoutingPolicies": [{"region": "us-east-1"}]},
     {"ttl": 30}),
    ({"name": "g", **ADDRESS, "setIdentifier": "us", "geolocationRoutingPolicies": [{"country": "US"}]}, {"ttl": 30}),
])
def test_records_of_every_kind_live(aws: Any, first: Inputs, change: Inputs) -> None:
    zone, _ = made(aws, ZONE, {"name": "candlefish.ai"})
    lives(aws, RECORD, {"zoneId": zone, **first}, change)


def test_failover_records_follow_a_health_check(aws: Any) -> None:
    zone, _ = made(aws, ZONE, {"name": "candlefish.ai"})
    probe = {"type": "HTTPS", "fqdn": "a.b", "port": 443, "resourcePath": "/health", "requestInterval": 30,
             "failureThreshold": 3}
    lives(aws, CHECK, probe, {"failureThreshold": 2}, {"resourcePath": "/x"})
    refused(aws, CHECK, {**probe, "requestInterval": 7}, "10 or 30")
    check, _ = made(aws, CHECK, probe)
    first = {"zoneId": zone, "name": "api", **ADDRESS, "setIdentifier": "primary", "healthCheckId": check,
             "failoverRoutingPolicies": [{"type": "PRIMARY"}]}
    assert made(aws, RECORD, first)[0] == f"{zone}_api_A_primary"
    lives(aws, RECORD, {**first, "setIdentifier": "other", "failoverRoutingPolicies": [{"type": "SECONDARY"}]})


def test_records_of_other_names_outlive_one_with_their_set_identifier(aws: Any) -> None:
    """moto deletes all of an identifier, and refuses to make again what it deleted so."""
    zone, _ = made(aws, ZONE, {"name": "candlefish.ai"})
    api, origin = ({"zoneId": zone, "name": name, **ADDRESS, "setIdentifier": "secondary",
                    "failoverRoutingPolicies": [{"type": "SECONDARY"}]} for name in ("api", "origin"))
    ids = {}
    for each in (api, origin):
        ids[each["name"]], outputs = made(aws, RECORD, each)
    aws.provider.delete(aws.context(RECORD), ids["origin"], origin, outputs)
    assert aws.provider.read(aws.context(RECORD), ids["api"], api, outputs) is not None
    assert aws.provider.read(aws.context(RECORD), ids["origin"], origin, outputs) is None
    aws.provider.delete(aws.context(RECORD), ids["api"], api, outputs)
    made(aws, RECORD, {**api, "setIdentifier": "primary", "failoverRoutingPolicies": [{"type": "PRIMARY"}]})
    made(aws, RECORD, api)


@pytest.mark.parametrize(("wrong", "message"), [
    ({"weightedRoutingPolicies": [{"weight": 1}]}, "setIdentifier"), ({"zoneId": "ZNO"}, "NoSuchHostedZone"),
    ({"ttl": None}, "need a ttl"), ({"records": ["x.y"]}, "not an IPv4"), ({"records": None}, "either records")])
def test_a_record_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    zone, _ = made(aws, ZONE, {"name": "candlefish.ai"})
    inputs = {"zoneId": zone, "name": "w", **ADDRESS, **wrong}
    refused(aws, RECORD, {name: value for name, value in inputs.items() if value is not None}, message)


def test_a_zone_is_signed_once_it_has_a_key(aws: Any) -> None:
    place, (zone, _) = world(aws), made(aws, ZONE, {"name": "candlefish.ai"})
    signing = "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec"
    key = {"hostedZoneId": zone, "keyManagementServiceArn": place.key, "name": "k"}
    refused(aws, signing, {"hostedZoneId": zone}, "no active key-signing key")
    lives(aws, "aws:route53/keySigningKey:KeySigningKey", key, {"status": "INACTIVE"})
    refused(aws, "aws:route53/keySigningKey:KeySigningKey", {**key, "keyManagementServiceArn": place.key[:-1]},
            "does not exist")
    made(aws, "aws:route53/keySigningKey:KeySigningKey", key)
    lives(aws, signing, {"hostedZoneId": zone}, {"signingStatus": "NOT_SIGNING"})


def test_queries_are_logged(aws: Any) -> None:
    world(aws)
    kind, (zone, _) = "aws:route53/queryLog:QueryLog", made(aws, ZONE, {"name": "candlefish.ai"})
    group = f"arn:aws:logs:us-east-1:{aws.account}:log-group:/logs"
    lives(aws, kind, {"zoneId": zone, "cloudwatchLogGroupArn": group})
    refused(aws, kind, {"zoneId": zone, "cloudwatchLogGroupArn": group + "x"}, "does not exist")


def test_a_zone_that_existed_before_is_found(aws: Any) -> None:
    token = "aws:route53/getZone:getZone"
    with pytest.raises(ProviderError, match="no matching"):
        aws.provider.invoke(aws.context(""), token, {"name": "candlefish.ai"})
    id = ensure_zone(aws.clients.shared, aws.account, "candlefish.ai")
    assert ensure_zone(aws.clients.shared, aws.account, "candlefish.ai") == id
    assert aws.provider.invoke(aws.context(""), token, {"name": "candlefish.ai"})["zoneId"] == id
