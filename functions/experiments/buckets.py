"""Visitors to buckets, buckets to variants.

A visitor's bucket is fixed: a hash of the experiment's name and the visitor, so that the buckets of two experiments
have nothing to do with each other. Which variant a bucket has is a plan. A new plan follows from the one before: only
buckets of variants that shrink change hands, and only as many as these lose, which is the fewest that any plan could
move. Without the plan before that is impossible: no fixed layout is at the least distance from all others at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import groupby

BUCKETS = 10_000  # a percent is 100 of them

Plan = tuple[str, ...]  # the variant of each bucket


def bucket(experiment: str, visitor: str) -> int:
    """Of the identifier itself, not of its hash under a key, which changes with the key."""
    digest = hashlib.sha256(f"{experiment}\0{visitor}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def first(percents: Mapping[str, float]) -> Plan:
    """The plan of an experiment that begins."""
    return tuple(variant for variant, size in sizes(percents).items() for _ in range(size))


def follow(plan: Plan, percents: Mapping[str, float]) -> Plan:
    """The plan that has the allocation and differs from `plan` in the fewest buckets."""
    wanted = sizes(percents)
    surplus = {variant: plan.count(variant) - wanted.get(variant, 0) for variant in set(plan) | wanted.keys()}
    takers = iter([variant for variant in wanted for _ in range(-surplus[variant])])
    changed: list[str] = []
    for variant in plan:
        if surplus[variant] > 0:
            surplus[variant] -= 1
            variant = next(takers)
        changed.append(variant)
    return tuple(changed)


def sizes(percents: Mapping[str, float]) -> dict[str, int]:
    """Buckets of each variant: what percentages that sum to 100 come to, by the largest remainder."""
    exact = {variant: percent * BUCKETS / 100 for variant, percent in percents.items()}
    found = {variant: int(size) for variant, size in exact.items()}
    for variant in sorted(exact, key=lambda each: found[each] - exact[each])[:BUCKETS - sum(found.values())]:
        found[variant] += 1
    if sum(found.values()) != BUCKETS:
        raise ValueError(f"the percentages {dict(percents)} do not sum to 100")
    return found


def moved(before: Plan, after: Plan) -> int:
    return sum(one != other for one, other in zip(before, after, strict=True))


def packed(plan: Plan) -> list[list[str | int]]:
    """Run lengths, as the table keeps them."""
    return [[variant, len(list(run))] for variant, run in groupby(plan)]


def unpacked(runs: Sequence[Sequence[str | int]]) -> Plan:
    return tuple(str(variant) for variant, length in runs for _ in range(int(length)))
