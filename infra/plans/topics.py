"""Who may publish to the topics, and use the key that they are encrypted with: one table for both policies.

Sources: "Enable compatibility between event sources from AWS services and encrypted topics" (SNS developer guide) and
the guides that a row names. A service that documents no source conditions gets none: a request without the condition's
key would be refused and the message lost in silence.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.plans.policies import Document, Statement, allow, document


@dataclass(frozen=True)
class Publisher:
    """`source`: pattern of the publishing resource's ARN, with `{region}` and `{account}`; empty: not conditioned.
    `account`: whether the service says for which account it acts."""

    sid: str
    service: str
    account: bool = True
    source: str = ""


PUBLISHERS = (
    Publisher("Alarms", "cloudwatch.amazonaws.com", source="arn:aws:cloudwatch:{region}:{account}:alarm:*"),
    # "aws:SourceAccount and aws:SourceArn are not supported" (EventBridge user guide, encrypted topics); a rule of
    # another account would need a role of that account, which this policy doesn't name.
    Publisher("Rules", "events.amazonaws.com", account=False),
    Publisher("Budgets", "budgets.amazonaws.com", source="arn:aws:budgets::{account}:*"),
    Publisher("CostAnomalies", "costalerts.amazonaws.com"),
    # No condition is documented; AWS Backup refuses topics of other accounts ("Notification options", limitations).
    Publisher("Backups", "backup.amazonaws.com", account=False),
    Publisher("Replication", "s3.amazonaws.com", source="arn:aws:s3:::*"),
    Publisher("Databases", "events.rds.amazonaws.com", source="arn:aws:rds:{region}:{account}:*"),
)


def topic_policy(topic_arn: str, account_id: str, region: str) -> Document:
    """Publishing for the services of the table, over TLS only. The account's own roles need nothing here: their
    policies suffice."""
    return document([
        {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic_arn,
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        *(allow(each.sid, ["sns:Publish"], [topic_arn], _condition(each, account_id, region),
                {"Service": each.service}) for each in PUBLISHERS)])


def key_statements(account_id: str, region: str) -> list[Statement]:
    """The same services' use of the topics' key. RDS documents no condition for the key."""
    return [allow(each.sid, ["kms:Decrypt", "kms:GenerateDataKey*"], ["*"],
                  None if each.sid == "Databases" else _condition(each, account_id, region), {"Service": each.service})
            for each in PUBLISHERS]


def _condition(publisher: Publisher, account_id: str, region: str) -> dict[str, dict[str, str]] | None:
    condition: dict[str, dict[str, str]] = {}
    if publisher.account:
        condition["StringEquals"] = {"aws:SourceAccount": account_id}
    if publisher.source:
        condition["ArnLike"] = {"aws:SourceArn": publisher.source.format(region=region, account=account_id)}
    return condition or None
