"""All controls, a table for each group of services."""

from __future__ import annotations

from policy.controls import (
    buckets,
    cluster,
    databases,
    edge,
    functions,
    governance,
    identity,
    keys,
    kubernetes,
    names,
    network,
)
from policy.model import Control

CONTROLS: tuple[Control, ...] = tuple(
    control for module in (network, cluster, databases, edge, functions, buckets, keys, identity, governance, names,
                           kubernetes) for control in module.CONTROLS)
BY_ID: dict[str, Control] = {id: control for control in CONTROLS for id in control.ids}
