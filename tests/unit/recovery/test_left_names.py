"""Log groups that stay after a stack is gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.settings.load import load_file
from operations.recovery.account import Account
from operations.recovery.left_names import log_groups, remove
from tests.unit.recovery.fake_aws import FakeAws

pytestmark = pytest.mark.unit

HOME, ARN = "us-east-1", "arn:aws:logs:us-east-1:1:log-group:"
OURS = {"Project": "candlefish", "Stack": "development"}


def test_only_groups_that_nobody_has_tagged_are_left_over_and_removed() -> None:
    groups: dict[str, dict[str, str]] = {
        "/aws/eks/candlefish-development/cluster": {}, "/aws/lambda/development-candlefish-stream": OURS,
        "/aws/lambda/development-candlefish-old": {}, "/aws/lambda/others": {}}
    removed: list[str] = []

    def delete(asked: Mapping[str, Any]) -> dict[str, Any]:
        removed.append(asked["logGroupName"])
        return {}

    aws = FakeAws({
        ("logs", HOME, "DescribeLogGroups"): lambda asked: {"logGroups": [
            {"logGroupName": name, "arn": f"{ARN}{name}:*"} for name in groups
            if name.startswith(asked["logGroupNamePrefix"])]},
        ("logs", HOME, "ListTagsForResource"): lambda asked: {
            "tags": groups[asked["resourceArn"].removeprefix(ARN)]},
        ("logs", HOME, "DeleteLogGroup"): delete})
    account = Account("development", load_file(Path(__file__).parents[3] / "Pulumi.development.yaml"), aws.client)
    found = list(log_groups(account))
    assert found == ["/aws/eks/candlefish-development/cluster", "/aws/lambda/development-candlefish-old"]
    remove(account, found)
    assert removed == found
