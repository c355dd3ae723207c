"""Replacements that depend on the values: what the provider decides in a CustomizeDiff rather than in its schema.

A condition gets the inputs before and after; it is asked only about a property that differs. A value that is not known
yet counts as one that does not force a replacement, as in the provider's own preview.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Inputs: TypeAlias = Mapping[str, Any]
Condition: TypeAlias = Callable[[Inputs, Inputs, str], bool]


def _at(inputs: Inputs, path: str) -> Any:
    """The value at a path without indices; of a list the first item, as those blocks hold one."""
    value: Any = inputs
    for part in path.split("."):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _removed(old: Inputs, new: Inputs, path: str) -> bool:
    return bool(_at(old, path)) and _at(new, path) in (None, [], {})


def _was_set(old: Inputs, new: Inputs, path: str) -> bool:
    """A value that was there changes, within a block that stays."""
    block, _, _ = path.rpartition(".")
    return bool(_at(old, path)) and _at(new, block) is not None and _at(old, path) != _at(new, path)


def _another_owner(old: Inputs, new: Inputs, path: str) -> bool:
    """A given owner changes or goes; naming the bucket's own for the first time is no change."""
    return bool(_at(old, path))


def _back_to_aws(old: Inputs, new: Inputs, path: str) -> bool:
    """Changing from `CUSTOMER_ROUTED` back to `AWS_MANAGED`."""
    return (_at(old, path), _at(new, path) or "AWS_MANAGED") == ("CUSTOMER_ROUTED", "AWS_MANAGED")


def _not_an_interface(old: Inputs, new: Inputs, path: str) -> bool:
    return bool(_at(new, "vpcEndpointType") != "Interface")


def _not_redis_to_valkey(old: Inputs, new: Inputs, path: str) -> bool:
    if _at(new, "globalReplicationGroupId") or not isinstance(_at(new, path), str):
        return False
    return (_at(old, path) or "redis", _at(new, path)) not in (("redis", "valkey"), ("redis", "redis"))


def _downgrade(old: Inputs, new: Inputs, path: str) -> bool:
    before, after = _version(_at(old, path)), _version(_at(new, path))
    shared = min(len(before), len(after))
    return after[:shared] < before[:shared]


def _before_7_0_5(old: Inputs, new: Inputs, path: str) -> bool:
    version = _version(_at(new, "engineVersion"))
    return version < (7, 0, 5)[:len(version)]


def _version(text: Any) -> tuple[int, ...]:
    """`6.2` as (6, 2), `7.x` as (7,); of what is not a version, nothing."""
    match = re.match(r"\d+(?:\.\d+)*", text) if isinstance(text, str) else None
    return tuple(int(part) for part in match[0].split(".")) if match else ()


# Sources: eks/cluster.go@00555dc5b3, ec2/vpc_endpoint.go@008db85aad, s3/bucket_acl.go@00a35305dc,
# elasticache/replication_group.go@001b6364c1 with elasticache/engine_version.go (found by its text), each under
# internal/service of terraform-provider-aws; the egress mode and transit encryption: docstrings of pulumi-aws 7.51.1.
CONDITIONS: Mapping[str, Condition] = {
    "removed": _removed, "another-owner": _another_owner, "was-set": _was_set, "egress-back-to-aws": _back_to_aws,
    "not-an-interface": _not_an_interface, "not-redis-to-valkey": _not_redis_to_valkey, "downgrade": _downgrade,
    "before-7.0.5": _before_7_0_5}
