"""The hosted zone and the names in it (E6, N2)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans.edge import Hosts
from infra.settings import model


@dataclass(frozen=True)
class ZoneArgs:
    """aws_global: provider in us-east-1, where a created zone's signing key and query log must live."""

    domain: model.Domain
    aws_global: aws.Provider
    log_key_arn: pulumi.Input[str]
    log_retention_days: int = 365


class Zone(Component):
    """The zone of `domain.name`: looked up, or created with DNSSEC and query logs."""

    module = "edge"

    zone_id: pulumi.Output[str]

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        raise NotImplementedError


@dataclass(frozen=True)
class RecordsArgs:
    """Where the names point: apex and www at CloudFront, api and origin at the load balancer."""

    hosts: Hosts
    zone_id: pulumi.Input[str]
    distribution_domain: pulumi.Input[str]
    distribution_zone_id: pulumi.Input[str]
    load_balancer_domain: pulumi.Input[str]
    load_balancer_zone_id: pulumi.Input[str]


class Records(Component):
    """A and AAAA aliases of the public names."""

    module = "edge"

    names: tuple[str, ...]

    def __init__(self, name: str, args: RecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        raise NotImplementedError
