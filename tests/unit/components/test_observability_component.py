"""Observability's resources: encrypted groups, alarms that reach the right topic, one notification for one trouble."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.bucket import Bucket, BucketArgs
from infra.components.observability.alarms import Topics
from infra.components.observability.observability import Observability, ObservabilityArgs, dimension
from infra.plans.names import Names
from infra.plans.observability.alarm_table import Sizes
from infra.settings.observability import Datadog, Synthetics
from infra.settings.observability import Observability as Settings
from tests.unit.components.recording import Registrations, record

pytestmark = pytest.mark.unit

ALARM, COMPOSITE = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"
BALANCER = "arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/app/front/50dc"
GROUP = "arn:aws:elasticloadbalancing:us-west-2:1:targetgroup"


def built(**changes: Any) -> Registrations:
    def program() -> SimpleNamespace:
        values: dict[str, Any] = {
            "environment": "staging", "settings": Settings(), "sizes": Sizes("db.t4g.small", 30),
            "dashboard_name": "staging-candlefish-animation", "dashboard_url": "https://board",
            "region": "us-west-2", "edge_region": "us-east-1",
            "edge_provider": aws.Provider("edge", region="us-east-1"), "log_key_arn": "logs-key",
            "log_groups": Names("staging").cluster_log_groups,
            "log_retention_days": 365, "load_balancer_arn": BALANCER, "services": ["website"],
            "target_groups": {"website": {"blue": f"{GROUP}/b/1", "green": f"{GROUP}/g/2"}},
            "database_id": "staging-candlefish-db", "cache_nodes": ["cache-001", "cache-002"],
            "distribution_id": "E2EXAMPLE", "certificate_arn": "arn:certificate", "cdn_certificate_arn": "arn:cdn",
            "functions": ["staging-candlefish-analytics-processor"], "dead_letter_queues": ["arn:aws:sqs:::dead"],
            "account_id": "123456789012", "data_key_arn": "arn:data-key", "canary_name": "staging-candlefish-health",
            "checks": {"website": "https://staging.candlefish.ai/api/health"}, "status_key": "status/status.json",
            "topics": Topics("arn:alerts", "arn:incidents"), "edge_topics": Topics("arn:edge-alerts")}
        buckets = {name: Bucket(name.replace("_", "-"), BucketArgs(
            key_arn=None, log_bucket=None, noncurrent_days=30, force_destroy=False, protect=True))
            for name in ("logs_bucket", "status_bucket")}
        made = Observability("observability", ObservabilityArgs(**(values | buckets | changes)),
                             pulumi.ResourceOptions(providers=[aws.Provider("here", region="us-west-2")]))
        return SimpleNamespace(made=made)

    return record(program)


@pytest.fixture(scope="module")
def staging() -> Registrations:
    return built()


def test_log_groups_have_the_names_that_operators_know_and_are_encrypted(staging: Registrations) -> None:
    groups = [group.inputs for group in staging.of("aws:cloudwatch/logGroup:LogGroup")]
    assert {group["name"] for group in groups} == {
        "/aws/eks/staging-candlefish-website/animation", "/aws/eks/staging-candlefish-website/performance",
        "/candlefish/staging/application"}
    assert all((group["kmsKeyId"], group["retentionInDays"]) == ("logs-key", 365) for group in groups)


def test_metrics_of_log_lines_carry_the_environment_in_their_namespace(staging: Registrations) -> None:
    transformation = staging.one("aws:cloudwatch/logMetricFilter:LogMetricFilter",
                                 "observability-logs-critical-errors").inputs["metricTransformation"]
    alarm = staging.one(ALARM, "observability-alarms-critical-errors").inputs
    assert transformation["namespace"] == alarm["namespace"] == "Candlefish/Logs/staging"
    assert transformation["name"] == alarm["metricName"]


def test_dimensions_are_what_cloudwatch_calls_the_load_balancer(staging: Registrations) -> None:
    latency = staging.one(ALARM, "observability-alarms-latency-p95").inputs
    assert latency["dimensions"] == {"LoadBalancer": "app/front/50dc"}
    assert (latency["extendedStatistic"], latency["period"], latency["evaluationPeriods"]) == ("p95", 60, 10)
    down = staging.one(ALARM, "observability-alarms-service-down-website").inputs
    assert [query["metric"]["dimensions"]["TargetGroup"] for query in down["metricQueries"] if "metric" in query] == [
        "targetgroup/b/1", "targetgroup/g/2"]
    assert down["treatMissingData"] == "breaching"
    assert dimension(BALANCER) == "app/front/50dc"


def test_an_alarm_of_a_composite_leaves_the_notification_to_it(staging: Registrations) -> None:
    assert not staging.one(ALARM, "observability-alarms-animation-fps").inputs["alarmActions"]
    composite = staging.one(COMPOSITE, "observability-alarms-animation-degraded").inputs
    assert composite["alarmActions"] == composite["okActions"] == ["arn:alerts"]
    assert 'ALARM("staging-candlefish-animation-fps")' in composite["alarmRule"]
    assert composite["alarmRule"].endswith('AND NOT ALARM("staging-candlefish-scheduled-outage")')


def test_p0_opens_an_incident_and_the_rest_is_an_alert(staging: Registrations) -> None:
    assert staging.one(COMPOSITE, "observability-alarms-outage").inputs["alarmActions"] == [
        "arn:alerts", "arn:incidents"]
    assert staging.one(ALARM, "observability-alarms-error-rate").inputs["alarmActions"] == ["arn:alerts"]


def test_actions_that_the_scheduled_scaling_switches_are_left_alone(staging: Registrations) -> None:
    alarms = [*staging.of(ALARM), *staging.of(COMPOSITE)]
    ignored = {alarm.name.removeprefix("observability-alarms-") for alarm in alarms
               if alarm.ignored == ("actionsEnabled",)}
    assert ignored == {"error-rate", "error-rate-abort", "latency", "latency-p95", "service-down-website",
                       "cdn-errors", "outage", "slow", "synthetic-checks"}


def test_alarms_of_the_edge_notify_in_their_own_region(staging: Registrations) -> None:
    assert staging.one(ALARM, "observability-alarms-cdn-hit-rate").inputs["alarmActions"] == ["arn:edge-alerts"]


def test_a_message_that_failed_for_good_is_told(staging: Registrations) -> None:
    letters = staging.one(ALARM, "observability-alarms-dead-letters").inputs
    assert letters["metricQueries"][1]["metric"]["dimensions"] == {"QueueName": "dead"}
    assert (letters["comparisonOperator"], letters["threshold"]) == ("GreaterThanThreshold", 0)


def test_minimal_monitoring_has_what_pages_and_no_more() -> None:
    few = built(settings=Settings(alarms="critical"))
    assert {alarm.inputs["alarmDescription"][:2] for alarm in few.of(ALARM)} == {"P0", "P1"}
    none = built(settings=Settings(alarms="none"))
    assert not none.of(ALARM)
    assert not none.of(COMPOSITE)
    assert json.loads(none.one("aws:cloudwatch/dashboard:Dashboard", "observability-animation").inputs["dashboardBody"])


def test_the_dashboard_is_code_and_its_address_an_output(staging: Registrations) -> None:
    board = staging.one("aws:cloudwatch/dashboard:Dashboard", "observability-animation").inputs
    assert board["dashboardName"] == "staging-candlefish-animation"
    widgets = json.loads(board["dashboardBody"])["widgets"]
    assert widgets[0]["type"] == "alarm"
    assert any("app/front/50dc" in line for widget in widgets[1:] for line in widget["properties"]["metrics"])


def test_the_checks_from_outside_run_with_no_more_than_they_need(staging: Registrations) -> None:
    canary = staging.one("aws:synthetics/canary:Canary", "observability-checks").inputs
    assert canary["startCanary"] is True
    assert canary["schedule"] == {"expression": "rate(5 minutes)"}
    assert canary["artifactS3Location"] == "s3://logs-bucket-1a2b3c4/synthetics/staging-candlefish-health"
    assert json.loads(canary["runConfig"]["environmentVariables"]["CHECKS"]) == {
        "website": "https://staging.candlefish.ai/api/health"}
    policy = json.loads(staging.one("aws:iam/rolePolicy:RolePolicy", "observability-checks").inputs["policy"])
    by_id = {statement["Sid"]: statement for statement in policy["Statement"]}
    assert by_id["Status"]["Resource"] == ["arn:aws:s3:::status-bucket/status/status.json"]
    assert {id for id, statement in by_id.items() if statement["Resource"] == ["*"]} == {"Buckets", "Metrics"}
    # Its function's name is the canary's cut, so that it fits into Lambda's 64 characters.
    assert by_id["Logs"]["Resource"][0].endswith(":log-group:/aws/lambda/cwsyn-staging-candlefish-he*")
    assert by_id["Metrics"]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}}


def test_without_checks_nothing_waits_for_their_data() -> None:
    none = built(settings=Settings(synthetics=Synthetics(enabled=False)))
    assert not none.of("aws:synthetics/canary:Canary")
    assert "observability-alarms-synthetic-checks" not in {alarm.name for alarm in none.of(ALARM)}


def test_traces_of_this_environment_have_a_rule_and_a_view(staging: Registrations) -> None:
    rule = staging.one("aws:xray/samplingRule:SamplingRule", "observability-tracing-api").inputs
    assert (rule["ruleName"], rule["fixedRate"], rule["serviceName"]) == (
        "staging-candlefish-api", 0.05, "staging-candlefish-*")
    assert len("production-candlefish-api") <= 32  # X-Ray's limit
    group = staging.one("aws:xray/group:Group", "observability-tracing-functions").inputs
    assert group["filterExpression"] == 'service("staging-candlefish-analytics-processor")'


def test_datadog_reads_metrics_only_if_it_is_asked_for_and_with_its_external_id(staging: Registrations) -> None:
    asked = built(settings=Settings(datadog=Datadog(external_id="drawn-by-datadog")))
    role = asked.one("aws:iam/role:Role", "observability-datadog").inputs
    (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "drawn-by-datadog"}}
    assert statement["Principal"] == {"AWS": "arn:aws:iam::464622532012:root"}
    assert "observability-datadog" not in {role.name for role in staging.of("aws:iam/role:Role")}
