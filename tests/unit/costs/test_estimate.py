"""What the stacks cost by estimate: bands, refusals, one stack by hand, and no resource that nobody thought of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.plans import platform_costs
from infra.plans.estimate import SERVERLESS, Estimate, Part
from infra.plans.priced_types import FREE, FREE_FAMILIES, NOT_PRICED, PRICED, SOMETIMES, known
from infra.plans.prices import book
from infra.plans.stack_costs import estimate
from infra.plans.usage import month, table
from infra.settings.costs import BANDS
from infra.settings.errors import SettingsError
from infra.settings.load import load, load_file
from infra.settings.model import Environment, Settings
from infra.settings.operations import OffHours
from infra.settings.usage import Quantity, Usage
from infra.settings.yaml import read_yaml
from tests.stacks import BY_TYPE, COUNTS, STACKS

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


def settings(stack: str) -> Settings:
    return load_file(ROOT / f"Pulumi.{stack}.yaml")


def estimated(stack: str, usage: Usage | None = None) -> Estimate:
    return estimate(settings(stack), book(), usage)


def changed(stack: str, **values: Any) -> Callable[[], Settings]:
    config = read_yaml(ROOT / f"Pulumi.{stack}.yaml")["config"]
    document = {key.removeprefix("candlefish:"): value for key, value in config.items()
                if key.startswith("candlefish:")}
    for path, value in values.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place[parent]
        place[last] = value
    return lambda: load(document, f"Pulumi.{stack}.yaml")


# --- Bands ------------------------------------------------------------------------------------------------------------

def test_the_bands_are_those_of_the_requirements() -> None:
    assert {name.value: (band.lowest, band.highest, band.target) for name, band in BANDS.items()} == {
        "development": (200, 400, None), "staging": (400, 600, None), "production": (800, 1500, 1200),
        "recovery": (800, 1500, 1200)}


@pytest.mark.parametrize("stack", STACKS)
def test_the_platform_of_a_stack_is_inside_its_band(stack: str) -> None:
    """With another region's prices where its own has none in the book: recovery's, and copies of backups."""
    band, found = BANDS[Environment(stack)], estimated(stack)
    assert found.likely is not None
    assert band.lowest <= found.likely <= (band.target or band.highest)
    assert found.platform <= found.likely


def test_what_has_no_price_in_its_region_is_in_no_sum() -> None:
    """Recovery's database and cache: the book has their prices in the primary region only."""
    recovery = estimated("recovery")
    assert {"db.t4g.medium, multi-AZ", "2 × cache.t4g.small"} <= {row.line.what for row in recovery.unpriced}
    assert recovery.lower_bound
    assert recovery.of(Part.CACHE) == 0
    assert recovery.likely is not None
    assert recovery.likely - recovery.platform == pytest.approx(
        sum(row.line.quantity * row.elsewhere.usd for row in recovery.unpriced
            if row.elsewhere and row.line.part not in SERVERLESS))


@pytest.mark.parametrize("stack", STACKS)
def test_the_configured_budget_is_the_bands_upper_end(stack: str) -> None:
    assert settings(stack).monthly_budget_usd == BANDS[Environment(stack)].highest


def test_a_stack_that_is_too_dear_is_refused_with_its_dearest_rows_and_what_would_help() -> None:
    with pytest.raises(SettingsError) as refused:
        changed("production", usage={"size": "large"})()
    words = str(refused.value)
    assert "candlefish:usage is 'estimate: at least 1," in words
    assert "allowed: 800 to 1,500 USD a month in production. The dearest: " in words
    assert "; network, interface endpoints: 5 in 3 zones 110" in words
    assert "Enough alone: " in words
    assert "usage.size: medium (" in words


def test_a_stack_with_too_many_nodes_is_told_how_many_would_do() -> None:
    group = {"instanceTypes": ["m6i.xlarge"], "capacity": "ON_DEMAND", "minimum": 2, "maximum": 10, "desired": 8}
    with pytest.raises(SettingsError) as refused:
        changed("production", cluster__nodeGroups__base=group)()
    assert "The dearest: nodes, base: m6i.xlarge on demand 1,121;" in str(refused.value)
    assert "cluster.nodeGroups.base.desired: 2 (" in str(refused.value)


def test_a_stack_that_no_single_change_brings_inside_is_told_the_nearest() -> None:
    group = {"instanceTypes": ["m6i.xlarge"], "capacity": "ON_DEMAND", "minimum": 30, "maximum": 40, "desired": 30}
    with pytest.raises(SettingsError) as refused:
        changed("production", cluster__nodeGroups__base=group)()
    assert "No single change is enough; the nearest is " in str(refused.value)


def test_an_estimate_below_the_band_is_refused_where_every_row_has_a_price() -> None:
    off = {"offHours": {"enabled": True, "stopDatabase": True, "down": "09:00", "up": "08:00"}}
    quiet = dict.fromkeys(("customMetrics", "logGb", "lcu", "outGb", "objectGb"), 0)
    with pytest.raises(SettingsError) as refused:
        changed("development", operations=off, usage={"size": "small", "known": quiet})()
    assert "200 to 400 USD a month in development" in str(refused.value)
    assert "Enough alone: " in str(refused.value)


def test_a_budget_above_the_band_is_refused() -> None:
    with pytest.raises(SettingsError) as refused:
        changed("staging", monthlyBudgetUsd=601)()
    assert ("candlefish:monthlyBudgetUsd is 601; allowed: at most 600, the upper end of the band of staging"
            in str(refused.value))


def test_the_page_says_what_the_stacks_cost() -> None:
    rows = [line.strip("|").split("|") for line in (ROOT / "docs" / "costs.md").read_text(encoding="utf-8").splitlines()
            if line.startswith(tuple(f"| {stack} |" for stack in STACKS))]
    shown = {row[0].strip(): tuple(cell.strip() for cell in (row[1], row[2], row[3], row[5])) for row in rows}
    assert shown == {stack: (settings(stack).usage.size, *(f"{usd:,.0f}" for usd in (
        estimated(stack).platform, estimated(stack).likely or 0, estimated(stack).serverless))) for stack in STACKS}


# --- By hand ----------------------------------------------------------------------------------------------------------

def test_development_by_hand() -> None:
    """Two t3.medium or t3a.medium at night and weekends off: 50 of 168 hours."""
    on = 50 / 168
    found = {(row.line.component, row.line.what): row.usd for row in estimated("development").rows}
    by_hand = {
        ("cluster", "control plane"): 730 * 0.10,
        ("nodes", "general: t3.medium spot, 1 of 2 types"): 2 * on * 730 / 2 * 0.01898,
        ("nodes", "general: t3a.medium spot, 1 of 2 types"): 2 * on * 730 / 2 * 0.02,
        ("nodes", "general: disks of 30 GiB"): 2 * on * 30 * 0.08,
        ("nodes", "general: detailed monitoring"): 2 * on * 7 * 0.30,
        ("volumes", "website: 10 GiB a pod"): 10 * on * 0.08,
        ("network", "NAT gateways: 1"): 730 * 0.045, ("network", "addresses of NAT gateways"): 730 * 0.005,
        ("network", "through NAT gateways"): 20 * 0.045, ("network", "between zones, there and back"): 2 * 10 * 0.01,
        ("network", "to the internet"): 5 * 0.09,
        ("front door", "load balancer"): 730 * 0.0225, ("front door", "capacity units"): 0.5 * 730 * 0.008,
        ("front door", "addresses in 2 zones"): 2 * 730 * 0.005,
        ("database", "db.t4g.micro, single-AZ"): on * 730 * 0.016, ("database", "storage: 20 GiB"): 20 * 0.115,
        ("cache", "1 × cache.t4g.micro"): 730 * 0.0128,
        ("buckets and images", "objects"): 10 * 0.023, ("buckets and images", "writes"): 50 * 0.005,
        ("buckets and images", "reads"): 100 * 0.0004, ("buckets and images", "images"): 5 * 0.10,
        ("edge", "firewalls"): 2 * 5, ("edge", "firewalls' rules"): 17, ("edge", "name queries"): 0.1 * 0.4,
        ("edge", "health checks"): 2 * 0.5, ("edge", "health checks by HTTPS"): 2,
        ("edge", "CloudFront's metrics"): 8 * 0.3,
        ("keys and secrets", "keys"): 3, ("keys and secrets", "calls of keys"): 10 * 0.03,
        ("keys and secrets", "secrets"): 10 * 0.4, ("keys and secrets", "reads of secrets"): 2 * 0.05,
        ("observability", "logs taken in"): 5 * 0.5, ("observability", "logs kept"): 5 * 0.03,
        ("observability", "metrics of our own"): 20 * 0.3, ("observability", "alarms"): 19 * 0.1,
        ("observability", "composite alarms"): 4 * 0.5, ("observability", "dashboard"): 3,
    }
    platform = {key: usd for key, usd in found.items() if key[0] != "serverless"}
    assert platform == pytest.approx(by_hand)
    assert estimated("development").platform == pytest.approx(sum(by_hand.values()))


def test_a_million_sessions_are_near_the_documents_and_grow_with_the_sessions() -> None:
    million = estimated("production", Usage(size="large"))
    assert million.sessions == 1_000_000
    assert 425 * 0.5 < million.serverless < 425 * 1.5
    ten = estimated("production", Usage(size="large", known={Quantity.SESSIONS: 10_000_000}))
    assert ten.of(Part.FUNCTIONS) == pytest.approx(10 * million.of(Part.FUNCTIONS))
    assert ten.platform == million.platform


@pytest.mark.parametrize(("hours", "share"), [
    (OffHours(), 1), (OffHours(enabled=True), 50 / 168), (OffHours(enabled=True, down="20:00", up="06:00"), 70 / 168),
    # Down at 02:00 of a weekday: the evening of the day before, and after Friday the whole weekend.
    (OffHours(enabled=True, down="02:00", up="08:00"), (4 * 18 + 66) / 168)])
def test_the_share_of_a_week_that_nodes_are_there(hours: OffHours, share: float) -> None:
    assert platform_costs.on_share(hours) == pytest.approx(share)


def test_a_stack_may_know_better_than_the_table_of_sizes() -> None:
    assert month(Usage(size="small"))[Quantity.NAT] == 20
    assert month(Usage(size="small", known={Quantity.NAT: 7}))[Quantity.NAT] == 7
    assert table()[Quantity.NAT] == {"small": 20, "medium": 100, "large": 500}


def test_an_unknown_quantity_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"usage\.known"):
        changed("staging", usage={"known": {"natGB": 7}})()


# --- Against the recorded graphs --------------------------------------------------------------------------------------

def test_every_type_of_the_recorded_graphs_is_priced_free_or_said_not_to_be_priced() -> None:
    assert [type for type in COUNTS if not known(type)] == []


def test_a_type_that_nobody_thought_of_is_not_known() -> None:
    assert not known("aws:sagemaker/endpoint:Endpoint")


def test_a_type_is_in_one_table_only_and_every_row_of_them_is_of_some_stack() -> None:
    tables = (PRICED, SOMETIMES, FREE, NOT_PRICED)
    names = [name for each in tables for name in each]
    assert len(names) == len(set(names))
    assert [name for name in names if name not in COUNTS] == []
    assert all(any(type.startswith(family) for type in COUNTS) for family in FREE_FAMILIES)


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_called_priced_has_a_line_in_every_stack_that_has_it(stack: str) -> None:
    prices = {row.line.price for row in estimated(stack).rows}
    assert {type: begins for type, begins in PRICED.items() if type in BY_TYPE[stack]
            and not any(price.startswith(begins) for price in prices)} == {}


@pytest.mark.parametrize("stack", STACKS)
def test_what_the_estimate_counts_is_what_the_graph_has(stack: str) -> None:
    found, graph = settings(stack), BY_TYPE[stack]
    quantities = {(row.line.component, row.line.price): row.line.quantity for row in estimated(stack).rows}
    assert quantities["keys and secrets", "kms.key"] == graph["aws:kms/key:Key"]
    assert quantities["keys and secrets", "secrets.secret"] == graph["aws:secretsmanager/secret:Secret"] + 1
    assert quantities["observability", "cloudwatch.alarm"] == graph["aws:cloudwatch/metricAlarm:MetricAlarm"]
    assert quantities["observability", "cloudwatch.composite-alarm"] == graph[
        "aws:cloudwatch/compositeAlarm:CompositeAlarm"]
    assert quantities["observability", "cloudwatch.dashboard"] == graph["aws:cloudwatch/dashboard:Dashboard"]
    assert quantities["edge", "waf.acl"] == graph["aws:wafv2/webAcl:WebAcl"]
    assert quantities["edge", "route53.health-check"] == graph["aws:route53/healthCheck:HealthCheck"]
    assert quantities["network", "nat.hour"] == 730 * graph["aws:ec2/natGateway:NatGateway"]
    gateway_endpoints = 2
    assert len(found.network.interface_endpoints) == graph["aws:ec2/vpcEndpoint:VpcEndpoint"] - gateway_endpoints
    assert (("observability", "cloudwatch.canary-run") in quantities) == ("aws:synthetics/canary:Canary" in graph)
    assert (("governance", "config.items") in quantities) == ("aws:cfg/recorder:Recorder" in graph)
