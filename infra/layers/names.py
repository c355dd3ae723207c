"""Where the public names lead, and who shields what they lead to."""

from __future__ import annotations

from infra.components.edge.records import Records, RecordsArgs, Target
from infra.components.edge.shield import Shield, ShieldArgs
from infra.layers.front import Front
from infra.layers.platform import Platform
from infra.layers.scope import Scope


def build(at: Scope, front: Front, platform: Platform) -> Records:
    edge, analytics, delivery, workloads = front.edge, front.analytics, front.delivery, platform.workloads
    records = Records("records", RecordsArgs(
        hosts=edge.hosts, zone_id=edge.zone_id, site=delivery.site, static=delivery.static,
        load_balancer=Target(workloads.load_balancer_domain, workloads.load_balancer_zone_id),
        websocket=Target(analytics.websocket_alias.domain, analytics.websocket_alias.zone_id),
        rest=Target(analytics.rest_api_alias.domain, analytics.rest_api_alias.zone_id)), at.here)
    if at.settings.edge.shield_advanced:
        Shield("shield", ShieldArgs(name=at.settings.environment, resources={
            **delivery.distribution_arns, "front-door": workloads.load_balancer_arn}), at.here)
    return records
