"""The edge components: names, certificates, firewalls, headers and the distribution."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.edge.delivery import Content, Delivery, DeliveryArgs
from infra.components.edge.edge import Edge, EdgeArgs
from infra.components.edge.operators import Login, LoginArgs
from infra.components.edge.records import Records, RecordsArgs, Target
from infra.components.edge.site import ApiOrigin
from infra.plans import firewall
from infra.plans.hosts import hosts
from infra.settings import model
from tests.unit.components.answering import ZONE, Registrations, record

pytestmark = pytest.mark.unit

ACL = "aws:wafv2/webAcl:WebAcl"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
RECORD = "aws:route53/record:Record"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
NAMES = hosts(model.Domain(prefix="staging"))


def edge(domain: model.Domain | None = None, **changes: Any) -> Registrations:
    """changes: of the delivery's arguments."""
    settings = model.Edge()

    def program() -> SimpleNamespace:
        us_east_1 = aws.Provider("aws-us-east-1", region="us-east-1")
        here = pulumi.ResourceOptions(providers=[aws.Provider("aws", region="us-west-2")])
        made = Edge("edge", EdgeArgs(
            domain=domain or model.Domain(prefix="staging"), edge=settings,
            web_acl_name="candlefish-aesthetic-defense-staging", key_arn="logs-key",
            global_key_arn="global-logs-key", aws_global=us_east_1), here)
        values: dict[str, Any] = {
            "edge": made, "settings": settings, "logs_bucket": "logs.s3.test", "aws_global": us_east_1,
            "site_buckets": {"blue": Content("blue", "blue.s3.test"), "green": Content("green", "green.s3.test")},
            "assets_bucket": Content("assets", "assets.s3.test"), "assets_replica": "replica.s3.test",
            "function_name": "performance-optimizer-staging", "account_id": "123456789012",
            "api": ApiOrigin("api.test", "/live")}
        delivery = Delivery("delivery", DeliveryArgs(**(values | changes)), here)
        return SimpleNamespace(zone=made.zone_id, certificate=made.regional_certificate_arn,
                               acl=made.regional_web_acl_arn, domain=delivery.distribution_domain,
                               status=delivery.status)

    return record(program)


@pytest.fixture(scope="module")
def looked_up() -> Registrations:
    return edge()


@pytest.fixture(scope="module")
def created() -> Registrations:
    return edge(model.Domain(create_zone=True))


@pytest.fixture(scope="module")
def distribution(looked_up: Registrations) -> dict[str, Any]:
    return dict(looked_up.one(DISTRIBUTION, "delivery-site-distribution").inputs)


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
    assert names == {"edge-certificates-cloudfront-certificate": {*NAMES.site, *NAMES.static},
                     "edge-certificates-regional-certificate": set(NAMES.regional)}
    assert not any("*" in name for found in names.values() for name in found)


def test_a_host_in_two_certificates_is_validated_by_one_record(looked_up: Registrations) -> None:
    validation = [found.inputs["name"] for found in looked_up.of(RECORD)]
    assert sorted(validation) == sorted(f"_v.{name}" for name in NAMES.by_role.values())
    used = {found.name: set(found.inputs["validationRecordFqdns"])
            for found in looked_up.of("aws:acm/certificateValidation:CertificateValidation")}
    assert used["edge-certificates-cloudfront-validation"] == {
        f"_v.{name}" for name in (*NAMES.site, *NAMES.static)}


def test_a_stack_that_stands_in_for_another_has_certificates_and_a_firewall_for_its_names() -> None:
    other = hosts(model.Domain())
    made = edge(model.Domain(prefix="recovery", also_serves="candlefish.ai"))
    names = {found.name.rsplit("-", 2)[1]: {found.inputs["domainName"], *found.inputs["subjectAlternativeNames"]}
             for found in made.of("aws:acm/certificate:Certificate")}
    assert names["also"] == {*other.site, other.api}
    assert {*other.site, *other.static} < names["cloudfront"]
    assert max(map(len, names.values())) <= 10  # ACM's quota
    kept = {found.inputs["name"] for found in made.of(RECORD)}
    assert kept >= {f"_v.{name}" for name in (*other.site, *other.static, other.api)}
    (function,) = made.of("aws:cloudfront/function:Function")
    assert other.docs in function.inputs["code"]
    regional = next(found.inputs for found in made.of(ACL) if found.inputs["scope"] == "REGIONAL")
    assert f"'{other.api}'" in str(regional["rules"])


def test_both_firewalls_have_their_rules_and_logs_without_credentials(looked_up: Registrations) -> None:
    acls = {found.inputs["scope"]: found.inputs for found in looked_up.of(ACL)}
    assert acls["CLOUDFRONT"]["name"] == "candlefish-aesthetic-defense-staging"
    for acl in acls.values():
        assert firewall.RATE_LIMIT_RULE in [rule["name"] for rule in acl["rules"]]
    for logging in looked_up.of(LOGGING):
        assert [field["singleHeader"]["name"] for field in logging.inputs["redactedFields"]] == [
            "authorization", "cookie"]
    groups = {found.inputs["name"]: found.inputs["kmsKeyId"]
              for found in looked_up.of("aws:cloudwatch/logGroup:LogGroup")}
    assert groups == {"aws-waf-logs-candlefish-aesthetic-defense-staging": "global-logs-key",
                      "aws-waf-logs-candlefish-aesthetic-defense-staging-regional": "logs-key"}


def test_cloudfronts_secret_is_one_and_stays_secret(looked_up: Registrations, distribution: dict[str, Any]) -> None:
    regional = next(found for found in looked_up.of(ACL) if found.inputs["scope"] == "REGIONAL")
    assert "rules" in regional.secrets
    sent = [origin["customHeaders"] for origin in distribution["origins"] if "customHeaders" in origin]
    assert sent == [[{"name": "x-origin-verify", "value": "not-a-secret"}]] * 2
    assert "origins" in looked_up.one(DISTRIBUTION, "delivery-site-distribution").secrets


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
        if origin["originId"] in ("load-balancer", "api"):
            assert origin["domainName"] in (NAMES.origin, "api.test")
            assert origin["customOriginConfig"]["originProtocolPolicy"] == "https-only"
        else:
            assert origin["originAccessControlId"] == "delivery-caching-buckets-id"


def test_operations_own_the_live_colour_of_the_static_site_and_nothing_else(looked_up: Registrations) -> None:
    found = looked_up.one(DISTRIBUTION, "delivery-site-distribution")
    behaviours = found.inputs["orderedCacheBehaviors"]
    moved = {f"orderedCacheBehaviors[{index}].targetOriginId" for index, behaviour in enumerate(behaviours)
             if behaviour["targetOriginId"] == "site-blue-first"}
    assert set(found.ignored) == moved
    assert {behaviours[index]["pathPattern"] for index in range(len(moved))} == {"/_next/static/*", "/offline/*"}


def test_only_what_is_cached_is_compressed_and_varies(looked_up: Registrations) -> None:
    policies = {found.name.removeprefix("delivery-caching-"): found.inputs
                for found in looked_up.of("aws:cloudfront/cachePolicy:CachePolicy")}
    key = "parametersInCacheKeyAndForwardedToOrigin"
    assert {name: policy[key]["enableAcceptEncodingBrotli"] for name, policy in policies.items()} == {
        "static": True, "documents": True, "pages": True, "none": False}
    assert policies["static"]["defaultTtl"] == 31_536_000
    assert policies["none"]["maxTtl"] == 0
    assert policies["pages"][key]["headersConfig"]["headers"]["items"] == [
        "Authorization", "Host", "x-device-class", "x-image-format"]


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
    assert len(components) == 12
    assert components <= created.with_outputs


@pytest.fixture(scope="module")
def records() -> Registrations:
    def program() -> SimpleNamespace:
        made = Records("records", RecordsArgs(
            hosts=NAMES, zone_id=ZONE, site=Target("site.cloudfront.net", "Z2FDTNDATAQYW2"),
            static=Target("static.cloudfront.net", "Z2FDTNDATAQYW2"), load_balancer=Target("lb.test", "Z35SXDOTRQ7X7K"),
            websocket=Target("ws.test", "ZWS"), rest=Target("rest.test", "ZREST")))
        return SimpleNamespace(checks=made.health_check_ids)

    return record(program)


def test_every_name_of_the_stack_leads_somewhere(records: Registrations) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for entry in records.of(RECORD):
        found.setdefault(entry.inputs["name"], set()).add((entry.inputs["type"], entry.inputs["aliases"][0]["name"]))
    behind = (NAMES.api, NAMES.origin, NAMES.direct, *NAMES.operators)
    assert found == {
        **{name: {(kind, "site.cloudfront.net") for kind in ("A", "AAAA")} for name in NAMES.site},
        **{name: {(kind, "static.cloudfront.net") for kind in ("A", "AAAA")} for name in NAMES.static},
        **{name: {("A", "lb.test")} for name in behind},
        NAMES.ws: {("A", "ws.test")}, NAMES.rest: {("A", "rest.test")}}
    assert set(found) == set(NAMES.by_role.values())


def test_names_of_the_load_balancer_fail_over_and_operations_own_only_where_to(records: Registrations) -> None:
    for role in ("api", "origin"):
        primary = records.one(RECORD, f"records-{role}-primary")
        secondary = records.one(RECORD, f"records-{role}-secondary")
        assert primary.inputs["healthCheckId"] == "records-front-door-id"
        assert primary.inputs["failoverRoutingPolicies"] == [{"type": "PRIMARY"}]
        assert (primary.ignored, secondary.ignored) == ((), ("aliases",))
    check = records.one("aws:route53/healthCheck:HealthCheck", "records-front-door")
    assert check.ignored == ("invertHealthcheck",)
    assert check.inputs["fqdn"] == NAMES.direct  # which does not fail over itself


def test_the_function_at_the_edge_is_what_cloudfront_takes(looked_up: Registrations,
                                                           distribution: dict[str, Any]) -> None:
    function = looked_up.of("aws:lambda/function:Function")[0].inputs
    assert function["name"] == "performance-optimizer-staging"
    assert function["publish"]
    assert (function["memorySize"], function["timeout"], function["architectures"]) == (128, 5, ["x86_64"])
    assert not {"environment", "deadLetterConfig", "vpcConfig", "layers", "reservedConcurrentExecutions"} & {*function}
    (association,) = distribution["defaultCacheBehavior"]["lambdaFunctionAssociations"]
    assert association["lambdaArn"].endswith(":performance-optimizer-staging:1")
    role = looked_up.one("aws:iam/role:Role", "delivery-optimizer-role").inputs
    assert json.loads(role["assumeRolePolicy"])["Statement"][0]["Principal"]["Service"] == [
        "lambda.amazonaws.com", "edgelambda.amazonaws.com"]


def test_the_rest_api_gets_its_paths_without_the_viewers_host(looked_up: Registrations,
                                                              distribution: dict[str, Any]) -> None:
    behaviours = {found["pathPattern"]: found for found in distribution["orderedCacheBehaviors"]}
    for path in ("/api/analytics*", "/memory*", "/experiments*"):
        assert behaviours[path]["targetOriginId"] == "api"
        assert behaviours[path]["originRequestPolicyId"] == "delivery-caching-api-id"
    policy = looked_up.one("aws:cloudfront/originRequestPolicy:OriginRequestPolicy", "delivery-caching-api").inputs
    assert policy["headersConfig"] == {"headerBehavior": "allExcept", "headers": {"items": ["Host"]}}
    assert list(behaviours).index("/api/analytics*") < list(behaviours).index("/api/*")


def test_a_stack_without_a_rest_api_or_a_replica_still_fails_over() -> None:
    found = edge(api=None, assets_replica=None).one(DISTRIBUTION, "delivery-site-distribution").inputs
    origins = {origin["originId"]: origin["domainName"] for origin in found["origins"]}
    assert origins["assets-replica"] == "blue.s3.test"
    assert "api" not in origins
    assert {behaviour["targetOriginId"] for behaviour in found["orderedCacheBehaviors"]} <= {
        *origins, *(group["originId"] for group in found["originGroups"])}


def test_static_names_have_a_distribution_with_the_same_guards(looked_up: Registrations) -> None:
    found = looked_up.one(DISTRIBUTION, "delivery-static-distribution").inputs
    assert found["aliases"] == list(NAMES.static)
    assert found["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
    assert all(found[part] for part in ("webAclId", "loggingConfig", "originGroups", "defaultRootObject"))
    behaviour = found["defaultCacheBehavior"]
    assert behaviour["responseHeadersPolicyId"]
    assert [each["eventType"] for each in behaviour["functionAssociations"]] == ["viewer-request"]


def test_pages_that_releases_bring_along_are_only_there_at_first(looked_up: Registrations) -> None:
    objects = {(found.inputs["bucket"], found.inputs["key"]): found
               for found in looked_up.of("aws:s3/bucketObjectv2:BucketObjectv2")}
    assert set(objects) == {("assets", "status/index.html"), ("assets", "status/status.js"),
                            ("assets", "errors/not-found.html"), ("blue", "offline/index.html"),
                            ("green", "offline/index.html")}
    assert "source" in objects["blue", "offline/index.html"].ignored
    assert not objects["assets", "status/index.html"].ignored
    assert looked_up.built.status["key"] == "status/status.json"


def test_operators_sign_in_with_a_second_factor_and_nobody_signs_up() -> None:
    def program() -> SimpleNamespace:
        made = Login("login", LoginArgs("staging-candlefish-operators", NAMES, deletion_protection=True, protect=True))
        return SimpleNamespace(provider=made.identity_provider)

    found = record(program)
    pool = found.of("aws:cognito/userPool:UserPool")[0]
    assert pool.protect
    assert pool.inputs["mfaConfiguration"] == "ON"
    assert pool.inputs["adminCreateUserConfig"] == {"allowAdminCreateUserOnly": True}
    assert json.loads(found.built.provider) == {
        "userPoolARN": "arn:aws:cognito:::login-pool", "userPoolClientID": "login-load-balancer-id",
        "userPoolDomain": "staging-candlefish-operators-deadbeef"}


def test_policies_of_the_zone_name_only_this_account(created: Registrations) -> None:
    policy = json.loads(created.of("aws:cloudwatch/logResourcePolicy:LogResourcePolicy")[0].inputs["policyDocument"])
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
