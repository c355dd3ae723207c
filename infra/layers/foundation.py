"""What everything stands on: the permissions boundary, keys, topics for alarms, the budget, the network."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.components.boundary import Boundary, BoundaryArgs
from infra.components.governance.costs import Costs, CostsArgs
from infra.components.keys import Keys, KeysArgs
from infra.components.network import Network, NetworkArgs
from infra.components.operations.notifications import Notifications, NotificationsArgs, Place
from infra.layers.scope import Scope
from infra.plans.places import EDGE_REGION, zone_names


@dataclass(frozen=True)
class Foundation:
    """edge_keys: the keys of us-east-1; the same as `keys` where that is the environment's region."""

    keys: Keys
    edge_keys: Keys
    notifications: Notifications
    network: Network


def build(at: Scope) -> Foundation:
    settings, names = at.settings, at.names
    boundary = Boundary("boundary", BoundaryArgs(
        names.boundary, at.account, settings.environment, settings.stands_in_for), at.here)
    boundary.bound_all()
    protect = settings.lifecycle.protect
    keys = Keys("keys", KeysArgs(account_id=at.account, region=settings.region, protect=protect), at.here)
    edge_keys = keys if at.edge_provider is at.provider else Keys(
        "edge-keys", KeysArgs(account_id=at.account, region=EDGE_REGION, protect=protect),
        pulumi.ResourceOptions(providers=[at.edge_provider]))
    notifications = Notifications("notifications", NotificationsArgs(
        function_name=names.resource("notifications"), environment=settings.environment, account_id=at.account,
        here=Place(settings.region, at.provider, keys.logs_key_arn),
        edge=None if edge_keys is keys else Place(EDGE_REGION, at.edge_provider, edge_keys.logs_key_arn),
        data_key_arn=keys.data_key_arn, settings=settings.operations.notifications,
        secret_prefix=names.secret_prefix, dashboard_url=names.dashboard_url(settings.region),
        log_retention_days=at.log_retention_days, protect=protect), at.here)
    Costs("costs", CostsArgs(
        name=names.prefix, environment=settings.environment, monthly_budget_usd=settings.monthly_budget_usd,
        topic_arn=notifications.edge_alerts_topic_arn), at.here)
    network = Network("network", NetworkArgs(
        settings=settings.network, region=settings.region, logs_key_arn=keys.logs_key_arn,
        zone_names=settings.network.zones or zone_names(settings.region, settings.network.zone_count)), at.here)
    return Foundation(keys, edge_keys, notifications, network)
