"""Policies of a hosted zone that the stack creates: who signs it, who writes its query log (N2)."""

from __future__ import annotations

from typing import Any


def zone_signing_key_policy(account_id: str) -> dict[str, Any]:
    """Key policy for Route 53's DNSSEC signing (Route 53 developer guide, "Working with customer managed keys")."""
    service = {"Service": "dnssec-route53.amazonaws.com"}
    return {"Version": "2012-10-17", "Statement": [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
         "Action": ["kms:*"], "Resource": ["*"]},
        {"Sid": "Sign", "Effect": "Allow", "Principal": service,
         "Action": ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"], "Resource": ["*"],
         "Condition": {"StringEquals": {"aws:SourceAccount": account_id}}},
        {"Sid": "Grant", "Effect": "Allow", "Principal": service, "Action": ["kms:CreateGrant"], "Resource": ["*"],
         "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}},  # the guide names no other for this one
    ]}


def query_log_policy(log_group_arn: str, account_id: str) -> dict[str, Any]:
    """Lets Route 53 write its query log to one log group."""
    return {"Version": "2012-10-17", "Statement": [
        {"Sid": "QueryLog", "Effect": "Allow", "Principal": {"Service": "route53.amazonaws.com"},
         "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": [f"{log_group_arn}:*"],
         "Condition": {"StringEquals": {"aws:SourceAccount": account_id}}},
    ]}
