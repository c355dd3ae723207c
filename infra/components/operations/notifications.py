"""Alarms and incidents → SNS → a function → Slack and PagerDuty (M2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.components.function import Function, FunctionArgs, Grant
from infra.plans import topics
from infra.settings.operations import Notifications as Settings

_RECEIVERS = {"slack": "Slack's incoming webhooks: {\"alerts\": \"https://…\", \"incidents\": \"https://…\"}",
              "pagerduty": "PagerDuty's integration: {\"routingKey\": \"…\"}"}
_MEMORY_MIB = 256
_TIMEOUT_SECONDS = 120  # two receivers, each tried for at most 44 s (functions/notifications/delivery.py)
_CONCURRENCY = 5


@dataclass(frozen=True)
class Place:
    """A region whose services publish: its provider and the key of its topics."""

    region: str
    provider: aws.Provider
    key_arn: pulumi.Input[str]


@dataclass(frozen=True)
class NotificationsArgs:
    """`function_name`: E4. `here`: the stack's region. `edge`: us-east-1, where CloudFront's and billing's metrics have
    their alarms; None where that is the stack's region. `secret_prefix`: of the webhook secrets' names.
    `dashboard_url`: what a message links to when its alarm names no dashboard."""

    function_name: str
    environment: str
    account_id: pulumi.Input[str]
    here: Place
    edge: Place | None
    data_key_arn: pulumi.Input[str]
    settings: Settings
    secret_prefix: str
    dashboard_url: pulumi.Input[str]
    log_retention_days: int
    secret_recovery_days: int = 30  # 0 or 7 to 30
    protect: bool = False


class Notifications(Component):
    """Two topics (`alerts`: automated, `incidents`: manual), a further `alerts` where CloudFront's alarms live, and
    the function that all of them call. The webhook secrets are made empty; until an operator fills one of them
    messages end in the function's dead letters, where they keep for 14 days."""

    module = "operations"

    alerts_topic_arn: pulumi.Output[str]
    incidents_topic_arn: pulumi.Output[str]
    edge_alerts_topic_arn: pulumi.Output[str]  # for alarms in us-east-1; the same as `alerts` where that is the region
    secret_arns: Mapping[str, pulumi.Output[str]]  # `slack`, `pagerduty`
    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    dead_letter_queue_arn: pulumi.Output[str]

    def __init__(self, name: str, args: NotificationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        places = {"alerts": args.here, "incidents": args.here} | ({"edge-alerts": args.edge} if args.edge else {})
        made = {part: self._topic(f"{name}-{part}", place, args) for part, place in places.items()}
        # Known once the policy is there: S3 refuses a topic that it may not publish to yet.
        open_arns = {part: self._open(f"{name}-{part}", topic, places[part], args) for part, topic in made.items()}
        secrets = {receiver: self._secret(f"{name}-{receiver}", receiver, args) for receiver in _RECEIVERS}
        function = Function(f"{name}-function", FunctionArgs(
            function_name=args.function_name, role_name=f"{args.function_name}-role",
            description="Tells Slack and PagerDuty what the topics say", code="functions/notifications",
            environment={
                "ENVIRONMENT": args.environment, "SLACK_SECRET_ARN": secrets["slack"],
                "PAGERDUTY_SECRET_ARN": secrets["pagerduty"], "PAGED": ",".join(args.settings.paged),
                "CHANNELS": pulumi.Output.json_dumps({
                    "alerts": args.settings.alerts_channel, "incidents": args.settings.incidents_channel}),
                "INCIDENTS_TOPIC_ARN": made["incidents"].arn, "RUNBOOKS_URL": args.settings.runbooks_url,
                "DASHBOARD_URL": args.dashboard_url},
            data_key_arn=args.data_key_arn, logs_key_arn=args.here.key_arn, memory_mib=_MEMORY_MIB,
            timeout_seconds=_TIMEOUT_SECONDS, reserved_concurrency=_CONCURRENCY,
            log_retention_days=args.log_retention_days,
            grants={receiver: Grant(["secretsmanager:GetSecretValue"], [arn]) for receiver, arn in secrets.items()}),
            self.child())
        for part, topic in made.items():
            self._subscribe(f"{name}-{part}", topic, places[part], function)

        self.alerts_topic_arn, self.incidents_topic_arn = open_arns["alerts"], open_arns["incidents"]
        self.edge_alerts_topic_arn = open_arns.get("edge-alerts", self.alerts_topic_arn)
        self.secret_arns = secrets
        self.function_name, self.function_arn = function.function_name, function.function_arn
        self.dead_letter_queue_arn = function.dead_letter_queue_arn
        self.register_outputs({
            "alertsTopicArn": self.alerts_topic_arn, "incidentsTopicArn": self.incidents_topic_arn,
            "edgeAlertsTopicArn": self.edge_alerts_topic_arn, "functionName": self.function_name,
            "functionArn": self.function_arn, "deadLetterQueueArn": self.dead_letter_queue_arn})

    def _topic(self, name: str, place: Place, args: NotificationsArgs) -> aws.sns.Topic:
        return aws.sns.Topic(name, kms_master_key_id=place.key_arn, opts=self.child(provider=place.provider))

    def _open(self, name: str, topic: aws.sns.Topic, place: Place, args: NotificationsArgs) -> pulumi.Output[str]:
        policy = aws.sns.TopicPolicy(
            name, arn=topic.arn, opts=self.child(provider=place.provider), policy=rendered(
                topics.topic_policy, topic_arn=topic.arn, account_id=args.account_id, region=place.region))
        return pulumi.Output.all(topic.arn, policy.id).apply(lambda known: str(known[0]))

    def _secret(self, name: str, receiver: str, args: NotificationsArgs) -> pulumi.Output[str]:
        """Made with an empty document; the program never writes a value again."""
        secret = aws.secretsmanager.Secret(
            name, name_prefix=f"{args.secret_prefix}/{receiver}-", description=_RECEIVERS[receiver],
            kms_key_id=args.data_key_arn, recovery_window_in_days=args.secret_recovery_days,
            opts=self.child(protect=args.protect))
        aws.secretsmanager.SecretVersion(name, secret_id=secret.id, secret_string="{}",
                                         opts=self.child(ignore_changes=["secretString"]))
        return secret.arn

    def _subscribe(self, name: str, topic: aws.sns.Topic, place: Place, function: Function) -> None:
        """SNS delivers to functions of other regions; the subscription lives with the topic."""
        allowed = function.invoked_by(name, "sns.amazonaws.com", topic.arn)
        aws.sns.TopicSubscription(
            name, topic=topic.arn, protocol="lambda", endpoint=function.function_arn,
            opts=self.child(provider=place.provider, depends_on=[allowed]))
