"""The plans as the table keeps them: items `#plan` by experiment, so that every instance has the same.

When the settings change an allocation, the first instance of the new configuration writes the plan that follows. One
that was started before that has old settings and must not turn it back: it uses what is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.table import ConditionFailed, Item, Table

from .buckets import Plan, first, follow, packed, sizes, unpacked
from .catalogue import Experiment

KEY = "#plan"


@dataclass(frozen=True)
class Plans:
    """started: when this instance was, and now, both in seconds since 1970."""

    table: Table
    started: float
    now: float

    def load(self, experiments: Iterable[Experiment]) -> dict[str, Plan]:
        kept = {item["experiment"]: item for item in self.table.query("visitorHash = :plan", {":plan": KEY},
                                                                     consistent=True)}
        return {each.name: self._plan(each, kept.get(each.name)) for each in experiments}

    def _plan(self, experiment: Experiment, kept: Item | None) -> Plan:
        if kept is None:
            return self._write(experiment, first(experiment.percents), None)
        plan = unpacked(kept["runs"])
        wanted = {variant: size for variant, size in sizes(experiment.percents).items() if size}
        if wanted == {variant: plan.count(variant) for variant in set(plan)} or kept["changedAt"] > self.started:
            return plan
        return self._write(experiment, follow(plan, experiment.percents), kept["version"])

    def _write(self, experiment: Experiment, plan: Plan, seen: int | None) -> Plan:
        key = {"visitorHash": KEY, "experiment": experiment.name}
        item = {**key, "runs": packed(plan), "version": (seen or 0) + 1, "changedAt": self.now}
        try:
            if seen is None:
                self.table.put(item, "attribute_not_exists(visitorHash)")
            else:
                self.table.put(item, "version = :seen", {":seen": seen})
        except ConditionFailed:  # another instance was first
            kept = self.table.get(key)
            if kept is None:
                raise
            return unpacked(kept["runs"])
        return plan
