"""Canary (O2): each stage is passed by the judge, on requests of its own."""

from __future__ import annotations

from operations.rollout.staged import Staged


class Canary(Staged):
    def enter(self) -> None:
        if not self.record.stage:
            self._expose()
        super().enter()

    def pass_stage(self) -> None:
        self.gates.judged(self.fitness)

    def _expose(self) -> None:
        """What the first stage may cost, told before the first request; its weight, where that is to be limited."""
        record, stages = self.record, self.record.stages
        exposure = self.gates.exposure()
        self.say(exposure.text)
        if record.limited and exposure.allowed < record.percent:
            stages = (exposure.allowed, *stages[1:])
        self.journal.note(record.noted(f"stages: {exposure.text}", stages=stages, limited=False))
