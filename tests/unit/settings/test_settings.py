"""Bad configuration gets one clear message that names setting, value, what is allowed and the file."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from infra.settings.errors import SettingsError
from infra.settings.load import load, load_file
from infra.settings.yaml import read_yaml

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
STACKS = ("development", "staging", "production", "recovery")


def values(stack: str) -> dict[str, Any]:
    config = read_yaml(ROOT / f"Pulumi.{stack}.yaml")["config"]
    return {key.removeprefix("candlefish:"): deepcopy(value) for key, value in config.items()
            if key.startswith("candlefish:")}


def put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = value


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_file_is_valid(stack: str) -> None:
    settings = load_file(ROOT / f"Pulumi.{stack}.yaml")
    assert settings.environment == stack
    assert [service.name for service in settings.services] == [
        "website", "backend-api", "analytics-dashboard", "paintbox", "brand-portal", "api-gateway"]


def test_the_stacks_ranges_do_not_overlap() -> None:
    ranges = [load_file(ROOT / f"Pulumi.{stack}.yaml").network.cidr for stack in STACKS]
    assert not any(a.overlaps(b) for i, a in enumerate(ranges) for b in ranges[i + 1:])


HUGE = {"cpuMillis": 1900, "memoryMib": 4096, "cpuLimitMillis": 2000, "memoryLimitMib": 4096}
REFUSALS: list[tuple[str, str, str, Any, str, str]] = [
    # stack, what, setting, value, path in the message, words of what is allowed
    ("staging", "a misspelt key", "network.zoneCounts", 3, "network.zoneCounts", "zoneCount (did you mean it?)"),
    ("staging", "an unknown section", "databse", {}, "databse", "database (did you mean it?)"),
    ("staging", "a wrong type", "network.zoneCount", "three", "network.zoneCount", "a valid integer"),
    ("staging", "no range", "network.cidr", "10.0.0.0/33", "network.cidr", "an IPv4 range such as"),
    ("staging", "host bits in a range", "network.cidr", "10.0.0.1/16", "network.cidr", "no bits set behind the prefix"),
    ("staging", "a range too small", "network.cidr", "10.0.0.0/24", "network.cidr", "/16 to /22"),
    ("staging", "a public range", "network.cidr", "8.8.0.0/16", "network.cidr", "inside 10.0.0.0/8"),
    ("staging", "a range over the services'", "network.cidr", "172.20.0.0/16", "network.cidr", "cluster.serviceCidr"),
    ("staging", "an unknown region", "region", "us-esat-1", "region", "us-east-1"),
    ("recovery", "names of a zone that is not ours", "domain.alsoServes", "candlefish.example", "domain.alsoServes",
     "candlefish.ai or a name below it, other than the stack's own, recovery.candlefish.ai"),
    ("recovery", "its own names twice", "domain.alsoServes", "recovery.candlefish.ai", "domain.alsoServes",
     "candlefish.ai or a name below it, other than the stack's own, recovery.candlefish.ai"),
    ("staging", "one region twice", "recoveryRegion", "us-east-1", "recoveryRegion", "another region than us-east-1"),
    ("recovery", "standing in for itself", "standsInFor", "recovery", "standsInFor",
     "another environment than recovery"),
    ("recovery", "standing in for nobody known", "standsInFor", "prod", "standsInFor", "production"),
    ("staging", "more zones than planned for", "network.zoneCount", 9, "network.zoneCount", "4 or less"),
    ("staging", "two NAT gateways in three zones", "network.natGatewayCount", 2, "network.natGatewayCount",
     "1, or one a zone: 3"),
    ("staging", "min over max", "cluster.nodeGroups.general.minimum", 11, "cluster.nodeGroups.general.minimum",
     "at most its maximum, 10"),
    ("staging", "an unknown instance type", "cluster.nodeGroups.general.instanceTypes", ["t3.lareg"],
     "cluster.nodeGroups.general.instanceTypes", "t3.large"),
    ("staging", "an open API endpoint", "cluster.publicAccessCidrs", ["0.0.0.0/0"], "cluster.publicAccessCidrs",
     "never the whole internet"),
    ("staging", "an unknown Kubernetes", "cluster.version", "1.19", "cluster.version", "1.34"),
    ("staging", "a port out of range", "services.website.port", 70000, "services.website.port", "65535 or less"),
    ("staging", "a privileged port", "services.website.port", 80, "services.website.port", "1024 or more"),
    ("staging", "an image without a digest", "services.website.image", "ghcr.io/candlefish-ai/website:1.0.0",
     "services.website.image", "@sha256:"),
    ("development", "an image without a tag", "services.website.image", "ghcr.io/candlefish-ai/website",
     "services.website.image", "registry/name:tag"),
    ("staging", "replicas upside down", "services.paintbox.replicas", {"minimum": 5, "maximum": 2},
     "services.paintbox.replicas.minimum", "at most its maximum, 2"),
    ("staging", "an unknown caller", "services.paintbox.callers", ["webiste"], "services.paintbox.callers", "website"),
    ("staging", "a path that is taken", "services.brand-portal.paths", ["/"], "services.brand-portal.paths",
     "website does not have"),
    ("staging", "a heap over the limit", "services.website.environment.NODE_OPTIONS", "--max-old-space-size=2048",
     "services.website.environment.NODE_OPTIONS", "below memoryLimitMib, 2048"),
    ("staging", "falling weights", "rollout.stagesPercent", [50, 10, 100], "rollout.stagesPercent", "rising weights"),
    ("staging", "weights over 100", "rollout.stagesPercent", [50, 120], "rollout.stagesPercent", "end at 100"),
    ("staging", "a stage without time to lack data", "rollout.stageLimitMinutes", 5, "rollout.stageLimitMinutes",
     "more than rollout.stageMinutes, 5"),
    ("staging", "a negative budget", "monthlyBudgetUsd", -1, "monthlyBudgetUsd", "more than 0"),
    ("staging", "two ways to restore", "database.restore", {"snapshotId": "a", "sourceInstanceId": "b"},
     "database.restore", "exactly one of"),
    ("staging", "storage upside down", "database.maximumStorageGib", 10, "database.maximumStorageGib", "30"),
    ("staging", "shares that do not add up", "experiments.trust-rate.variants",
     {"slow": {"percent": 25}, "fast": {"percent": 65}}, "experiments.trust-rate.variants", "sum to 100"),
    ("staging", "the sum of the shares", "experiments.trust-rate.variants",
     {"slow": {"percent": 25}, "fast": {"percent": 65}}, "experiments.trust-rate.variants", "slow 25 + fast 65 = 90"),
    ("staging", "an unknown segment", "experiments.memory.segments", ["everyone"], "experiments.memory.segments.0",
     "returning"),
    ("staging", "an experiment without variants", "experiments.colours", {"status": "draft"},
     "experiments.colours.variants", "no default"),
    ("staging", "more experiments than a function can be told", "experiments",
     {f"experiment-{n}": {"variants": {"a": {"percent": 50}, "b": {"percent": 50}}} for n in range(40)},
     "experiments", "at most 3500 bytes"),
    ("staging", "more concurrency than an account has", "analytics.concurrency",
     {"analyticsProcessor": 500, "visitorMemory": 500}, "analytics.concurrency", "at most 900 in all"),
    ("staging", "a namespace that is no name", "cluster.namespace", "Candlefish", "cluster.namespace", "[a-z0-9]"),
    ("staging", "an owner that is no tag", "ownership.owner", "", "ownership.owner", "text that matches"),
    ("staging", "a zone that is no domain", "domain.name", "candle fish.ai", "domain.name", "text that matches"),
    ("staging", "days that no log group has", "network.flowLogRetentionDays", 366, "network.flowLogRetentionDays",
     "400"),
    ("staging", "a flag for a number", "network.natGatewayCount", True, "network.natGatewayCount", "a number"),
    ("staging", "no number", "observability.thresholds.latencySeconds", float("nan"),
     "observability.thresholds.latencySeconds", "finite"),
    ("staging", "more than all", "observability.thresholds.utilisationPercent", 101,
     "observability.thresholds.utilisationPercent", "100"),
    ("staging", "a path that is none", "services.website.paths", ["website"], "services.website.paths.0", "^/"),
    ("staging", "a variable that no shell has", "services.website.environment", {"A B": "1"},
     "services.website.environment.A B.[key]", "text that matches"),
    ("staging", "a value with a sign that is none", "services.website.environment", {"A": "\0"},
     "services.website.environment.A", "text that matches"),
    ("staging", "a volume of nothing", "services.website.volume", {"sizeGib": 0}, "services.website.volume.sizeGib",
     "1 or more"),
    ("staging", "a window that is none", "database.maintenanceWindow", "sunday", "database.maintenanceWindow",
     "mon|tue"),
    ("staging", "more snapshots than there are", "cache.snapshotRetentionDays", 36, "cache.snapshotRetentionDays",
     "35"),
    ("development", "an image of the platform's own without a tag", "workloads.maintenanceImage", "172.16.0.0/16",
     "workloads.maintenanceImage", "registry/name:tag"),
    ("staging", "a caller twice", "services.website.callers", ["front-door", "front-door"],
     "services.website.callers", "each value once"),
    ("staging", "a schedule that is none", "workloads.schedules.dump", "daily", "workloads.schedules.dump", "[0-9*"),
    ("staging", "more pods than could ever be counted", "services.website.replicas.maximum", 10**30,
     "services.website.replicas.maximum", "1000 or less"),
    ("staging", "nothing", "region", None, "region", "leave the key out"),
    ("staging", "a list for a map", "network", [], "network", "a map of keys to values"),
    ("production", "spot alone", "cluster.nodeGroups", {"spot": {"instanceTypes": ["m6i.xlarge"], "capacity": "SPOT",
     "minimum": 2, "maximum": 20, "desired": 2}}, "cluster.nodeGroups", "capacity ON_DEMAND and minimum 2"),
    ("production", "a database in one zone", "database.multiAz", False, "database.multiAz", "true in production"),
    ("production", "an unprotected database", "lifecycle.deletionProtection", False, "lifecycle.deletionProtection",
     "rehearsedTeardown"),
    ("production", "requests that no node has", "services.website.resources", HUGE, "services.website",
     "pods find no node"),
]


@pytest.mark.parametrize(("stack", "what", "setting", "value", "path", "words"), REFUSALS, ids=[r[1] for r in REFUSALS])
def test_is_refused_with_setting_value_and_what_is_allowed(
        stack: str, what: str, setting: str, value: Any, path: str, words: str) -> None:
    document = values(stack)
    put(document, setting, value)
    with pytest.raises(SettingsError) as refused:
        load(document, f"Pulumi.{stack}.yaml")
    message = str(refused.value)
    assert message.startswith(f"Pulumi.{stack}.yaml can't be used:")
    problem = next(p for p in refused.value.problems if p.setting == path)
    assert words in problem.allowed or words in str(problem.value)


def test_a_path_that_another_service_is_asked_for_first_is_refused() -> None:
    document = values("staging")
    put(document, "services.website.paths", ["/long"])
    put(document, "services.brand-portal.paths", ["/x", "/long/path"])
    with pytest.raises(SettingsError, match=r"candlefish\.ai/long/path is never reached"):
        load(document, "Pulumi.staging.yaml")


def test_all_problems_are_told_at_once() -> None:
    document = values("staging")
    put(document, "network.zoneCounts", 3)
    put(document, "monthlyBudgetUsd", 0)
    with pytest.raises(SettingsError) as refused:
        load(document, "Pulumi.staging.yaml")
    assert {p.setting for p in refused.value.problems} == {"network.zoneCounts", "monthlyBudgetUsd"}


def test_a_missing_setting_is_named() -> None:
    document = values("staging")
    del document["network"]["cidr"]
    with pytest.raises(SettingsError, match=r"network\.cidr is missing"):
        load(document, "Pulumi.staging.yaml")


def test_a_shortfall_says_which_service_and_by_how_much() -> None:
    document = values("staging")
    put(document, "services.website.resources", {"cpuMillis": 1500, "memoryMib": 2048, "cpuLimitMillis": 2000,
                                                 "memoryLimitMib": 2048})
    with pytest.raises(SettingsError) as refused:
        load(document, "Pulumi.staging.yaml")
    assert refused.value.problems[0].setting == "services.website"
    assert "short of" in str(refused.value)
    assert "general at most 10 × t3.large" in str(refused.value)


def test_a_service_listed_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    text = (ROOT / "Pulumi.staging.yaml").read_text()
    twice = text + "    website:\n      image: ghcr.io/candlefish-ai/website:2\n"
    path = tmp_path / "Pulumi.staging.yaml"
    path.write_text(twice)
    with pytest.raises(SettingsError, match="'website' is given twice") as refused:
        load_file(path)
    assert f"line {len(text.splitlines()) + 1}" in str(refused.value)


def test_a_stack_without_a_file_is_told_which_there_are() -> None:
    with pytest.raises(SettingsError, match=r"Pulumi\.staging\.yaml"):
        load_file(ROOT / "Pulumi.stagign.yaml")


def test_a_seventh_service_is_one_entry() -> None:
    document = values("staging")
    document["services"]["guestbook"] = {
        "port": 8080, "image": "ghcr.io/candlefish-ai/guestbook:1@sha256:" + "0" * 64, "callers": ["front-door"],
        "paths": ["/guestbook"], "resources": {"cpuMillis": 50, "memoryMib": 64, "cpuLimitMillis": 100,
                                               "memoryLimitMib": 128}, "replicas": {"minimum": 1, "maximum": 2}}
    assert load(document, "Pulumi.staging.yaml").services[-1].name == "guestbook"


def mutations() -> list[Callable[[dict[str, Any]], None]]:
    def drop(d: dict[str, Any]) -> None:
        d.pop("services")

    def empty(d: dict[str, Any]) -> None:
        d["services"] = {}

    def scalar(d: dict[str, Any]) -> None:
        d["services"] = {"website": 3}

    def null(d: dict[str, Any]) -> None:
        d["network"] = None

    def listed(d: dict[str, Any]) -> None:
        d["services"] = [1, 2]

    return [drop, empty, scalar, null, listed]


@pytest.mark.parametrize("mutate", mutations(), ids=lambda m: m.__name__)
def test_shapes_that_make_no_sense_are_refused_not_a_traceback(mutate: Callable[[dict[str, Any]], None]) -> None:
    document = values("staging")
    mutate(document)
    with pytest.raises(SettingsError):
        load(document, "Pulumi.staging.yaml")
