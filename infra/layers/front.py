"""What the internet sees: names and certificates, firewalls, APIs, distributions, the operators' login."""

from __future__ import annotations

from dataclasses import dataclass

from infra.components.analytics.analytics import Analytics, AnalyticsArgs
from infra.components.analytics.custom_domain import CustomDomain
from infra.components.edge.delivery import Content, Delivery, DeliveryArgs
from infra.components.edge.edge import Edge, EdgeArgs
from infra.components.edge.operators import Login, LoginArgs
from infra.components.edge.site import ApiOrigin
from infra.components.storage import ServedBuckets, ServedBucketsArgs
from infra.layers.data import Data
from infra.layers.foundation import Foundation
from infra.layers.scope import Scope


@dataclass(frozen=True)
class Front:
    edge: Edge
    analytics: Analytics
    delivery: Delivery
    login: Login


def build(at: Scope, base: Foundation, data: Data) -> Front:
    settings, names = at.settings, at.names
    edge = Edge("edge", EdgeArgs(
        domain=settings.domain, edge=settings.edge, web_acl_name=names.web_acl, key_arn=base.keys.logs_key_arn,
        global_key_arn=base.edge_keys.logs_key_arn, aws_global=at.edge_provider,
        log_retention_days=at.log_retention_days), at.here)
    analytics = Analytics("analytics", AnalyticsArgs(
        prefix=names.prefix, environment=settings.environment, account_id=at.account, region=settings.region,
        settings=settings.analytics, experiments=settings.experiments, lifecycle=settings.lifecycle,
        origins=tuple(f"https://{host}" for hosts in (edge.hosts, edge.also) if hosts for host in hosts.site),
        rest_domain=CustomDomain(edge.hosts.rest, edge.regional_certificate_arn),
        websocket_domain=CustomDomain(edge.hosts.ws, edge.regional_certificate_arn),
        web_acl_arn=edge.regional_web_acl_arn, data_key_arn=base.keys.data_key_arn,
        logs_key_arn=base.keys.logs_key_arn, owns_account=settings.governance.owns_account_singletons,
        log_retention_days=at.log_retention_days), at.here)
    delivery = _delivery(at, data, edge)
    login = Login("login", LoginArgs(
        name=names.resource("operators"), hosts=edge.hosts,
        deletion_protection=settings.lifecycle.deletion_protection, protect=settings.lifecycle.protect), at.here)
    return Front(edge, analytics, delivery, login)


def _delivery(at: Scope, data: Data, edge: Edge) -> Delivery:
    """The distributions, and the buckets that only they may read."""
    storage, copies = data.storage, data.recovery_region
    delivery = Delivery("delivery", DeliveryArgs(
        edge=edge, settings=at.settings.edge, logs_bucket=storage.logs.domain_name,
        site_buckets={colour: Content(b.name, b.regional_domain_name) for colour, b in storage.site.items()},
        assets_bucket=Content(storage.assets.name, storage.assets.regional_domain_name),
        assets_replica=copies.buckets["assets"].regional_domain_name if copies else None,
        api=ApiOrigin(edge.hosts.rest), function_name=at.names.edge_function, account_id=at.account,
        aws_global=at.edge_provider), at.here)
    readers = list(delivery.distribution_arns.values())
    ServedBuckets("served-buckets", ServedBucketsArgs(
        buckets={"assets": storage.assets, **{f"site-{colour}": b for colour, b in storage.site.items()}},
        distribution_arns=readers), at.here)
    if copies is not None:
        ServedBuckets("served-replicas", ServedBucketsArgs(
            buckets={"assets": copies.buckets["assets"]}, distribution_arns=readers), at.recovery)
    return delivery
