"""The notifications component: encrypted topics for this account's services, and a function that all of them call."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.operations.notifications import Notifications, NotificationsArgs, Place
from infra.plans import topics
from infra.settings.operations import Notifications as Settings
from tests.unit.components.answering import ACCOUNT, Registrations, record

pytestmark = pytest.mark.unit

TOPIC, POLICY = "aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION, PERMISSION = "aws:sns/topicSubscription:TopicSubscription", "aws:lambda/permission:Permission"


def notifications(region: str) -> Registrations:
    def program() -> SimpleNamespace:
        here, far = aws.Provider("here", region=region), aws.Provider("far", region="us-east-1")
        made = Notifications("notifications", NotificationsArgs(
            function_name="test-candlefish-notifications", environment="test", account_id=ACCOUNT,
            here=Place(region, here, "logs-key"),
            edge=None if region == "us-east-1" else Place("us-east-1", far, "edge-logs-key"), data_key_arn="data-key",
            settings=Settings(alerts_channel="#ours"), secret_prefix="candlefish-test",
            dashboard_url="https://dashboard.test", log_retention_days=365, protect=True),
            pulumi.ResourceOptions(providers=[here]))
        return SimpleNamespace(alerts=made.alerts_topic_arn, edge=made.edge_alerts_topic_arn)

    return record(program)


@pytest.fixture(scope="module")
def kept() -> Registrations:
    return notifications("us-west-2")


def test_every_topic_is_encrypted_with_its_regions_key_and_calls_the_function_alone(kept: Registrations) -> None:
    assert {topic.name.removeprefix("notifications-"): topic.inputs["kmsMasterKeyId"] for topic in kept.of(TOPIC)} == {
        "alerts": "logs-key", "incidents": "logs-key", "edge-alerts": "edge-logs-key"}
    assert all("name" not in topic.inputs for topic in kept.of(TOPIC))
    topics_arns = {f"arn:aws:sns:::{topic.name}" for topic in kept.of(TOPIC)}
    assert {each.inputs["topic"] for each in kept.of(SUBSCRIPTION)} == topics_arns
    assert {each.inputs["sourceArn"] for each in kept.of(PERMISSION)} == topics_arns
    assert {each.inputs["principal"] for each in kept.of(PERMISSION)} == {"sns.amazonaws.com"}


def test_the_region_of_cloudfronts_alarms_has_one_topic_where_it_is_the_stacks_own() -> None:
    home = notifications("us-east-1")
    assert len(home.of(TOPIC)) == 2
    assert home.built.edge == home.built.alerts
    assert notifications("us-west-2").built.edge.endswith("edge-alerts")


def test_the_function_reads_the_two_secrets_and_no_value_is_in_its_environment(kept: Registrations) -> None:
    variables = kept.of("aws:lambda/function:Function")[0].inputs["environment"]["variables"]
    assert json.loads(variables["CHANNELS"]) == {"alerts": "#ours", "incidents": "#incident-response"}
    secrets = {secret.name: secret for secret in kept.of("aws:secretsmanager/secret:Secret")}
    assert all(secret.inputs["kmsKeyId"] == "data-key" and secret.protect for secret in secrets.values())
    assert {variables["SLACK_SECRET_ARN"], variables["PAGERDUTY_SECRET_ARN"]} == {
        f"arn:aws:secretsmanager:::{name}" for name in secrets}
    permissions = json.loads(kept.of("aws:iam/rolePolicy:RolePolicy")[0].inputs["policy"])["Statement"]
    reads = [statement for statement in permissions if "secretsmanager:GetSecretValue" in statement["Action"]]
    assert sorted(resource for statement in reads for resource in statement["Resource"]) == sorted(
        f"arn:aws:secretsmanager:::{name}" for name in secrets)
    for version in kept.of("aws:secretsmanager/secretVersion:SecretVersion"):
        assert (version.inputs["secretString"], version.ignored) == ("{}", ("secretString",))


def test_a_topic_takes_messages_of_this_accounts_services_over_tls_only(kept: Registrations) -> None:
    policy = json.loads(kept.one(POLICY, "notifications-edge-alerts").inputs["policy"])
    denied, *allowed = policy["Statement"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    conditions = {statement["Principal"]["Service"]: statement.get("Condition") for statement in allowed}
    assert conditions["cloudwatch.amazonaws.com"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:*"}}
    assert conditions["events.amazonaws.com"] is None  # EventBridge sends no source keys
    assert all(statement["Action"] == ["sns:Publish"] for statement in allowed)


def test_whoever_may_publish_may_use_the_key() -> None:
    _, *allowed = topics.topic_policy("t", ACCOUNT, "us-east-1")["Statement"]
    publish = {statement["Principal"]["Service"] for statement in allowed}
    use = {statement["Principal"]["Service"] for statement in topics.key_statements(ACCOUNT, "us-east-1")}
    assert publish == use
