"""Rules of the serverless side: experiments that add up, concurrency that an account has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.settings.errors import Problem

if TYPE_CHECKING:
    from infra.settings.model import Settings

EXPERIMENTS_BYTES = 3_500  # of the 4,096 that a function's environment may have (Lambda quotas)
RESERVABLE = 900  # of the account's 1,000 concurrent executions, 100 stay unreserved (Lambda quotas)


def experiments(settings: Settings) -> Iterator[Problem]:
    for name, experiment in settings.experiments.items():
        total = sum(variant.percent for variant in experiment.variants.values())
        if total != 100:
            shares = " + ".join(f"{variant} {each.percent}" for variant, each in experiment.variants.items())
            yield Problem(f"experiments.{name}.variants", f"{shares} = {total}", "percentages that sum to 100")
    size = len(json.dumps({name: each.document() for name, each in settings.experiments.items()}))
    if size > EXPERIMENTS_BYTES:
        yield Problem("experiments", f"{size} bytes as JSON",
                      f"at most {EXPERIMENTS_BYTES} bytes, as a function's environment holds no more; remove finished "
                      "experiments")


def concurrency(settings: Settings) -> Iterator[Problem]:
    total = settings.analytics.concurrency.total()
    if total > RESERVABLE:
        yield Problem("analytics.concurrency", f"{total} in all", f"at most {RESERVABLE} in all, as an account has "
                      "1,000 concurrent executions and keeps 100 unreserved")


RULES = (experiments, concurrency)
