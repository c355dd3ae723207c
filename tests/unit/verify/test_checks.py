"""Every check passes on a stack that is fit, and fails, or says why there is nothing to look at, where one is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.plans.recovery import How, Kept
from operations.recovery.model import Judged, Point
from operations.recovery.model import State as PointState
from operations.verify import names, platform, runner
from operations.verify.model import Outcome, State, Unfit
from operations.verify.runner import chosen, verify
from operations.verify.table import CHECKS
from tests.unit.recovery.fake_aws import FakeAws, Refusal
from tests.unit.verify.world import API, HOSTS, NOW, SITE, SWITCHES, World, kept, metrics, websocket

pytestmark = pytest.mark.unit
Change = Callable[[World], Any]
FAKE = FakeAws({})
CLIENTS = kept(FAKE)


@pytest.fixture(scope="module")
def ponging() -> Iterator[str]:
    with websocket('{"type": "pong"}') as url:
        yield url


@pytest.fixture
def world(ponging: str, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(runner, "AT_ONCE", 1)  # the fake takes one call at a time
    monkeypatch.setattr(names, "_resolves", lambda name: True)
    monkeypatch.setattr(names, "handshake", lambda name, now: (90, "TLSv1.3"))
    monkeypatch.setattr(platform, "look", lambda account, now: [_point(PointState.GOOD)])
    return World(FAKE, CLIENTS, monkeypatch, ponging)


def run(world: World, *only: str) -> list[Outcome]:
    return verify(chosen(CHECKS, only), world.scene)


def _point(state: PointState, *faults: str, age: timedelta | None = timedelta(minutes=3)) -> Judged:
    return Judged(Point(Kept.DATABASE, How.POINT_IN_TIME, "db", "us-east-1"), state, age, None, faults)


def status(url: str, code: int, **headers: str) -> Change:
    return lambda world: world.pages.update({url: (code, headers, "broken")})


def says(service: str, operation: str, **changed: Any) -> Change:
    return lambda world: world.says(service, operation, **changed)


def without_header(name: str) -> Change:
    def change(world: World) -> None:
        code, headers, text = world.pages[f"{SITE}/api/health"]
        world.pages[f"{SITE}/api/health"] = code, {key: value for key, value in headers.items() if key != name}, text

    return change


def pod(name: str, **status: Any) -> Change:
    return lambda world: world.objects["Pod", name]["status"].update(status)


def rule(**changed: Any) -> Change:
    def change(world: World) -> None:
        acl = world.fake.answers["wafv2", "us-east-1", "GetWebACL"]["WebACL"]  # type: ignore[index]
        world.says("wafv2", "GetWebACL", WebACL={**acl, "Rules": [{**acl["Rules"][0], **changed}]})

    return change


def points(*judged: Judged) -> Change:
    return lambda world: world.patch.setattr(platform, "look", lambda account, now: list(judged))


UNREADY = {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [
    {"name": "website", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}
OFF = {"ActionsEnabled": True, "StateUpdatedTimestamp": NOW, "AlarmName": "production-candlefish-latency"}
QUIET = {**OFF, "StateValue": "OK", "AlarmName": "production-candlefish-outage"}
FAILING: list[tuple[str, Change, str]] = [
    ("site", status(f"{SITE}/", 502), "answers 502: broken"),
    ("site", status(f"{SITE}/", 503, **{"retry-after": "600"}), "answers 503"),
    ("site-health", lambda world: world.pages.pop(f"{SITE}/api/health"), "does not answer"),
    ("health", status(f"{SITE}/health", 404), "answers 404"),
    ("api-health", status(f"{API}/health", 500), "answers 500"),
    ("front-door", status(f"https://{HOSTS.direct}/health", 403), "answers 403"),
    ("analytics-api", status(f"{SITE}/experiments", 200), "API Gateway refuses such a request"),
    ("analytics-api", status(f"{SITE}/experiments", 400), "CloudFront does not lead there"),
    ("websocket", lambda world: world.outputs.update(websocketUrl="ws://127.0.0.1:9"), "refused"),
    ("forbidden", status(f"{SITE}/api/metrics", 200), "answers 200 and must not be reachable"),
    ("forbidden", status(f"{API}/admin/x", 301), "must not be reachable"),
    ("forbidden", status(f"{SITE}/operational-dashboard", 302, location="https://elsewhere"), "no sign-in"),
    ("security-headers", without_header("strict-transport-security"), "strict-transport-security is missing"),
    ("security-headers", without_header("content-security-policy"), "has no 'report-uri"),
    ("dns-records", lambda world: world.outputs["hosts"].update(extra="new.candlefish.ai"), "no record of new.candle"),
    ("dns-records", lambda world: world.outputs.update(distributionDomain="d2.cloudfront.net"), "does not lead to"),
    ("dns", lambda world: world.patch.setattr(names, "_resolves", lambda name: name != HOSTS.ws),
     "ws.candlefish.ai does not resolve"),
    ("tls", lambda world: world.patch.setattr(names, "handshake", lambda name, now: (3, "TLSv1.3")), "3 days"),
    ("tls-floor", says("elbv2", "DescribeSSLPolicies", SslPolicies=[{"SslProtocols": ["TLSv1", "TLSv1.2"]}]),
     "load balancer's listener has policy modern"),
    ("tls-floor", says("apigateway", "GetDomainName", securityPolicy="TLS_1_0"), "rest.candlefish.ai has policy TLS"),
    ("certificates", says("acm", "ListCertificates", CertificateSummaryList=[]), "no certificate of candlefish.ai"),
    ("certificates", lambda world: setattr(world, "now", NOW + timedelta(days=190)), "ends in 10 days"),
    ("waf", lambda world: world.fake.answers.update({
        ("wafv2", "us-east-1", "GetWebACLForResource"): {}}), "the load balancer has none"),
    ("waf", lambda world: world.fake.answers.update({
        ("wafv2", "us-east-1", "GetLoggingConfiguration"): Refusal("WAFNonexistentItemException")}), "logs nowhere"),
    ("waf", says("apigateway", "GetRestApis", items=[]), "there is no REST API"),
    ("waf-samples", rule(Name="another"), "has no rule RateLimitRule"),
    ("waf-samples", rule(Action={"Count": {}}), "does not block"),
    ("waf-samples", rule(VisibilityConfig={"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True,
                                           "MetricName": "rate"}), "does not sample"),
    ("waf-samples", lambda world: world.fake.answers.update({
        ("wafv2", "us-east-1", "GetSampledRequests"): Refusal("WAFNonexistentItemException")}), "can't be asked"),
    ("detectors", says("guardduty", "ListDetectors", DetectorIds=[]), "has no detector"),
    ("detectors", says("guardduty", "GetDetector", Status="DISABLED"), "is off"),
    ("detectors", lambda world: world.fake.answers.update({
        ("guardduty", "us-east-1", "ListFindings"): {"FindingIds": ["f1"]},
        ("guardduty", "us-east-1", "GetFindings"): {"Findings": [{
            "AccountId": "1", "Arn": "a", "CreatedAt": "x", "Id": "f1", "Region": "r", "Resource": {},
            "SchemaVersion": "2.0", "Severity": 8, "UpdatedAt": "x", "Type": "CryptoCurrency:EC2/BitcoinTool.B!DNS"}]},
    }), "1 open findings of medium severity or above: CryptoCurrency"),
    ("config", says("config", "DescribeConfigurationRecorderStatus", ConfigurationRecordersStatus=[
        {"recording": False}]), "does not record"),
    ("config", says("config", "DescribeComplianceByConfigRule", ComplianceByConfigRules=[
        {"ConfigRuleName": "no-open-ssh", "Compliance": {"ComplianceType": "NON_COMPLIANT"}}]), "no-open-ssh"),
    ("animation", lambda world: world.objects.pop(("ConfigMap", SWITCHES)), "no ConfigMap"),
    ("frame-rate", lambda world: world.fake.answers.update({
        ("cloudwatch", "us-east-1", "GetMetricData"): metrics(candlefish_animation_fps=21)}), "21.0 frames a second"),
    ("cdn-hits", lambda world: world.fake.answers.update({
        ("cloudwatch", "us-east-1", "GetMetricData"): metrics(Requests=5000, CacheHitRate=60)}), "answers 60.0 %"),
    ("alarms", says("cloudwatch", "DescribeAlarms", MetricAlarms=[{**OFF, "StateValue": "ALARM"}],
                    CompositeAlarms=[QUIET]), "1 of 2 alarms are on: production-candlefish-latency since"),
    ("alarms", says("cloudwatch", "DescribeAlarms", MetricAlarms=[], CompositeAlarms=[QUIET]), "are not there"),
    ("canaries", says("synthetics", "GetCanaryRuns", CanaryRuns=[
        {"Status": {"State": "FAILED", "StateReason": "502 of https://candlefish.ai"}}]), "502 of https"),
    ("pods", pod("website-blue-1", **UNREADY), "website-blue has 2 of 3 pods ready (.*CrashLoopBackOff"),
    ("pods", lambda world: world.objects.pop(("Pod", "api-gateway-blue-0")), "api-gateway-blue has 2 of 3"),
    ("targets", pod("website-blue-1", podIP="10.9.9.9"), "10.9.9.9 is not registered"),
    ("database", says("rds", "DescribeDBInstances", DBInstances=[{"DBInstanceStatus": "failed"}]), "db is failed"),
    ("database", says("rds", "DescribeDBInstances", DBInstances=[{
        "DBInstanceStatus": "available", "MultiAZ": False, "StorageEncrypted": True, "PubliclyAccessible": False}]),
     "MultiAZ is False"),
    ("backups", points(_point(PointState.BAD, "is 3 d old; 5 min is allowed")), "is 3 d old"),
    ("backups", points(_point(PointState.DUE, age=None)), "no recovery point at all"),
]


def test_a_stack_that_is_fit_passes_every_check(world: World) -> None:
    found = run(world)
    assert [(each.check.name, each.said) for each in found if each.state is not State.OK] == []
    assert [each.check for each in found] == list(CHECKS)
    assert all(each.said and each.seconds >= 0 for each in found)


@pytest.mark.parametrize(("name", "change", "words"), FAILING, ids=[f"{row[0]}-{row[2][:20]}" for row in FAILING])
def test_a_check_fails_and_says_what_is_wrong(name: str, change: Change, words: str, world: World) -> None:
    change(world)
    (found,) = run(world, name)
    assert (found.state, bool(re.search(words.replace("(", r"\("), found.said))) == (State.FAILED, True), found.said


def test_there_is_a_test_that_fails_for_every_check() -> None:
    assert {row[0] for row in FAILING} == {check.name for check in CHECKS}


def test_the_maintenance_page_in_front_of_the_operators_pages_closes_them(world: World) -> None:
    status(f"{SITE}/operational-dashboard", 503, **{"retry-after": "600"})(world)
    assert run(world, "forbidden")[0].state is State.FAILED
    world.objects["Ingress", "maintenance"]["metadata"]["annotations"][
        "alb.ingress.kubernetes.io/conditions.maintenance"] = "[]"
    assert run(world, "forbidden")[0].state is State.OK


SKIPPED: list[tuple[str, Change, str]] = [
    ("site", lambda world: (status(f"{SITE}/", 503, **{"retry-after": "600"})(world), world.objects.update({
        ("Ingress", "maintenance"): {"metadata": {"annotations": {
            "alb.ingress.kubernetes.io/conditions.maintenance": "[]"}}}})), "maintenance off --stack production"),
    ("dns", lambda world: world.outputs.update(siteUrl="http://127.0.0.1:1"), "a rehearsal"),
    ("tls", lambda world: world.outputs.update(siteUrl="http://127.0.0.1:1"), "a rehearsal"),
    *((name, lambda world: world.outputs.update(siteUrl="http://127.0.0.1:1"), "a rehearsal")
      for name in ("detectors", "config", "canaries")),
    ("detectors", lambda world: world.change(governance__owns_account_audit=False), "governance.ownsAccountAudit"),
    ("config", lambda world: world.change(governance__owns_account_audit=False), "governance.ownsAccountAudit"),
    ("config", says("config", "DescribeComplianceByConfigRule", ComplianceByConfigRules=[
        {"ConfigRuleName": "x", "Compliance": {"ComplianceType": "INSUFFICIENT_DATA"}}]), "not evaluated any"),
    ("animation", lambda world: world.objects["ConfigMap", SWITCHES].update(
        data={"ANIMATION_FALLBACK": "true"}), "an operator has put ANIMATION_FALLBACK on"),
    ("frame-rate", lambda world: world.fake.answers.update({
        ("cloudwatch", "us-east-1", "GetMetricData"): metrics()}), "no visitor has reported"),
    ("cdn-hits", lambda world: world.fake.answers.update({
        ("cloudwatch", "us-east-1", "GetMetricData"): metrics(Requests=10, CacheHitRate=0)}), "counted 10 requests"),
    ("alarms", lambda world: world.change(observability__alarms="none"), "observability.alarms is none"),
    ("canaries", lambda world: world.change(observability__synthetics__enabled=False), "synthetics.enabled is false"),
]


@pytest.mark.parametrize(("name", "change", "words"), SKIPPED, ids=[f"{row[0]}-{row[2][:20]}" for row in SKIPPED])
def test_what_can_not_be_looked_at_is_skipped_with_the_reason(
        name: str, change: Change, words: str, world: World) -> None:
    change(world)
    (found,) = run(world, name)
    assert (found.state, words in found.said) == (State.SKIPPED, True), found.said


@pytest.mark.parametrize(("size", "hour", "state"), [
    (0, 23, State.SKIPPED), (0, 15, State.FAILED), (2, 23, State.FAILED)])
def test_what_sleeps_at_night_is_skipped_at_night_and_missed_by_day(
        size: int, hour: int, state: State, world: World) -> None:
    """23:00 UTC is 18:00 in New York. Nodes that are there at night are looked at."""
    world.change(operations__off_hours__enabled=True)
    world.now = NOW.replace(hour=hour)
    world.fake.answers["eks", "us-east-1", "ListNodegroups"] = {"nodegroups": ["general"]}
    world.fake.answers["eks", "us-east-1", "DescribeNodegroup"] = {"nodegroup": {
        "scalingConfig": {"desiredSize": size}}}
    world.pages.clear()
    assert [each.state for each in run(world, "site", "api-health")] == [state, state]


@pytest.mark.parametrize("missing", ["siteUrl", "webAcls", "targetGroups"])
def test_an_output_that_is_missing_fails_the_checks_that_need_it_and_no_other(missing: str, world: World) -> None:
    del world.outputs[missing]
    found = run(world)
    assert {each.said for each in found if each.state is State.FAILED} <= {
        f"the stack has no output {missing}{rest}; `up` with this program writes it"
        for rest in ("", ".cloudfront", ".regional", ".rateLimitRule")}
    assert sum(each.state is State.FAILED for each in found) >= 1


@pytest.mark.parametrize(("answer", "words"), [("no JSON", "answers a ping with 'no JSON'"), (None, "1000")])
def test_a_websocket_that_does_not_pong_is_told(answer: str | None, words: str, world: World) -> None:
    with websocket(answer) as url:
        world.outputs["websocketUrl"] = url
        (found,) = run(world, "websocket")
    assert found.state is State.FAILED
    assert words in found.said


def test_an_account_that_does_not_answer_fails_its_checks_and_no_other(world: World) -> None:
    for key in world.fake.answers:
        world.fake.answers[key] = Refusal("AccessDenied")
    found = {each.check.name: each for each in run(world)}
    assert (found["alarms"].state, found["site"].state) == (State.FAILED, State.OK)
    assert "AccessDenied" in found["alarms"].said


def test_a_check_that_breaks_takes_no_other_with_it(world: World) -> None:
    world.says("synthetics", "GetCanaryRuns", CanaryRuns=[{}])
    canary, database = run(world, "canaries", "database")
    assert (canary.state, database.state) == (State.FAILED, State.OK)
    assert canary.said.startswith("the check itself broke: KeyError: 'Status' (signals.py:")


def test_a_handshake_that_fails_is_unfit() -> None:
    with pytest.raises(Unfit, match=r"127\.0\.0\.1"):
        names.handshake("127.0.0.1", NOW, port=9)
