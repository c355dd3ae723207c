"""What an environment may cost: the bands of E3, in USD a month. The one table of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.settings.model import Environment


@dataclass(frozen=True)
class Band:
    """The platform, without the serverless part. target: what it should stay below; None: the whole band is as good."""

    lowest: int
    highest: int
    target: int | None = None

    def __str__(self) -> str:
        return f"{self.lowest:,} to {self.highest:,} USD a month"


BANDS: Mapping[Environment, Band] = {
    Environment.DEVELOPMENT: Band(200, 400),
    Environment.STAGING: Band(400, 600),
    Environment.PRODUCTION: Band(800, 1500, 1200),
    Environment.RECOVERY: Band(800, 1500, 1200),
}
