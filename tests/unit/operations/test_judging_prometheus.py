"""Samples out of Prometheus' answers: a small server with the few functions that the queries use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from infra.plans.observability.emitted import prometheus_names
from operations.rollout.judging.sources import SourceError
from operations.rollout.judging.sources.prometheus import COUNTERS, FPS, MEMORY, Prometheus, counter, selector
from tests import promtool
from tests.promql import metrics

pytestmark = pytest.mark.unit

SINCE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
UNTIL = SINCE + timedelta(seconds=30)
Values = Mapping[str, Mapping[str, tuple[float | None, float | None]]]  # metric → labels → at SINCE, at UNTIL


def source(values: Values, refuse: str = "") -> Prometheus:
    def answer(request: httpx.Request) -> httpx.Response:
        query, at = request.url.params["query"], float(request.url.params["time"])
        if refuse and refuse in query:
            return httpx.Response(400, json={"status": "error", "errorType": "bad_data", "error": "parse error"})
        [name] = metrics(query)
        status, bound = ('status=~"5.."' in query), ('le=~"2(' in query)
        result = []
        for labels, ends in values.get(name, {}).items():
            value = ends[at == UNTIL.timestamp()]
            wanted = (not status or 'status="5' in labels) and (not bound or re.search(r'le="2(\.0)?"', labels))
            if value is not None and wanted:
                result.append({"metric": dict(re.findall(r'(\w+)="([^"]*)"', labels)), "value": [at, str(value)]})
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": result}})

    client = httpx.Client(base_url="http://prometheus", transport=httpx.MockTransport(answer))
    return Prometheus(client, "website", "candlefish-staging", 2.0)


GOOD: Values = {
    "http_requests_total": {'pod="a",status="200"': (1000, 1200), 'pod="b",status="200"': (None, 100),
                            'pod="a",status="500"': (None, 2), 'pod="b",status="503"': (7, 8)},
    "http_request_duration_seconds_count": {'pod="a"': (1000, 1202), 'pod="b"': (7, 108)},
    "http_request_duration_seconds_bucket": {'pod="a",le="2.0"': (990, 1189), 'pod="b",le="2"': (7, 108),
                                             'pod="a",le="0.1"': (1, 2)},
    "candlefish_animation_fps": {"": (59.0, 58.5)}, "container_memory_working_set_bytes": {"": (1e8, 2e8)},
}


def test_counters_are_differences_with_new_pods_and_new_statuses_from_zero() -> None:
    sample = source(GOOD).read("blue", SINCE, UNTIL)
    assert (sample.seconds, sample.requests, sample.errors, sample.slow) == (30, 303, 3, 3)
    assert (sample.fps, sample.memory_bytes) == (58.5, 2e8)


def test_a_pod_that_started_again_counts_from_zero_too() -> None:
    again: Values = {**GOOD, "http_requests_total": {'pod="a",status="200"': (1000, 40)},
                     "http_request_duration_seconds_count": {'pod="a"': (1000, 40)},
                     "http_request_duration_seconds_bucket": {'pod="a",le="2"': (1000, 39)}}
    sample = source(again).read("blue", SINCE, UNTIL)
    assert (sample.requests, sample.slow) == (40, 1)


def test_a_colour_without_pods_has_no_requests_and_no_gauges() -> None:
    sample = source({}).read("green", SINCE, UNTIL)
    assert (sample.requests, sample.fps, sample.memory_bytes) == (0, None, None)


def test_a_gauge_that_is_no_number_is_none() -> None:
    nan: Values = {"candlefish_animation_fps": {"": (None, float("nan"))}}
    assert source(nan).read("blue", SINCE, UNTIL).fps is None


def test_a_histogram_without_the_bound_is_an_error_and_not_a_service_without_slow_requests() -> None:
    without: Values = {**GOOD, "http_request_duration_seconds_bucket": {'pod="a",le="5"': (990, 1189)}}
    with pytest.raises(SourceError, match="has no bound of 2 s"):
        source(without).read("blue", SINCE, UNTIL)
    untimed: Values = {"http_requests_total": GOOD["http_requests_total"]}
    with pytest.raises(SourceError, match="slow ones cannot be told"):
        source(untimed).read("blue", SINCE, UNTIL)


def test_what_prometheus_refuses_or_does_not_answer_is_an_error_with_its_words() -> None:
    with pytest.raises(SourceError, match="bad_data parse error"):
        source(GOOD, refuse="http_requests_total").read("blue", SINCE, UNTIL)

    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    client = httpx.Client(base_url="http://prometheus", transport=httpx.MockTransport(down))
    with pytest.raises(SourceError, match=r"http://prometheus.* does not answer: refused"):
        Prometheus(client, "website", "candlefish-staging", 2.0).read("blue", SINCE, UNTIL)


@pytest.mark.parametrize("seconds", [0, -30, 900])
def test_intervals_that_cannot_be_compared_are_refused(seconds: int) -> None:
    with pytest.raises(SourceError, match="allowed: more than 0 and less than 900"):
        source(GOOD).read("blue", SINCE, SINCE + timedelta(seconds=seconds))


def test_every_metric_that_is_asked_for_is_one_that_somebody_emits() -> None:
    names: Callable[[str], set[str]] = metrics
    asked = {metric for metric, _ in COUNTERS.values()}
    asked |= names(FPS.format(series="candlefish_animation_fps", seconds=60))
    asked |= names(MEMORY.format(namespace="n", service="s", colour="c", seconds=60))
    assert asked <= prometheus_names()


def test_prometheus_itself_finds_what_the_queries_mean(tmp_path: Path) -> None:
    """By its own engine (promtool): the colour alone, a pod that is gone, no scrape, both spellings of a bound."""
    of = 'job="candlefish-website",color="blue"'
    memory = 'namespace="candlefish-staging",container="website"'
    series = {
        f'http_requests_total{{{of},pod="a",status="200"}}': "0+10x10",
        f'http_requests_total{{{of},pod="a",status="503"}}': "0+1x10",
        f'http_requests_total{{{of},pod="gone",status="200"}}': "0+5x3 stale",
        'http_requests_total{job="candlefish-website",color="green",pod="c",status="200"}': "7x10",
        'http_requests_total{job="candlefish-paintbox",color="blue",pod="d",status="200"}': "7x10",
        f'http_request_duration_seconds_bucket{{{of},pod="a",le="2.0"}}': "0+9x10",
        f'http_request_duration_seconds_bucket{{{of},pod="b",le="2"}}': "0+8x7 stale _ _",
        f'http_request_duration_seconds_bucket{{{of},pod="a",le="20"}}': "0+10x10",
        f'candlefish_animation_fps{{{of},pod="a"}}': "60x10", f'candlefish_animation_fps{{{of},pod="b"}}': "40x10",
        f'container_memory_working_set_bytes{{{memory},pod="website-blue-1"}}': "100x10",
        f'container_memory_working_set_bytes{{{memory},pod="website-blue-2"}}': "300x10",
        f'container_memory_working_set_bytes{{{memory},pod="website-green-1"}}': "900x10",
        'container_memory_working_set_bytes{namespace="candlefish-staging",container="",pod="website-blue-1"}': "5x10",
    }
    total, bucket = f"http_requests_total{{{of},pod=", f"http_request_duration_seconds_bucket{{{of},pod="
    asked = {
        counter("requests", "website", "blue", 2.0): {
            f'{total}"a",status="200"}}': 100, f'{total}"a",status="503"}}': 10, f'{total}"gone",status="200"}}': 15},
        counter("errors", "website", "blue", 2.0): {f'{total}"a",status="503"}}': 10},
        counter("fast", "website", "blue", 2.0): {f'{bucket}"a",le="2.0"}}': 90, f'{bucket}"b",le="2"}}': 56},
        FPS.format(series=selector("candlefish_animation_fps", "website", "blue"), seconds=60): {"{}": 50},
        MEMORY.format(namespace="candlefish-staging", service="website", colour="blue", seconds=60): {"{}": 200},
    }
    file = tmp_path / "queries.test.yaml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "30s", "tests": [{
        "interval": "30s", "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": "5m", "exp_samples": [
            {"labels": labels, "value": value} for labels, value in found.items()]}
            for expression, found in asked.items()]}]}))
    done = promtool.run("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
