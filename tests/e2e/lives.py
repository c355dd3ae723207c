"""The whole life of a stack, from nothing to nothing. One file a stack calls it: stacks are tested side by side."""

from __future__ import annotations

from tests.e2e.conftest import Command
from tests.stacks import BY_TYPE, RESOURCES

OUTPUTS = {
    "vpcId", "privateSubnetIds", "clusterName", "kubeconfig", "namespace", "databaseInstanceId", "databaseEndpoint",
    "databaseSecretArn", "cacheEndpoint", "assetsBucket", "backupsBucket", "siteBuckets", "distributionId",
    "distributionDomain", "siteUrl", "frontDoorUrl", "apiUrl", "websocketUrl", "targetGroups", "deployRoleArn",
    "dashboards", "alarms", "logGroups"}


def live(candlefish: Command, stack: str) -> None:
    """Preview with unknowns, up, up without changes, refresh, one changed setting, destroy."""
    preview = candlefish("rehearse", "preview", "--stack", stack, "--json").document
    assert preview["changes"]["create"] == RESOURCES[stack]
    assert preview["outputs"]["vpcId"] == "[unknown]"

    built = candlefish("rehearse", "up", "--stack", stack, "--json").document
    assert built["stack"] == stack
    assert built["changes"]["create"] == RESOURCES[stack]
    assert set(built["outputs"]) >= OUTPUTS
    assert built["outputs"]["kubeconfig"] == "[secret]"

    again = candlefish("rehearse", "up", "--stack", stack, "--json", "--expect-no-changes").document
    assert again["changes"] == {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": RESOURCES[stack]}

    refreshed = candlefish("rehearse", "refresh", "--stack", stack, "--json", "--expect-no-changes").document
    assert refreshed["changes"]["same"] == RESOURCES[stack]

    changed = candlefish("rehearse", "preview", "--stack", stack, "--json", "--config", "database.slowQueryMs=250",
                         "--expect-no-changes", code=4).document
    steps = [step for step in changed["steps"] if step["operation"] != "same"]
    assert [(step["type"], step["operation"]) for step in steps] == [
        ("aws:rds/parameterGroup:ParameterGroup", "update")]

    gone = candlefish("rehearse", "destroy", "--stack", stack, "--json", "--yes").document
    # The rehearsed teardown lifts the protection first, and with it go the names of the final snapshots, which
    # development does not take.
    suffixes = "random:index/randomId:RandomId"
    lifted = BY_TYPE[stack][suffixes] - BY_TYPE["development"][suffixes]
    assert gone["changes"]["delete"] == RESOURCES[stack] - lifted, (gone["changes"], lifted)
    assert candlefish("rehearse", "status", "--stack", stack, "--json").document["resources"] == 0

