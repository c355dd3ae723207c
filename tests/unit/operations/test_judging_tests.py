"""The sequential tests against what is known of them, and the settings that they come from."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from pathlib import Path

import pytest

from infra.settings.errors import SettingsError
from infra.settings.load import load, load_file
from infra.settings.yaml import read_yaml
from operations.rollout import judging
from operations.rollout.judging import Judge, Sample, Thresholds, exposure
from operations.rollout.judging.sequential import Ratio, ShareTest

pytestmark = pytest.mark.unit

AT, ROOT = Thresholds(), Path(__file__).parents[3]
TEST = Judge(AT).errors


def called_bad(test: ShareTest, p: float, requests: int = 3000) -> dict[int, float]:
    """With how many errors, and with what probability, the test calls a share `p` bad, each request being a reading of
    its own. Exact: the number of errors among those that were not called bad yet, request by request. Passing is left
    out, as a rollout goes on after it; from 3,000 requests on nothing is added that matters."""
    alive, found = {0: 1.0}, dict.fromkeys(range(60), 0.0)
    for n in range(1, requests):
        after = dict.fromkeys(range(len(alive) + 1), 0.0)
        for errors, chance in alive.items():
            after[errors] += chance * (1 - p)
            after[errors + 1] += chance * p
        alive = {}
        for errors, chance in after.items():
            if chance < 1e-9:
                continue
            known = replace(test.begin(), bad=tuple(ratio.of(errors, n) for ratio in test.ratios))
            if test.is_bad(known):
                found[errors] += chance
            else:
                alive[errors] = chance
        alive = {errors: alive.get(errors, 0.0) for errors in range(max(alive, default=0) + 1)}
    return found


def at_99_percent(found: dict[int, float]) -> int:
    total, below = sum(found.values()), 0.0
    for errors in sorted(found):
        below += found[errors]
        if below >= 0.99 * total:
            return errors
    raise AssertionError(found)


def test_a_healthy_share_is_called_bad_less_often_than_alpha() -> None:
    at_the_limit = sum(called_bad(TEST, 0.001).values())
    assert 0.0003 < at_the_limit < 0.0006 < AT.false_alarm
    assert sum(called_bad(TEST, 0.0005).values()) < at_the_limit / 10


def test_the_second_alternative_saves_two_failed_requests() -> None:
    """Why the evidence is a mean (decision 44): 9 failed requests at 99 % instead of Wald's 11."""
    walds = replace(TEST, alternatives=(AT.error_bad,))
    assert at_99_percent(called_bad(TEST, 0.01)) == exposure.OWN_FAILURES == 9
    assert at_99_percent(called_bad(walds, 0.01)) == 11


def test_the_bounds_are_walds() -> None:
    assert (TEST.reject, TEST.accept) == (pytest.approx(math.log(999)), pytest.approx(-math.log(999)))


def test_the_test_of_latency_turns_where_a_p95_does() -> None:
    ratio = Ratio(AT.slow_healthy, AT.slow_bad)
    turns = -ratio.miss / (ratio.hit - ratio.miss)
    assert turns == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize(("share", "requests"), [(0, 763), (0.0005, 875), (0.001, 1026), (0.01, math.inf)])
def test_how_many_requests_a_stage_needs(share: float, requests: float) -> None:
    assert exposure.requests_to_pass(AT, share) == pytest.approx(requests, abs=1)


def test_the_first_weight_is_what_ten_failed_requests_allow() -> None:
    minute, two_late = exposure.blind_seconds(60, 120), exposure.blind_seconds(30, 15)
    assert exposure.weight_percent(AT, 10, 5, two_late) == 10  # 0.5 requests/s to the new colour
    assert exposure.weight_percent(AT, 10, 100, two_late) == pytest.approx(5 / 3)
    assert exposure.weight_percent(AT, 10, 100, minute) == pytest.approx(0.41667, abs=1e-4)
    assert exposure.weight_percent(AT, 10, 1e6, minute) == exposure.LEAST_PERCENT
    assert exposure.weight_percent(AT, 10, 0, minute) == 10
    with pytest.raises(ValueError, match=r"rollout\.judging\.failedRequests is 9"):
        exposure.requests_per_second(Thresholds(failed_requests=9), minute)


def test_the_defaults_are_those_of_the_settings() -> None:
    for stack in ("development", "staging", "production", "recovery"):
        assert Thresholds.of(load_file(ROOT / f"Pulumi.{stack}.yaml")) == AT


@pytest.mark.parametrize(("key", "value", "words"), [
    ("errorPercentBad", 0.15, "at least twice errorPercentHealthy, 0.2"),
    ("errorPercentBad", 10, "less than observability.thresholds.errorPercentAbort, 10"),
    ("slowPercentBad", 4.9, "at least twice slowPercentHealthy, 5"),
    ("slowPercentHealthy", 5, "less than 5, and slowPercentBad more")])
def test_figures_that_no_test_can_tell_apart_are_refused(key: str, value: float, words: str) -> None:
    config = read_yaml(ROOT / "Pulumi.production.yaml")["config"]
    document = {name.removeprefix("candlefish:"): each for name, each in config.items() if "candlefish:" in name}
    document["rollout"] = {"strategy": "canary", "judging": {key: value}}
    with pytest.raises(SettingsError) as refused:
        load(document, "Pulumi.production.yaml")
    assert any(problem.setting == f"rollout.judging.{key}" and words in problem.allowed
               for problem in refused.value.problems), refused.value


@pytest.mark.parametrize("sample", [
    {"seconds": 0}, {"seconds": float("nan")}, {"requests": -1}, {"requests": 3, "errors": 4},
    {"requests": 3, "slow": 4}, {"fps": float("inf")}, {"memory_bytes": -1.0}])
def test_what_cannot_be_a_sample_is_refused(sample: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        Sample(**{"seconds": 15, **sample})  # type: ignore[arg-type]


def test_what_decides_reads_nothing_and_knows_no_time() -> None:
    allowed = {"__future__", "collections", "dataclasses", "enum", "functools", "infra", "itertools", "math",
               "operations", "statistics", "typing"}
    folder = Path(judging.__file__).parent
    for path in folder.glob("*.py"):
        if path.stem in ("replay", "replay_world"):  # which draw the traffic
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else \
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert {name.split(".")[0] for name in names} <= allowed, path.name
            assert not any("sources" in name for name in names), path.name
