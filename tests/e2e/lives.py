"""The whole life of a stack, from nothing to nothing. Files of tests call it, or its two halves around what they do."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Command
from tests.stacks import BY_TYPE, RESOURCES

OUTPUTS = {
    "vpcId", "privateSubnetIds", "clusterName", "kubeconfig", "namespace", "databaseInstanceId", "databaseEndpoint",
    "databaseSecretArn", "cacheEndpoint", "assetsBucket", "backupsBucket", "siteBuckets", "distributionId",
    "distributionDomain", "siteUrl", "frontDoorUrl", "apiUrl", "websocketUrl", "targetGroups", "deployRoleArn",
    "dashboards", "alarms", "logGroups"}


def live(candlefish: Command, stack: str) -> None:
    """Up, up without changes, refresh, one changed setting, destroy. A preview from nothing, with unknowns, of every
    stack is in tests/rehearsal/test_program.py; tests/e2e/test_interrupted.py has the same with interruptions."""
    built(candlefish, stack)
    settled(candlefish, stack)
    gone(candlefish, stack)


def previewed(candlefish: Command, stack: str) -> None:
    preview = candlefish("rehearse", "preview", "--stack", stack, "--json").document
    assert preview["changes"]["create"] == RESOURCES[stack]
    assert preview["outputs"]["vpcId"] == "[unknown]"


def built(candlefish: Command, stack: str) -> dict[str, Any]:
    """From nothing; what `up` reports."""
    document = finished(candlefish, stack)
    assert document["changes"]["create"] == RESOURCES[stack]
    return document


def finished(candlefish: Command, stack: str) -> dict[str, Any]:
    """Whatever was there before; what `up` reports."""
    document: dict[str, Any] = candlefish("rehearse", "up", "--stack", stack, "--json").document
    assert document["stack"] == stack
    assert set(document["outputs"]) >= OUTPUTS
    assert document["outputs"]["kubeconfig"] == "[secret]"
    return document


def settled(candlefish: Command, stack: str) -> None:
    """Nothing to do, nothing that drifted, and one changed setting is one changed resource."""
    again = candlefish("rehearse", "up", "--stack", stack, "--json", "--expect-no-changes").document
    assert again["changes"] == {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": RESOURCES[stack]}

    refreshed = candlefish("rehearse", "refresh", "--stack", stack, "--json", "--expect-no-changes").document
    assert refreshed["changes"]["same"] == RESOURCES[stack]

    changed = candlefish("rehearse", "preview", "--stack", stack, "--json", "--config", "database.slowQueryMs=250",
                         "--expect-no-changes", code=4).document
    steps = [step for step in changed["steps"] if step["operation"] != "same"]
    assert [(step["type"], step["operation"]) for step in steps] == [
        ("aws:rds/parameterGroup:ParameterGroup", "update")]


def gone(candlefish: Command, stack: str) -> None:
    """All of it. The rehearsed teardown lifts the protection first, and with it go the names of the final snapshots,
    which development does not take."""
    document = candlefish("rehearse", "destroy", "--stack", stack, "--json", "--yes").document
    suffixes = "random:index/randomId:RandomId"
    lifted = BY_TYPE[stack][suffixes] - BY_TYPE["development"][suffixes]
    assert document["changes"]["delete"] == RESOURCES[stack] - lifted, (document["changes"], lifted)
    assert candlefish("rehearse", "status", "--stack", stack, "--json").document["resources"] == 0
