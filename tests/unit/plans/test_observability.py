"""The tables of observability: complete, consistent, and what CloudWatch and Prometheus take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.plans.observability import alarm_specs, documents, log_filters
from infra.plans.observability.alarm import RUNBOOKS, Alarm, Each, Place
from infra.plans.observability.alarm_specs import Places, specs, wanted
from infra.plans.observability.alarm_table import COMPOSITES
from infra.plans.observability.board import WIDGETS, body
from infra.plans.observability.databases import connections
from infra.plans.observability.emitted import CLOUDWATCH, prometheus_names
from infra.plans.observability.objectives import BURNS, ELSEWHERE, LEVELS, SHARES, windows
from infra.plans.observability.prometheus import alarm_groups, objective_groups
from rehearsal.kubernetes.standin.behaviour import Behaviour
from rehearsal.kubernetes.standin.telemetry import Telemetry
from tests import promql

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
ALARMS = documents.defaults()
EVERYWHERE = Places(
    {place: [f"{place}-1", f"{place}-2"] if place in (Place.CACHE_NODE, Place.FUNCTION) else [place.value]
     for place in Place if place not in (Place.BLUE, Place.GREEN)},
    {Each.SERVICE: {"website": {Place.BLUE: ["targetgroup/b/1"], Place.GREEN: ["targetgroup/g/2"]}}})
SPECS = list(specs(ALARMS, "staging", EVERYWHERE))


def test_each_row_is_watched_somewhere_and_has_a_name_of_its_own() -> None:
    assert all(alarm.watched or alarm.prometheus for alarm in ALARMS)
    names = [spec.physical_name for spec in SPECS]
    assert len(names) == len(set(names)) == len([a for a in ALARMS if a.watched])
    assert max(map(len, names)) <= 255
    assert all(len(spec.arguments["alarm_description"]) <= 1024 for spec in SPECS)


def test_m2_is_there_with_its_figures() -> None:
    found = {alarm.name: (alarm.severity.value, alarm.comparison.sign, alarm.threshold, alarm.minutes)
             for alarm in ALARMS}
    assert {name: found[name] for name in (
        "animation-fps", "animation-frame-drops", "animation-memory", "animation-memory-critical", "error-rate",
        "error-rate-abort", "latency", "latency-p95", "trust-progression", "service-down")} == {
        "animation-fps": ("P1", "<", 30, 5), "animation-frame-drops": ("P2", ">", 1, 5),
        "animation-memory": ("P2", ">", 40, 15), "animation-memory-critical": ("P1", ">", 50, 5),
        "error-rate": ("P1", ">", 5, 5), "error-rate-abort": ("P0", ">", 10, 5), "latency": ("P1", ">", 3, 5),
        "latency-p95": ("P1", ">", 2, 10), "trust-progression": ("P2", "<", 20, 60),
        "service-down": ("P0", "<", 1, 5)}
    assert {"database-connection-failures", "database-pool", "database-storage", "node-disk", "cache-hit-rate",
            "database-cpu", "database-memory", "cache-cpu", "cache-memory", "node-cpu", "node-memory",
            "cache-replication-lag", "certificate", "cdn-certificate", "functions-errors", "functions-throttles",
            "dead-letters", "api-errors", "cdn-errors", "cdn-hit-rate", "synthetic-checks"} <= set(found)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_a_runbook_has_the_anchor_that_an_alarm_names(alarm: Alarm) -> None:
    _anchored(alarm.runbook)


def test_runbooks_of_composites_and_objectives_have_their_anchors() -> None:
    for each in (*COMPOSITES, *SHARES, *LEVELS):
        _anchored(each.runbook)


def test_cloudwatch_watches_only_what_is_emitted() -> None:
    metrics = [metric for alarm in ALARMS if alarm.watched for metric in alarm.watched.metrics.values()]
    metrics += [metric for widget in WIDGETS for metric in widget.metrics]
    unknown = {(metric.namespace, metric.name) for metric in metrics if metric.name not in CLOUDWATCH[metric.namespace]}
    assert not unknown
    assert {each.metric for each in log_filters.FILTERS} == CLOUDWATCH["Candlefish/Logs"]


def test_prometheus_asks_only_for_what_is_emitted_or_recorded() -> None:
    groups = [*alarm_groups(ALARMS, "https://runbooks"), *objective_groups("https://runbooks")]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for rule in rules:
        names = promql.metrics(rule["expr"])
        assert names, rule["expr"]
        assert names <= prometheus_names() | recorded, rule["expr"]


def test_an_alarm_is_of_one_metric_or_of_an_expression_that_cloudwatch_takes() -> None:
    for spec in SPECS:
        queries = spec.arguments.get("metric_queries")
        assert bool(queries) != ("metric_name" in spec.arguments)
        if queries:
            assert [query["return_data"] for query in queries] == [True] + [False] * (len(queries) - 1)
            assert len(queries) <= 1 + alarm_specs.MEMBERS_AT_ONCE
            assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_]*", query["id"]) for query in queries)
        # 1,440 minutes of periods at most below a day, a week from an hour on (PutMetricAlarm of the API reference)
        seconds = spec.alarm.seconds * spec.alarm.periods
        assert seconds <= (604_800 if spec.alarm.seconds >= 3600 else 86_400), spec.name


def test_more_members_than_an_alarm_takes_become_a_second_alarm() -> None:
    places = Places({Place.FUNCTION: [f"f{index}" for index in range(12)]})
    errors = next(alarm for alarm in ALARMS if alarm.name == "functions-errors")
    made = list(specs([errors], "staging", places))
    assert [(spec.name, len(spec.arguments["metric_queries"])) for spec in made] == [
        ("functions-errors", 11), ("functions-errors-2", 3)]


def test_what_an_environment_has_not_is_not_watched() -> None:
    assert {spec.name for spec in specs(ALARMS, "staging", Places({Place.DATABASE: ["db"]}))} == {
        "animation-failures", "critical-errors", "database-connections", "database-connection-failures",
        "database-pool", "database-storage", "database-cpu", "database-memory"}


def test_development_can_have_only_what_pages_or_nothing() -> None:
    assert {alarm.severity.value for alarm in wanted(ALARMS, "critical")} == {"P0", "P1"}
    assert wanted(ALARMS, "none") == ()


def test_what_a_scheduled_scale_down_causes_is_silenced_by_its_prefix() -> None:
    silenced = {spec.name for spec in SPECS if spec.physical_name.startswith("staging-candlefish-scheduled-")}
    assert silenced == {"error-rate", "error-rate-abort", "latency", "latency-p95", "service-down-website",
                        "synthetic-checks", "cdn-errors"}


def test_a_composite_is_quiet_while_another_explains_it() -> None:
    assert alarm_specs.rule(["a", "b"], None) == 'ALARM("a") OR ALARM("b")'
    assert alarm_specs.rule(["a", "b"], "c") == '(ALARM("a") OR ALARM("b")) AND NOT ALARM("c")'
    assert {alarm.composite for alarm in ALARMS if alarm.composite} == {each.name for each in COMPOSITES}


def test_burn_rates_are_the_workbooks() -> None:
    assert [(burn.rate, burn.long, burn.short) for burn in BURNS] == [
        (14.4, "1h", "5m"), (6, "6h", "30m"), (3, "1d", "2h"), (1, "3d", "6h")]
    assert windows() == ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def test_m4_is_there_with_its_figures() -> None:
    figures = " ".join(each.figure for each in (*SHARES, *LEVELS, *ELSEWHERE))
    for figure in ("99.9 %", "p95 < 2 s", "< 0.1 %", "p95 < 100 ms", "> 95 %", "≥ 55", "2.5 s", "100 ms", "CLS 0.1",
                   "10,000", "1,000"):
        assert figure in figures


def test_the_dashboard_fits_its_grid_and_draws_the_alarms_limits() -> None:
    made = body("staging", "us-west-2", "us-east-1", ALARMS, ["arn:aws:cloudwatch:::alarm:a"], EVERYWHERE.of)
    widgets = made["widgets"]
    assert len(widgets) == len(WIDGETS) + 1
    assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
    corners = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(corners)) == len(corners)
    by_title = {widget["properties"]["title"]: widget["properties"] for widget in widgets}
    assert by_title["Frame rate"]["annotations"]["horizontal"][0]["value"] == 30
    assert by_title["CloudFront: hit rate"]["region"] == "us-east-1"
    assert by_title["Database: CPU"]["region"] == "us-west-2"
    assert len(by_title["Cache: hit rate"]["metrics"]) == 2
    failed = by_title["Share of failed requests"]["metrics"]
    assert failed[0][0]["expression"] == "100 * (FILL(m1, 0) + FILL(m2, 0)) / m3"


def test_a_databases_connections_follow_its_memory() -> None:
    assert connections("db.t4g.medium") == 450
    assert connections("db.r6g.16xlarge") == 5000
    with pytest.raises(ValueError, match=r"db\.x9\.large is not known"):
        connections("db.x9.large")


def test_what_is_generated_is_up_to_date() -> None:
    remedy = "run `python -m infra.plans.observability`"
    page = (ROOT / "docs" / "observability.md").read_text()
    assert (ROOT / "alerts" / "candlefish.rules.yaml").read_text() == documents.alert_file(), remedy
    assert page == documents.inserted(page), remedy
    assert all(f"<!-- table: {name} -->" in page for name in documents.TABLES)


def test_an_unknown_table_of_the_page_is_named() -> None:
    with pytest.raises(ValueError, match="'alrams'; there are severities, alarms"):
        documents.inserted("<!-- table: alrams -->\n<!-- end -->")


def _anchored(runbook: str) -> None:
    file, _, anchor = runbook.partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / RUNBOOKS / file).read_text(), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, runbook


def test_the_functions_emit_the_names_of_the_table_and_no_other() -> None:
    code = "".join(file.read_text() for file in (ROOT / "functions").rglob("*.py"))
    assert set(re.findall(r'"(candlefish_[a-z_]+)"', code)) == CLOUDWATCH["Candlefish/Animation"]


def test_a_stand_in_for_a_service_emits_names_of_the_table_and_has_the_objectives_bounds() -> None:
    text = Telemetry({"service": "website"}, seed=1).prometheus(Behaviour())
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert {re.split(r"[{ ]", line)[0] for line in samples} <= prometheus_names()
    assert {"0.1", "2.0"} <= set(re.findall(r'le="([^"]+)"', text))
