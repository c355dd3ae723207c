"""Traffic by stages: the front door's weights move to the new colour share by share, the selector with the last one.

The old colour keeps all its pods until the end, so that each stage is undone by one write.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace

from operations.rollout.model import Phase, Wish
from operations.rollout.shares import weights
from operations.rollout.steps import DATA_PLANE_SECONDS, Steps


class Staged(Steps, ABC):
    FORWARD = (Phase.PREPARE, Phase.MIGRATE, Phase.DEPLOY, Phase.CHECK, Phase.STAGES, Phase.RETIRE)

    def steps(self) -> Mapping[Phase, Callable[[], None]]:
        return {**super().steps(), Phase.STAGES: self.stages}

    @abstractmethod
    def pass_stage(self) -> None:
        """Returns when the next stage may begin. Raises Failed and Held."""

    def stages(self) -> None:
        while True:
            if not self.record.entered:
                self.enter()
            self.pass_stage()
            if self.record.last_stage:
                return
            self.journal.note(replace(self.record, stage=self.record.stage + 1, entered=0.0, wish=Wish.NONE))
            self.told()

    def enter(self) -> None:
        """The stage's weights, once there are pods for them, until the data plane is seen to follow."""
        record = self.record
        self.room()
        self.healthy(record.idle, DATA_PLANE_SECONDS)
        before, wanted = weights(record.idle, record.percent_before), weights(record.idle, record.percent)
        colour = record.idle if record.last_stage else record.live
        self.point(wanted, colour, weights_from=(before,), colour_from=(record.live,))
        self.followed(wanted, colour, DATA_PLANE_SECONDS)
        if record.last_stage:
            self.verify()
        self.journal.note(self.record.noted(f"stages: {record.percent:g} % on {record.idle}, {self.record.grown} pods",
                                             entered=self.now()))
