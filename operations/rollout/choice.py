"""What was asked for, and what it comes to with the stack's settings: written down once, when a rollout begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operations.errors import NotAcceptable
from operations.rollout.model import OnHold, Readings, Strategy, Target
from operations.rollout.readings import acceptable
from operations.rollout.shares import batches

BY_CLOUDWATCH = (Readings.CLOUDWATCH, Readings.BOTH)


@dataclass(frozen=True)
class Choice:
    """None: as the settings say. prometheus: where it answers."""

    strategy: Strategy | None = None
    readings: Readings | None = None
    prometheus: str = ""
    on_hold: OnHold | None = None
    limit_exposure: bool | None = None

    def settled(self, target: Target, readable: bool = True) -> dict[str, Any]:
        """Fields of the record. readable: whether there is anything to read from. Raises NotAcceptable."""
        settings = target.settings.rollout
        strategy = self._strategy(target)
        readings = self._readings(target, readable)
        if strategy is Strategy.CANARY and readings is Readings.NONE:
            raise NotAcceptable("a canary is judged by readings: --readings cloudwatch, prometheus or both; without "
                                "any take --strategy blue-green or rolling")
        stages = {Strategy.BLUE_GREEN: (), Strategy.CANARY: tuple(map(float, settings.stages_percent)),
                  Strategy.ROLLING: batches(settings.batch_percent)}[strategy]
        limited = settings.limit_exposure if self.limit_exposure is None else self.limit_exposure
        return {"strategy": strategy, "stages": stages, "readings": readings, "prometheus": self.prometheus,
                "on_hold": self.on_hold or OnHold(settings.on_hold),
                "limited": limited and strategy is Strategy.CANARY}

    def _strategy(self, target: Target) -> Strategy:
        """A service without a front door has no weights: the settings' strategy is for those that have one."""
        if target.fronted:
            return self.strategy or Strategy(target.settings.rollout.strategy)
        if self.strategy in (Strategy.CANARY, Strategy.ROLLING):
            raise NotAcceptable(f"--strategy {self.strategy}: the front door does not reach {target.name} (it has no "
                                "`paths`), so that its traffic can't be shared out by weights; take --strategy "
                                "blue-green")
        return Strategy.BLUE_GREEN

    def _readings(self, target: Target, readable: bool) -> Readings:
        if not target.fronted and self.readings in BY_CLOUDWATCH:
            raise NotAcceptable(f"--readings {self.readings}: the load balancer counts nothing of {target.name}, which "
                                "the front door does not reach; take prometheus or none")
        wanted = self.readings or Readings(target.settings.rollout.readings)
        if not readable or (not target.fronted and wanted in BY_CLOUDWATCH):
            return Readings.NONE
        acceptable(wanted, self.prometheus)
        return wanted
