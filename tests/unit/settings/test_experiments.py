"""The four experiments, and how a stack changes them (F5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.settings.experiments import Segment, Status
from infra.settings.load import load
from infra.settings.model import Settings
from infra.settings.yaml import read_yaml

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


def staging(**experiments: Any) -> Settings:
    config = read_yaml(ROOT / "Pulumi.staging.yaml")["config"]
    values = {key.removeprefix("candlefish:"): value for key, value in config.items() if key.startswith("candlefish:")}
    return load({**values, "experiments": experiments} if experiments else values, "Pulumi.staging.yaml")


def test_the_catalogue_has_the_four_experiments_with_their_shares() -> None:
    found = staging().experiments
    assert {name: [each.percent for each in experiment.variants.values()] for name, experiment in found.items()} == {
        "emotional-complexity": [30, 50, 20], "trust-rate": [25, 50, 25], "visual-richness": [25, 50, 25],
        "memory": [40, 40, 20]}
    assert [each.value for each in found["trust-rate"].variants.values()] == [0.7, 1.0, 1.3]
    assert {(each.status, each.segments) for each in found.values()} == {(Status.RUNNING, (Segment.ALL,))}


def test_a_stack_changes_a_field_and_keeps_the_others() -> None:
    found = staging(memory={"status": "paused", "segments": ["new", "mobile"]}).experiments["memory"]
    assert (found.status, found.segments) == (Status.PAUSED, (Segment.NEW, Segment.MOBILE))
    assert list(found.variants) == ["local", "hybrid", "cloud"]


def test_a_stacks_variants_replace_the_catalogues() -> None:
    found = staging(memory={"variants": {"local": {"percent": 60}, "cloud": {"percent": 40}}}).experiments["memory"]
    assert {name: each.percent for name, each in found.variants.items()} == {"local": 60, "cloud": 40}


def test_a_stack_adds_an_experiment_of_its_own() -> None:
    found = staging(glow={"variants": {"on": {"percent": 50}, "off": {"percent": 50}}}).experiments
    assert list(found)[-1] == "glow"


def test_the_function_is_told_variants_in_their_order_and_values_where_there_are_any() -> None:
    documents = {name: each.document() for name, each in staging().experiments.items()}
    assert documents["memory"] == {"status": "running", "segments": ["all"], "variants": [
        {"name": "local", "percent": 40}, {"name": "hybrid", "percent": 40}, {"name": "cloud", "percent": 20}]}
    assert documents["trust-rate"]["variants"][0] == {"name": "slow", "percent": 25, "value": 0.7}
