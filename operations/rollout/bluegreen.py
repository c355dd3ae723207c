"""Blue/green (O1): the idle colour gets the release, all traffic moves at once, the old colour stays for the hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from operations.rollout.model import Phase
from operations.rollout.steps import Steps


class BlueGreen(Steps):
    FORWARD = (Phase.PREPARE, Phase.MIGRATE, Phase.DEPLOY, Phase.CHECK, Phase.SWITCH, Phase.VERIFY, Phase.HOLD,
               Phase.RETIRE)

    def steps(self) -> Mapping[Phase, Callable[[], None]]:
        return {**super().steps(), Phase.SWITCH: self.switch, Phase.VERIFY: self.verify, Phase.HOLD: self.hold}

    def switch(self) -> None:
        self.room()
        self.turn(self.record.live, self.record.idle)

    def hold(self) -> None:
        left = self.record.held + self.hold_seconds - self.now()
        self.say(f"both colours stay for {max(0.0, left):.0f} s: `promote` ends the hold, `abort` goes back")
        self.gates.timed(self.record.held, self.hold_seconds, self.fitness)
