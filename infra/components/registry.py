"""The image repositories of a stack (K9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.base import Component


@dataclass(frozen=True)
class RegistryArgs:
    """`repositories`: service → physical name (`candlefish-website-staging`).

    `replicate_to`: region of the replicas. The replication configuration is a singleton of the account and region:
    only one stack of an account may set it.
    """

    repositories: Mapping[str, str]
    data_key_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]
    force_delete: bool
    kept_images: int = 100
    replicate_to: str | None = None


class Registry(Component):
    """One ECR repository a service: immutable tags, scanned on push, encrypted, with a lifecycle."""

    module = "registry"

    repository_urls: Mapping[str, pulumi.Output[str]]
    repository_arns: Mapping[str, pulumi.Output[str]]
