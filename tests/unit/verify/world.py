"""A production stack on which every check passes, as answers of AWS, of the cluster and of the web.

A test breaks one of them. AWS's answers go through botocore, which holds them against the services' models.
"""

from __future__ import annotations

import copy
import functools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from infra.plans.edge import content_security_policy
from infra.plans.hosts import hosts
from infra.plans.kubernetes import selector
from infra.settings.load import load_file
from infra.settings.model import Settings
from kube.client import NotFound, Object
from operations.switches.switch import switches
from operations.verify import endpoints
from operations.verify.model import Outputs, Unfit
from operations.verify.scene import Scene
from operations.verify.web import Answer
from tests.unit.recovery.fake_aws import FakeAws

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday morning in New York
HOME = "us-east-1"
SETTINGS = load_file(ROOT / "Pulumi.production.yaml")
HOSTS = hosts(SETTINGS.domain)
SITE, API = f"https://{HOSTS.apex}", f"https://{HOSTS.api}"
ACL = {scope: f"arn:aws:wafv2:{HOME}:1:{scope}/webacl/shield-{scope}/1-2" for scope in ("global", "regional")}
CERTIFICATE = f"arn:aws:acm:{HOME}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
NAMESPACE = SETTINGS.cluster.namespace
HEADERS = {**endpoints.HEADERS,
           "content-security-policy": content_security_policy(HOSTS, SETTINGS.edge.csp_report_uri)}
SWITCHES = next(each.field.name for each in switches(SETTINGS) if each.variable == "ANIMATION_FALLBACK")
FRONTED = [service.name for service in SETTINGS.services if service.paths]


def outputs(websocket: str) -> dict[str, Any]:
    return {
        "siteUrl": SITE, "apiUrl": API, "frontDoorUrl": "https://k8s.elb.amazonaws.com", "websocketUrl": websocket,
        "hosts": HOSTS.by_role, "zone": {"id": "Z1", "dsRecord": None}, "distributionId": "E1",
        "staticDistributionId": "E2", "distributionDomain": "d1.cloudfront.net",
        "listenerArn": f"arn:aws:elasticloadbalancing:{HOME}:1:listener/app/k8s/1/2",
        "webAcls": {"cloudfront": ACL["global"], "regional": ACL["regional"], "rateLimitRule": "RateLimitRule"},
        "restApi": {"name": "production-candlefish-analytics", "stage": "live"},
        "alarms": {"latency": "production-candlefish-latency", "outage": "production-candlefish-outage"},
        "databaseInstanceId": "production-candlefish-db",
        "targetGroups": {name: {"blue": f"arn:{name}-blue", "green": f"arn:{name}-green"} for name in FRONTED}}


def aws() -> dict[tuple[str, str, str], Any]:
    """(service, region, operation) → answer."""
    acl = {"Name": "shield", "Id": "1-2", "ARN": ACL["regional"], "DefaultAction": {"Allow": {}}, "Rules": [
        {"Name": "RateLimitRule", "Priority": 2, "Action": {"Block": {}}, "Statement": {
            "RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}},
         "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True,
                              "MetricName": "rate"}}],
        "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "acl"}}
    distribution = {"ETag": "1", "DistributionConfig": {
        "CallerReference": "x", "Origins": {"Quantity": 1, "Items": [{"Id": "x", "DomainName": "x"}]},
        "Comment": "", "Enabled": True,
        "DefaultCacheBehavior": {"TargetOriginId": "x", "ViewerProtocolPolicy": "redirect-to-https"},
        "WebACLId": ACL["global"], "ViewerCertificate": {"MinimumProtocolVersion": "TLSv1.2_2021"}}}
    alarm = {"StateValue": "OK", "ActionsEnabled": True, "StateUpdatedTimestamp": NOW - timedelta(days=1)}
    records = [{"Name": f"{host}.", "Type": "A", "AliasTarget": {
        "HostedZoneId": "Z2", "EvaluateTargetHealth": False,
        "DNSName": "d1.cloudfront.net." if host in HOSTS.site else "other."}} for host in HOSTS.by_role.values()]
    answers: dict[tuple[str, str], Any] = {
        ("route53", "ListResourceRecordSets"): {"ResourceRecordSets": records, "IsTruncated": False, "MaxItems": "300"},
        ("acm", "ListCertificates"): {"CertificateSummaryList": [
            {"CertificateArn": CERTIFICATE, "DomainName": HOSTS.apex}]},
        ("acm", "DescribeCertificate"): {"Certificate": {
            "CertificateArn": CERTIFICATE, "DomainName": HOSTS.apex, "Status": "ISSUED", "InUseBy": ["arn:x"],
            "NotAfter": NOW + timedelta(days=200), "RenewalEligibility": "ELIGIBLE"}},
        ("cloudfront", "GetDistributionConfig"): distribution,
        ("elbv2", "DescribeListeners"): {"Listeners": [{"SslPolicy": "modern"}]},
        ("elbv2", "DescribeSSLPolicies"): {"SslPolicies": [{"SslProtocols": ["TLSv1.2", "TLSv1.3"]}]},
        ("elbv2", "DescribeTargetHealth"): lambda asked: {"TargetHealthDescriptions": [
            {"Target": {"Id": f"10.0.0.{number}"}, "TargetHealth": {"State": "healthy"}} for number in range(9)]},
        ("apigatewayv2", "GetDomainName"): {"DomainNameConfigurations": [{"SecurityPolicy": "TLS_1_2"}]},
        ("apigateway", "GetDomainName"): {"securityPolicy": "TLS_1_2"},
        ("apigateway", "GetRestApis"): {"items": [{"id": "a1", "name": "production-candlefish-analytics"}]},
        ("wafv2", "GetWebACLForResource"): {"WebACL": acl},
        ("wafv2", "GetWebACL"): {"WebACL": acl},
        ("wafv2", "GetLoggingConfiguration"): {"LoggingConfiguration": {
            "ResourceArn": ACL["global"], "LogDestinationConfigs": [f"arn:aws:logs:{HOME}:1:log-group:aws-waf-logs"]}},
        ("wafv2", "GetSampledRequests"): {"PopulationSize": 7, "SampledRequests": [
            {"Weight": 1, "Request": {"ClientIP": "203.0.113.9"}}]},
        ("guardduty", "ListDetectors"): {"DetectorIds": ["d1"]},
        ("guardduty", "GetDetector"): {"Status": "ENABLED", "ServiceRole": "arn:x"},
        ("guardduty", "ListFindings"): {"FindingIds": []},
        ("config", "DescribeConfigurationRecorderStatus"): {"ConfigurationRecordersStatus": [{"recording": True}]},
        ("config", "DescribeComplianceByConfigRule"): {"ComplianceByConfigRules": [
            {"ConfigRuleName": "no-open-ssh", "Compliance": {"ComplianceType": "COMPLIANT"}}]},
        ("cloudwatch", "DescribeAlarms"): lambda asked: {
            "MetricAlarms": [{"AlarmName": "production-candlefish-latency", **alarm}]
            if asked["AlarmTypes"] == ["MetricAlarm"] else [],
            "CompositeAlarms": [{"AlarmName": "production-candlefish-outage", **alarm}]
            if asked["AlarmTypes"] == ["CompositeAlarm"] else []},
        ("cloudwatch", "GetMetricData"): metrics(Requests=50_000, CacheHitRate=97, candlefish_animation_fps=58),
        ("synthetics", "GetCanaryRuns"): {"CanaryRuns": [{"Status": {"State": "PASSED"}}]},
        ("rds", "DescribeDBInstances"): {"DBInstances": [{
            "DBInstanceStatus": "available", "MultiAZ": True, "StorageEncrypted": True,
            "PubliclyAccessible": False}]},
    }
    return {(service, HOME, operation): answer for (service, operation), answer in answers.items()}


def metrics(**values: float) -> Any:
    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        (query,) = asked["MetricDataQueries"]
        found = values.get(query["MetricStat"]["Metric"]["MetricName"])
        return {"MetricDataResults": [{"Id": "m", "Values": [] if found is None else [found]}]}

    return answer


def objects() -> dict[tuple[str, str], Object]:
    """(kind, name) → object: each service is live on blue, with as many ready pods as its minimum."""
    found: dict[tuple[str, str], Object] = {
        ("ConfigMap", SWITCHES): {"metadata": {"resourceVersion": "1"},
                                            "data": {"ANIMATION_FALLBACK": "false"}},
        ("Ingress", "maintenance"): {"metadata": {"annotations": {
            "alb.ingress.kubernetes.io/conditions.maintenance": '[{"field": "http-header"}]'}}}}
    for service in SETTINGS.services:
        found["Service", service.name] = {"spec": {"selector": {"color": "blue"}}}
        found["HorizontalPodAutoscaler", f"{service.name}-blue"] = {
            "spec": {"minReplicas": service.replicas.minimum}}
        for number in range(service.replicas.minimum):
            found["Pod", f"{service.name}-blue-{number}"] = {
                "metadata": {"name": f"{service.name}-blue-{number}", "labels": selector(service, "blue"),
                             "creationTimestamp": "2026-11-20T12:00:00Z"},
                "status": {"phase": "Running", "podIP": f"10.0.0.{number}",
                           "conditions": [{"type": "Ready", "status": "True"}]}}
    return found


class Cluster:
    """In place of kube's client."""

    def __init__(self, of: dict[tuple[str, str], Object]) -> None:
        self.objects = of

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        if (kind, name) not in self.objects:
            raise NotFound(f"no {kind} {name}", code=404, reason="NotFound")
        return self.objects[kind, name]

    def list(self, api_version: str, kind: str, namespace: str | None = None, *, labels: str = "",
             fields: str = "") -> list[Object]:
        wanted = dict(each.split("=") for each in labels.split(",") if each)
        return [item for (found, _), item in self.objects.items() if found == kind and all(
            item["metadata"].get("labels", {}).get(key) == value for key, value in wanted.items())]

    def close(self) -> None:
        pass


class Web:
    """URL → status, headers, text."""

    def __init__(self, pages: dict[str, tuple[int, dict[str, str], str]]) -> None:
        self.pages = pages

    def get(self, url: str, **headers: str) -> Answer:
        if url not in self.pages:
            raise Unfit(f"{url} does not answer: refused")
        return Answer(url, *self.pages[url])

    def close(self) -> None:
        pass


def pages() -> dict[str, tuple[int, dict[str, str], str]]:
    open_ = dict.fromkeys((f"{SITE}/", f"{SITE}/api/health", f"{SITE}/health", f"{API}/health",
                           f"https://{HOSTS.direct}/health"), (200, HEADERS, "{}"))
    closed = {f"{base}{path}{end}": (404, {}, "") for base in (SITE, API) for path in ("/api/metrics", "/admin")
              for end in ("", "/x")}
    return {**open_, **closed, f"{SITE}/experiments": (400, {"x-amzn-requestid": "1"}, ""),
            f"{SITE}/operational-dashboard": (302, {"location": "https://x.auth.com/oauth2/authorize?a=b"}, "")}


@dataclass
class World:
    fake: FakeAws
    clients: Any  # kept over tests: to make one takes longer than all that is done with it
    patch: pytest.MonkeyPatch
    websocket: str
    settings: Settings = SETTINGS
    now: datetime = NOW
    outputs: dict[str, Any] = field(default_factory=dict)
    objects: dict[tuple[str, str], Object] = field(default_factory=objects)
    pages: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=pages)

    def __post_init__(self) -> None:
        self.fake.answers = aws()
        self.outputs = outputs(self.websocket)

    def says(self, service: str, operation: str, **changed: Any) -> None:
        """The answer of an operation with other values in it; a whole other one where it is a function."""
        key = service, HOME, operation
        before = self.fake.answers[key]
        self.fake.answers[key] = {**copy.deepcopy(dict(before)), **changed} if isinstance(before, Mapping) else changed

    def change(self, **settings: Any) -> None:
        """Dotted names are written with two underscores."""
        document = self.settings
        for name, value in settings.items():
            first, *rest = name.split("__")
            document = document.model_copy(update={first: _changed(getattr(document, first), rest, value)})
        self.settings = document

    @property
    def scene(self) -> Scene:
        cluster: Any = Cluster(self.objects)
        web: Any = Web(self.pages)
        return Scene("production", self.settings, Outputs(self.outputs), self.clients, lambda: cluster, web,
                     lambda: self.now)


def _changed(model: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    return model.model_copy(update={path[0]: _changed(getattr(model, path[0]), path[1:], value)})


def kept(fake: FakeAws) -> Any:
    return functools.cache(fake.client)


@contextmanager
def websocket(answer: str | None) -> Iterator[str]:
    """The URL of a server that answers each message with this one; None: it hangs up."""
    def handle(connection: ServerConnection) -> None:
        for message in connection:
            if answer is None:
                return
            connection.send(answer if json.loads(message) == {"action": "ping"} else "what?")

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()
