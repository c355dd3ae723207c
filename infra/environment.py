"""The composition root: the layers of an environment, from the ground up.

    foundation   boundary, keys, topics, budget, network
    compute      the cluster on that network
    data         database, cache, buckets, images, secrets, and their copies
    operations   rotation, cost findings, nights off
    front        names, certificates, firewalls, APIs, distributions, login
    platform     add-ons, services, the operators' tools
    names        where the public names lead
    watch        logs, alarms, dashboards, checks
    access       who may do what
"""

from __future__ import annotations

from infra.layers import access, compute, data, foundation, front, names, operations, platform, watch
from infra.layers.scope import Scope
from infra.outputs import Parts, outputs
from infra.settings.model import Settings


class Environment:
    """One whole environment of the platform. `outputs` is what operations need of it."""

    def __init__(self, settings: Settings) -> None:
        at = Scope(settings)
        base = foundation.build(at)
        cluster = compute.build(at, base)
        stores = data.build(at, base, cluster)
        routines = operations.build(at, base, cluster, stores)
        door = front.build(at, base, stores)
        inside = platform.build(at, base, cluster, stores, door)
        records = names.build(at, door, inside)
        eyes = watch.build(at, base, cluster, stores, routines, door, inside)
        roles = access.build(at, cluster, inside)
        self.outputs = outputs(Parts(settings, base, cluster, stores, door, inside, records, eyes, roles))
