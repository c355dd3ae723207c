"""Origin groups: who is asked next (developer guide, "Optimize high availability with CloudFront origin failover")."""

from __future__ import annotations

from rehearsal.aws.cdn.model import Distribution, Group, Origin

METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # of others CloudFront never asks twice


def candidates(distribution: Distribution, target: str, method: str) -> tuple[Origin, ...]:
    """The origins in the order in which they are asked: one, or for some methods a group's."""
    group = distribution.groups.get(target)
    members = (target,) if group is None else group.members
    return tuple(distribution.origins[each] for each in (members if method in METHODS else members[:1]))


def fails_over(group: Group | None, status: int | None) -> bool:
    """status: the origin's, or None when it could not be reached or did not answer in time: that always counts."""
    return group is not None and (status is None or status in group.statuses)
