"""The experiments, as the settings have them: EXPERIMENTS is JSON `{name: {"status", "segments", "variants": [{"name",
"percent", "value"?}]}}` (infra/settings/experiments.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SEGMENTS = ("new", "returning", "mobile", "desktop")  # what a visitor can say to be; `all` is everybody
ALL = "all"
GOALS = ("trust_milestone_25", "trust_milestone_50", "trust_milestone_75", "trust_milestone_100",
         "assessment_completed", "funnel_completed", "returned", "contacted")


class Status(StrEnum):
    DRAFT = "draft"  # nobody takes part yet
    RUNNING = "running"
    PAUSED = "paused"  # who takes part keeps the variant; nobody joins
    FINISHED = "finished"  # the first variant is everybody's


@dataclass(frozen=True)
class Experiment:
    """percents: by variant, in the order of the settings; the first is what the others are compared with.
    values: what the website multiplies with, where it does."""

    name: str
    status: Status
    segments: frozenset[str]
    percents: Mapping[str, int]
    values: Mapping[str, float]

    @property
    def control(self) -> str:
        return next(iter(self.percents))

    def takes(self, segments: frozenset[str]) -> bool:
        return ALL in self.segments or bool(self.segments & segments)


def parse(document: str) -> dict[str, Experiment]:
    """The settings have been checked before they got here: an error in them is the stack's."""
    return {name: Experiment(
        name=name, status=Status(raw["status"]), segments=frozenset(raw["segments"]),
        percents={variant["name"]: variant["percent"] for variant in raw["variants"]},
        values={variant["name"]: variant["value"] for variant in raw["variants"] if "value" in variant})
        for name, raw in json.loads(document).items()}
