"""Who has which variant, and what has been counted. An assignment and its count change together or not at all.

Items of a visitor, by experiment: variant, variants (all that were ever seen), goals (reached, each once),
assignedAt, expiresAt. Counters: `#count#{experiment}#{variant}` with a shard as the sort key, attributes `visitors`
and one for each goal: one item would be as slow as its slowest second.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.retries import Retries, Unavailable
from common.table import ConditionFailed, Item, Table

from .buckets import Plan, bucket
from .catalogue import Experiment, Status

SHARDS = 8
ATTEMPTS = 4  # when two requests of one visitor meet


def counter(experiment: str, variant: str) -> str:
    return f"#count#{experiment}#{variant}"


@dataclass(frozen=True)
class Participants:
    table: Table
    retention: timedelta
    now: datetime
    retries: Retries

    def find(self, hashes: Sequence[str]) -> dict[str, Item]:
        """By experiment. What is found under a former key is moved to the current one."""
        for hash in hashes:
            items = {item["experiment"]: item for item in self.table.query(
                "visitorHash = :hash", {":hash": hash}, consistent=True) if item["expiresAt"] > self._seconds()}
            if items and hash != hashes[0]:
                return self._move(items, hash, hashes[0])
            if items:
                return items
        return {}

    def assign(self, visitor: str, hashes: Sequence[str], segments: frozenset[str],
               experiments: Mapping[str, Experiment], plans: Mapping[str, Plan]) -> dict[str, str]:
        """The visitor's variant in each experiment in which they take part."""
        for attempt in range(1, ATTEMPTS + 1):
            there = self.find(hashes)
            variants: dict[str, str] = {}
            actions: list[Item] = []
            for name, experiment in experiments.items():
                variant, writes = self._variant(visitor, hashes[0], experiment, plans[name], there.get(name), segments)
                actions += writes
                if variant is not None:
                    variants[name] = variant
            try:
                if actions:
                    self.table.transact(actions)
                return variants
            except ConditionFailed:
                self.retries.sleep(self.retries.wait(attempt))
        raise Unavailable("other requests of the same visitor were always first")

    def reach(self, hashes: Sequence[str], goal: str, experiments: Mapping[str, Experiment]) -> dict[str, bool]:
        """Counts a goal in each experiment in which the visitor takes part, once. False: it was counted before."""
        reached: dict[str, bool] = {}
        for name, item in self.find(hashes).items():
            if name in experiments and experiments[name].status in (Status.RUNNING, Status.PAUSED):
                reached[name] = self._reach(item, goal)
        return reached

    def _reach(self, item: Item, goal: str) -> bool:
        key = {"visitorHash": item["visitorHash"], "experiment": item["experiment"]}
        try:
            self.table.transact([
                self.table.update_action(key, "ADD goals :goals",
                                         {":goals": {goal}, ":goal": goal, ":variant": item["variant"]},
                                         "variant = :variant AND NOT contains(goals, :goal)"),
                self._count(item["experiment"], item["variant"], item["visitorHash"], f"goal_{goal}")])
        except ConditionFailed:
            now = self.table.get(key)
            if now is None or goal in now.get("goals", ()):  # erased in between, or counted
                return False
            return self._reach(now, goal)  # moved to another variant in between
        return True

    def _variant(self, visitor: str, hash: str, experiment: Experiment, plan: Plan, there: Item | None,
                 segments: frozenset[str]) -> tuple[str | None, list[Item]]:
        """The variant (None: takes no part), and what must be written for it."""
        match experiment.status:
            case Status.DRAFT:
                return None, []
            case Status.FINISHED:
                return experiment.control, []
            case Status.PAUSED:
                return (there["variant"] if there else None), []
        if there is None and not experiment.takes(segments):
            return None, []
        variant = plan[bucket(experiment.name, visitor)]
        if there is None:
            return variant, self._join(hash, experiment.name, variant)
        if there["variant"] != variant:
            return variant, self._change(there, variant)
        if there["expiresAt"] - self._seconds() < self.retention.total_seconds() / 2:
            return variant, [self.table.update_action(
                {"visitorHash": hash, "experiment": experiment.name}, "SET expiresAt = :later",
                {":later": self._later()}, "attribute_exists(visitorHash)")]
        return variant, []

    def _join(self, hash: str, experiment: str, variant: str) -> list[Item]:
        item = {"visitorHash": hash, "experiment": experiment, "variant": variant, "variants": {variant},
                "assignedAt": self._seconds(), "expiresAt": self._later()}
        return [self.table.put_action(item, "attribute_not_exists(visitorHash) OR expiresAt <= :now",
                                      {":now": self._seconds()}),
                self._count(experiment, variant, hash, "visitors")]

    def _change(self, there: Item, variant: str) -> list[Item]:
        """The plan has moved the visitor. Each variant counts a visitor that has ever seen it."""
        writes = [self.table.update_action(
            {"visitorHash": there["visitorHash"], "experiment": there["experiment"]},
            "SET variant = :variant, expiresAt = :later ADD variants :variants",
            {":variant": variant, ":variants": {variant}, ":later": self._later(), ":seen": there["variant"]},
            "variant = :seen")]
        if variant not in there["variants"]:
            writes.append(self._count(there["experiment"], variant, there["visitorHash"], "visitors"))
        return writes

    def _count(self, experiment: str, variant: str, hash: str, what: str) -> Item:
        shard = f"{zlib.crc32(hash.encode()) % SHARDS:02d}"
        return self.table.update_action({"visitorHash": counter(experiment, variant), "experiment": shard},
                                        "ADD #what :one", {":one": 1}, names={"#what": what})

    def _move(self, items: Mapping[str, Item], hash: str, current: str) -> dict[str, Item]:
        moved = {name: {**item, "visitorHash": current} for name, item in items.items()}
        try:
            self.table.transact([action for name, item in items.items() for action in (
                self.table.put_action(moved[name], "attribute_not_exists(visitorHash)"),
                self.table.delete_action({"visitorHash": hash, "experiment": name}, "variant = :seen",
                                         {":seen": item["variant"]}))])
        except ConditionFailed:  # another request has moved them, or some of them
            return {item["experiment"]: item for item in self.table.query(
                "visitorHash = :hash", {":hash": current}, consistent=True)} or dict(items)
        return moved

    def _seconds(self) -> int:
        return int(self.now.timestamp())

    def _later(self) -> int:
        return int((self.now + self.retention).timestamp())
