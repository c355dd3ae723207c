"""WAFv2 through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

ACL = "aws:wafv2/webAcl:WebAcl"
SET = "aws:wafv2/ipSet:IpSet"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"


def _visible(name: str) -> Inputs:
    return {"cloudwatchMetricsEnabled": True, "metricName": name, "sampledRequestsEnabled": True}


def _managed(name: str, priority: int, **more: Any) -> Inputs:
    return {"name": name, "priority": priority, "overrideAction": {"none": {}}, "visibilityConfig": _visible(name),
            "statement": {"managedRuleGroupStatement": {"name": name, "vendorName": "AWS", **more}}}


HEALTH = {"byteMatchStatement": {
    "fieldToMatch": {"uriPath": {}}, "positionalConstraint": "STARTS_WITH", "searchString": "/health",
    "textTransformations": [{"priority": 0, "type": "LOWERCASE"}]}}
RULES = [
    _managed("AWSManagedRulesCommonRuleSet", 1,
             ruleActionOverrides=[{"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}]),
    _managed("AWSManagedRulesKnownBadInputsRuleSet", 2),
    _managed("AWSManagedRulesBotControlRuleSet", 3,
             managedRuleGroupConfigs=[{"awsManagedRulesBotControlRuleSet": {"inspectionLevel": "COMMON"}}],
             scopeDownStatement={"notStatement": {"statement": HEALTH}}),
    {"name": "RateLimitRule", "priority": 10, "visibilityConfig": _visible("rate"),
     "action": {"block": {"customResponse": {"responseCode": 429,
                                             "responseHeaders": [{"name": "retry-after", "value": "60"}]}}},
     "statement": {"rateBasedStatement": {
         "limit": 2000, "aggregateKeyType": "IP", "evaluationWindowSec": 300, "scopeDownStatement": {
             "andStatement": {"statements": [{"geoMatchStatement": {"countryCodes": ["US"]}}, HEALTH]}}}}},
    {"name": "size", "priority": 11, "visibilityConfig": _visible("size"), "action": {"captcha": {}},
     "ruleLabels": [{"name": "a:b"}], "statement": {"sizeConstraintStatement": {
         "comparisonOperator": "GT", "size": 100, "fieldToMatch": {"singleHeader": {"name": "x"}},
         "textTransformations": [{"priority": 0, "type": "NONE"}]}}},
]


def _acl(**more: Any) -> Inputs:
    return {"name": "acl", "scope": "REGIONAL", "description": "edge", "defaultAction": {"allow": {}},
            "visibilityConfig": _visible("acl"), "rules": RULES, **more}


def test_a_web_acl_with_deep_rules_lives(aws: Any) -> None:
    outputs = lives(aws, ACL, _acl(), {"rules": RULES[:2]}, {"defaultAction": {"block": {}}}, {"description": "other"},
                    {"visibilityConfig": _visible("z")})
    assert outputs["capacity"] == 700 + 200 + 50 + 12 + 2 + 1 + 12 + 1


def test_a_web_acl_takes_its_rarer_settings(aws: Any) -> None:
    lives(aws, ACL, _acl(
        scope="CLOUDFRONT", rules=RULES[:1], tokenDomains=["candlefish.ai"],
        customResponseBodies=[{"key": "k", "content": "x", "contentType": "TEXT_PLAIN"}],
        captchaConfig={"immunityTimeProperty": {"immunityTime": 100}},
        challengeConfig={"immunityTimeProperty": {"immunityTime": 400}},
        associationConfig={"requestBodies": [{"apiGateways": [{"defaultSizeInspectionLimit": "KB_32"}]}]}))


@pytest.mark.parametrize(("wrong", "message"), [
    ({"rules": [RULES[0], {**RULES[1], "priority": 1}]}, "same priority"),
    ({"rules": [{**RULES[0], "overrideAction": None}]}, "needs overrideAction"),
    ({"rules": [{**RULES[3], "action": None}]}, "needs an action"),
    ({"rules": [_managed("AWSManagedRulesCommonRuleSet", n) | {"name": str(n)} for n in range(8)]}, "5000"),
])
def test_rules_that_aws_refuses_are_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, ACL, _acl(**wrong), message)


def test_the_edge_scope_lives_in_us_east_1(aws: Any) -> None:
    refused(aws, ACL, _acl(scope="CLOUDFRONT"), "us-east-1", region="us-west-2")
    addresses = {"name": "i", "ipAddressVersion": "IPV4", "addresses": ["192.0.2.0/24"]}
    refused(aws, SET, {**addresses, "scope": "CLOUDFRONT"}, "us-east-1", region="us-west-2")


def test_an_address_set_is_referenced_by_rules(aws: Any) -> None:
    first = {"name": "i", "scope": "REGIONAL", "ipAddressVersion": "IPV4", "addresses": ["192.0.2.0/24"]}
    refused(aws, SET, {**first, "addresses": ["192.0.2.1"]}, "CIDR")
    _, outputs = made(aws, SET, first)

    def rule(arn: str) -> Inputs:
        return {"name": "r", "priority": 0, "action": {"block": {}}, "visibilityConfig": _visible("r"),
                "statement": {"ipSetReferenceStatement": {"arn": arn}}}

    lives(aws, ACL, _acl(rules=[rule(outputs["arn"])]))
    refused(aws, ACL, _acl(rules=[rule(outputs["arn"] + "x")]), "does not exist")


def test_an_address_set_changes(aws: Any) -> None:
    first = {"name": "i", "scope": "REGIONAL", "ipAddressVersion": "IPV4", "addresses": ["192.0.2.0/24"]}
    lives(aws, SET, first, {"addresses": ["192.0.2.0/24", "198.51.100.1/32"]}, {"description": "some"})


def test_logs_are_redacted_and_go_to_a_group_of_the_right_name(aws: Any) -> None:
    _, acl = made(aws, ACL, _acl())
    for name in ("aws-waf-logs-x", "x"):
        aws.client("logs").create_log_group(logGroupName=name)
    group = f"arn:aws:logs:us-east-1:{aws.account}:log-group:"
    first = {
        "resourceArn": acl["arn"], "logDestinationConfigs": [group + "aws-waf-logs-x"],
        "redactedFields": [{"singleHeader": {"name": "authorization"}}, {"queryString": {}}],
        "loggingFilter": {"defaultBehavior": "DROP", "filters": [{
            "behavior": "KEEP", "requirement": "MEETS_ANY", "conditions": [{"actionCondition": {"action": "BLOCK"}}]}]}}
    lives(aws, LOGGING, first, {"redactedFields": [{"singleHeader": {"name": "cookie"}}]})
    refused(aws, LOGGING, {**first, "logDestinationConfigs": [group + "x"]}, "aws-waf-logs-")
    refused(aws, LOGGING, {**first, "logDestinationConfigs": [group + "aws-waf-logs-no"]}, "does not exist")


def test_a_web_acl_protects_a_load_balancer(aws: Any) -> None:
    _, acl = made(aws, ACL, _acl())
    place = world(aws)
    balancer = aws.client("elbv2").create_load_balancer(Name="lb", Subnets=place.subnets)["LoadBalancers"][0]
    first = {"resourceArn": balancer["LoadBalancerArn"], "webAclArn": acl["arn"]}
    lives(aws, ASSOCIATION, first)
    refused(aws, ASSOCIATION, {**first, "webAclArn": acl["arn"] + "x"}, "does not exist")
