"""Names that stay taken after a stack is gone: log groups which services made anew behind its back.

EKS and RDS write what they still hold after the cluster or the instance is deleted, and make the log group again:
without a retention, without the key, and without tags. A group that the program made has the stack's tags, and is never
touched.
"""

from __future__ import annotations

from collections.abc import Iterator

from operations.aws import pages
from operations.recovery.account import Account


def prefixes(account: Account) -> tuple[str, ...]:
    """Of the log groups with fixed names."""
    mine = account.names.prefix
    return (f"/aws/eks/{account.names.cluster}/", *(f"/aws/{service}/{mine}-"
                                                    for service in ("eks", "rds/instance", "lambda", "apigateway")))


def log_groups(account: Account) -> Iterator[str]:
    """Those that nobody has tagged."""
    logs = account.clients("logs", account.home)
    for prefix in prefixes(account):
        for group in pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
            arn = str(group["arn"]).removesuffix(":*")
            if not logs.list_tags_for_resource(resourceArn=arn).get("tags"):
                yield str(group["logGroupName"])


def remove(account: Account, groups: list[str]) -> None:
    logs = account.clients("logs", account.home)
    for group in groups:
        logs.delete_log_group(logGroupName=group)
