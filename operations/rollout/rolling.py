"""Rolling (O3): pods and traffic come by batches, with time between them; health is looked at all the while."""

from __future__ import annotations

from operations.rollout.shares import pods
from operations.rollout.staged import Staged


class Rolling(Staged):
    def wanted(self) -> int:
        """As many pods as the batch's share of the traffic takes; the first batch is deployed and checked before."""
        record = self.record
        return pods(record.replicas, record.percent)

    def pass_stage(self) -> None:
        self.gates.timed(self.record.entered, 60.0 * self.cluster.target.settings.rollout.batch_minutes, self.fitness)
