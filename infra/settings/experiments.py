"""Experiments with visitors (F5): who takes part, and how they are divided. The catalogue is `experiments.yaml`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from infra.settings.base import Model

# What the functions take for the name of an experiment or a variant.
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Status(StrEnum):
    DRAFT = "draft"  # nobody takes part yet
    RUNNING = "running"
    PAUSED = "paused"  # who takes part keeps the variant; nobody joins
    FINISHED = "finished"  # the first variant is everybody's


class Segment(StrEnum):
    ALL = "all"
    NEW = "new"
    RETURNING = "returning"
    MOBILE = "mobile"
    DESKTOP = "desktop"


class Variant(Model):
    """`percent` of the visitors in the segments; `value`: what the website multiplies with, where it does."""

    percent: int = Field(ge=0, le=100)
    value: float | None = None


class Experiment(Model):
    status: Status = Status.RUNNING
    segments: tuple[Segment, ...] = Field(default=(Segment.ALL,), min_length=1)
    variants: dict[Word, Variant] = Field(min_length=2)

    def document(self) -> dict[str, Any]:
        """As the function gets it in EXPERIMENTS: variants in the order of the settings."""
        return {"status": self.status.value, "segments": [segment.value for segment in self.segments],
                "variants": [{"name": name, **variant.model_dump(exclude_none=True)}
                             for name, variant in self.variants.items()]}
