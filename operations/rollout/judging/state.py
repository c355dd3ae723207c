"""What a judge remembers, as the rollout's journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from operations.rollout.judging.memory import Bucket
from operations.rollout.judging.sample import Sample
from operations.rollout.judging.sequential import Evidence
from operations.rollout.judging.verdict import Verdict

READINGS = 3  # of the frame rate: their median stands for it


@dataclass(frozen=True)
class Counts:
    requests: int = 0
    errors: int = 0
    slow: int = 0
    critical_log_errors: int = 0
    critical_animation_failures: int = 0

    def plus(self, sample: Sample) -> Counts:
        return Counts(self.requests + sample.requests, self.errors + sample.errors, self.slow + sample.slow,
                      self.critical_log_errors + sample.critical_log_errors,
                      self.critical_animation_failures + sample.critical_animation_failures)

    @property
    def error_share(self) -> float:
        return self.errors / self.requests if self.requests else 0.0

    @property
    def slow_share(self) -> float:
        return self.slow / self.requests if self.requests else 0.0


@dataclass
class State:
    """new, live: of the present stage; new_all, live_all: of the rollout. last: of the newest interval."""

    errors: Evidence
    slow: Evidence
    stage: int = 0
    seconds: float = 0.0
    new: Counts = Counts()
    live: Counts = Counts()
    new_all: Counts = Counts()
    live_all: Counts = Counts()
    last: Counts = Counts()
    fps_new: tuple[float, ...] = ()
    fps_live: tuple[float, ...] = ()
    memory: list[Bucket] = field(default_factory=list)
    final: Verdict | None = None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(replace(self, final=None)), "final": self.final.to_dict() if self.final else None}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> State:
        """Also from JSON, which has lists for tuples and keeps floats exactly."""
        def evidence(name: str) -> Evidence:
            return Evidence(**{**saved[name], "bad": tuple(saved[name]["bad"])})

        return cls(
            errors=evidence("errors"), slow=evidence("slow"), stage=saved["stage"], seconds=saved["seconds"],
            **{name: Counts(**saved[name]) for name in ("new", "live", "new_all", "live_all", "last")},
            fps_new=tuple(saved["fps_new"]), fps_live=tuple(saved["fps_live"]),
            memory=[Bucket(**bucket) for bucket in saved["memory"]],
            final=Verdict.from_dict(saved["final"]) if saved["final"] else None)
