"""The edge components: names, certificates, firewalls, headers and the distribution."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.edge.dns import Records, RecordsArgs
from infra.components.edge.edge import Edge, EdgeArgs
from infra.components.edge.web_acl import WebAcl, WebAclArgs
from infra.plans.edge import ORIGIN_RULE, Scope, hosts
from infra.settings import model
from tests.unit.components.answering import ZONE, Registrations, record

pytestmark = pytest.mark.unit

ACL = "aws:wafv2/webAcl:WebAcl"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
RECORD = "aws:route53/record:Record"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
NAMES = hosts(model.Domain(prefix="staging"))


def edge(**changes: Any) -> Registrations:
    def program() -> SimpleNamespace:
        us_east_1 = aws.Provider("aws-us-east-1", region="us-east-1")
        here = pulumi.ResourceOptions(providers=[aws.Provider("aws", region="us-west-2")])
        values: dict[str, Any] = {
            "domain": model.Domain(prefix="staging"), "edge": model.Edge(),
            "web_acl_name": "candlefish-aesthetic-defense-staging",
            "site_buckets": {"blue": "blue.s3.test", "green": "green.s3.test"}, "assets_bucket": "assets.s3.test",
            "logs_bucket": "logs.s3.test", "key_arn": "logs-key", "global_key_arn": "global-logs-key",
            "aws_global": us_east_1}
        made = Edge("edge", EdgeArgs(**(values | changes)), here)
        return SimpleNamespace(zone=made.zone_id, site=made.site_url, api=made.api_url, arn=made.distribution_arn,
                               certificate=made.regional_certificate_arn, acl=made.regional_web_acl_arn,
                               domain=made.distribution_domain)

    return record(program)


@pytest.fixture(scope="module")
def looked_up() -> Registrations:
    return edge()


@pytest.fixture(scope="module")
def created() -> Registrations:
    return edge(domain=model.Domain(create_zone=True))


@pytest.fixture(scope="module")
def distribution(looked_up: Registrations) -> dict[str, Any]:
    return dict(looked_up.of(DISTRIBUTION)[0].inputs)


def test_a_zone_that_exists_is_looked_up_and_not_made(looked_up: Registrations) -> None:
    assert looked_up.built.zone == ZONE
    assert not looked_up.of("aws:route53/zone:Zone")


def test_a_zone_of_our_own_is_signed_and_its_queries_are_logged(created: Registrations) -> None:
    key = created.of("aws:kms/key:Key")[0].inputs
    assert (key["customerMasterKeySpec"], key["keyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    assert len(created.of("aws:route53/hostedZoneDnsSec:HostedZoneDnsSec")) == 1
    assert len(created.of("aws:route53/queryLog:QueryLog")) == 1
    group = created.one("aws:cloudwatch/logGroup:LogGroup", "edge-zone-queries").inputs
    assert (group["name"], group["kmsKeyId"]) == ("/aws/route53/candlefish.ai", "global-logs-key")


def test_certificates_name_every_host_and_no_wildcard(looked_up: Registrations) -> None:
    names = {found.name: {found.inputs["domainName"], *found.inputs["subjectAlternativeNames"]}
             for found in looked_up.of("aws:acm/certificate:Certificate")}
    assert names == {
        "edge-certificates-cloudfront-certificate": {NAMES.apex, NAMES.www},
        "edge-certificates-regional-certificate": {NAMES.apex, NAMES.www, NAMES.api, NAMES.origin}}
    assert not any("*" in name for found in names.values() for name in found)


def test_a_host_in_two_certificates_is_validated_by_one_record(looked_up: Registrations) -> None:
    validation = [found.inputs["name"] for found in looked_up.of(RECORD)]
    assert sorted(validation) == sorted(f"_v.{name}" for name in NAMES.regional)
    used = {found.name: set(found.inputs["validationRecordFqdns"])
            for found in looked_up.of("aws:acm/certificateValidation:CertificateValidation")}
    assert used["edge-certificates-cloudfront-validation"] == {f"_v.{name}" for name in NAMES.site}


def test_both_firewalls_have_the_managed_rules_the_rate_limit_and_logs_without_credentials(
        looked_up: Registrations) -> None:
    acls = {found.inputs["scope"]: found.inputs for found in looked_up.of(ACL)}
    assert acls["CLOUDFRONT"]["name"] == "candlefish-aesthetic-defense-staging"
    for acl in acls.values():
        names = [rule["name"] for rule in acl["rules"]]
        assert {"RateLimitRule", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
                "AWSManagedRulesSQLiRuleSet", "AWSManagedRulesAmazonIpReputationList"} <= set(names)
        assert len({rule["priority"] for rule in acl["rules"]}) == len(names)
        assert all(rule["visibilityConfig"]["cloudwatchMetricsEnabled"] for rule in acl["rules"])
    for logging in looked_up.of(LOGGING):
        assert [field["singleHeader"]["name"] for field in logging.inputs["redactedFields"]] == [
            "authorization", "cookie"]
    groups = {found.inputs["name"]: found.inputs["kmsKeyId"]
              for found in looked_up.of("aws:cloudwatch/logGroup:LogGroup")}
    assert groups == {"aws-waf-logs-candlefish-aesthetic-defense-staging": "global-logs-key",
                      "aws-waf-logs-candlefish-aesthetic-defense-staging-regional": "logs-key"}


def test_the_load_balancer_refuses_the_sites_own_names_without_cloudfronts_secret(looked_up: Registrations) -> None:
    regional = next(found for found in looked_up.of(ACL) if found.inputs["scope"] == "REGIONAL")
    rule = next(rule for rule in regional.inputs["rules"] if rule["name"] == ORIGIN_RULE)
    site, verified = rule["statement"]["andStatement"]["statements"]
    guarded = {host["byteMatchStatement"]["searchString"] for host in site["orStatement"]["statements"]}
    assert guarded == {NAMES.apex, NAMES.www, NAMES.origin}
    assert "rules" in regional.secrets
    expected = verified["notStatement"]["statement"]["byteMatchStatement"]["searchString"]
    origins = looked_up.of(DISTRIBUTION)[0].inputs["origins"]
    sent = next(origin["customHeaders"] for origin in origins if "customHeaders" in origin)
    assert sent == [{"name": "x-origin-verify", "value": expected}]
    assert "origins" in looked_up.of(DISTRIBUTION)[0].secrets


def test_only_cloudfront_has_bot_control_when_it_is_wanted() -> None:
    acls = {found.inputs["scope"]: [rule["name"] for rule in found.inputs["rules"]]
            for found in edge(edge=model.Edge(bot_control=True)).of(ACL)}
    assert "AWSManagedRulesBotControlRuleSet" in acls["CLOUDFRONT"]
    assert "AWSManagedRulesBotControlRuleSet" not in acls["REGIONAL"]


def test_a_secret_for_the_wrong_scope_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs to the scope REGIONAL"):
        record(lambda: SimpleNamespace(acl=WebAcl("acl", WebAclArgs(
            name="acl", scope=Scope.REGIONAL, settings=model.Edge(), hosts=NAMES, log_key_arn="key",
            log_retention_days=365)).arn))


def test_the_distribution_meets_the_acceptance_table(distribution: dict[str, Any]) -> None:
    assert distribution["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
    assert distribution["loggingConfig"] == {"bucket": "logs.s3.test", "prefix": "cloudfront/", "includeCookies": False}
    assert distribution["defaultRootObject"] == "index.html"
    assert (distribution["httpVersion"], distribution["isIpv6Enabled"]) == ("http2and3", True)
    assert distribution["webAclId"] == "arn:aws:wafv2:::edge-cloudfront-acl"
    behaviours = [distribution["defaultCacheBehavior"], *distribution["orderedCacheBehaviors"]]
    assert all(found["viewerProtocolPolicy"] == "redirect-to-https" for found in behaviours)
    assert all(found["responseHeadersPolicyId"] and found["compress"] for found in behaviours)


def test_every_behaviour_leads_to_an_origin_or_group_of_the_distribution(distribution: dict[str, Any]) -> None:
    origins = {origin["originId"] for origin in distribution["origins"]}
    groups = {group["originId"]: {member["originId"] for member in group["members"]}
              for group in distribution["originGroups"]}
    behaviours = [distribution["defaultCacheBehavior"], *distribution["orderedCacheBehaviors"]]
    assert {found["targetOriginId"] for found in behaviours} <= origins | set(groups)
    assert all(len(members) == 2 and members <= origins for members in groups.values())


def test_a_behaviour_that_fails_over_takes_only_methods_that_cloudfront_can_repeat(
        distribution: dict[str, Any]) -> None:
    groups = {group["originId"] for group in distribution["originGroups"]}
    over = [found for found in distribution["orderedCacheBehaviors"] if found["targetOriginId"] in groups]
    assert over
    assert all(set(found["allowedMethods"]) <= {"GET", "HEAD", "OPTIONS"} for found in over)


def test_buckets_are_read_by_access_control_and_the_load_balancer_over_tls(distribution: dict[str, Any]) -> None:
    for origin in distribution["origins"]:
        if origin["originId"] == "load-balancer":
            assert origin["domainName"] == NAMES.origin
            assert origin["customOriginConfig"]["originProtocolPolicy"] == "https-only"
        else:
            assert origin["originAccessControlId"] == "edge-site-buckets-id"


def test_operations_own_the_live_colour_of_the_static_site_and_nothing_else(looked_up: Registrations) -> None:
    found = looked_up.of(DISTRIBUTION)[0]
    behaviours = found.inputs["orderedCacheBehaviors"]
    moved = {f"orderedCacheBehaviors[{index}].targetOriginId" for index, behaviour in enumerate(behaviours)
             if behaviour["targetOriginId"] == "site-blue-first"}
    assert set(found.ignored) == moved
    assert {behaviours[index]["pathPattern"] for index in range(len(moved))} == {"/_next/static/*", "/offline/*"}


def test_only_what_is_cached_is_compressed_and_varies(looked_up: Registrations) -> None:
    policies = {found.name.removeprefix("edge-site-"): found.inputs
                for found in looked_up.of("aws:cloudfront/cachePolicy:CachePolicy")}
    key = "parametersInCacheKeyAndForwardedToOrigin"
    assert {name: policy[key]["enableAcceptEncodingBrotli"] for name, policy in policies.items()} == {
        "static": True, "pages": True, "none": False}
    assert policies["static"]["defaultTtl"] == 31_536_000
    assert policies["none"]["maxTtl"] == 0
    assert policies["pages"][key]["headersConfig"]["headers"]["items"] == ["Authorization", "Host"]


def test_the_security_headers_are_strict_and_only_the_content_policy_may_be_replaced(looked_up: Registrations) -> None:
    policy = looked_up.of("aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy")[0].inputs
    security = policy["securityHeadersConfig"]
    transport = security["strictTransportSecurity"]
    assert transport["preload"]
    assert transport["includeSubdomains"]
    assert transport["accessControlMaxAgeSec"] >= 31_536_000
    assert "report-uri https://candlefish.report-uri.com/" in security["contentSecurityPolicy"]["contentSecurityPolicy"]
    assert [name for name, header in security.items() if not header["override"]] == ["contentSecurityPolicy"]


def test_every_component_registers_its_outputs(created: Registrations) -> None:
    components = {found.urn for found in created.all if found.type.startswith("candlefish:")}
    assert len(components) == 7
    assert components <= created.with_outputs


def test_names_point_at_cloudfront_and_the_load_balancer() -> None:
    def program() -> SimpleNamespace:
        return SimpleNamespace(names=Records("records", RecordsArgs(
            hosts=NAMES, zone_id=ZONE, distribution_domain="d1.cloudfront.net", distribution_zone_id="Z2FDTNDATAQYW2",
            load_balancer_domain="lb.test", load_balancer_zone_id="Z35SXDOTRQ7X7K")).names)

    found = {(entry.inputs["name"], entry.inputs["type"]): entry.inputs["aliases"][0]["name"]
             for entry in record(program).of(RECORD)}
    assert found == {(NAMES.apex, "A"): "d1.cloudfront.net", (NAMES.apex, "AAAA"): "d1.cloudfront.net",
                     (NAMES.www, "A"): "d1.cloudfront.net", (NAMES.www, "AAAA"): "d1.cloudfront.net",
                     (NAMES.api, "A"): "lb.test", (NAMES.origin, "A"): "lb.test"}


def test_policies_of_the_zone_name_only_this_account(created: Registrations) -> None:
    policy = json.loads(created.of("aws:cloudwatch/logResourcePolicy:LogResourcePolicy")[0].inputs["policyDocument"])
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
