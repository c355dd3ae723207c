"""The buckets of a stack (D3): assets, backups, logs and the static site's two colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from infra.settings import model
from infra.components.base import Component
from infra.components.bucket import Bucket, Replica


@dataclass(frozen=True)
class StorageArgs:
    """`replicas`: "assets" and "backups" may be replicated to a bucket in the recovery region."""

    settings: model.Storage
    lifecycle: model.Lifecycle
    account_id: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    replicas: Mapping[str, Replica] = field(default_factory=dict)


class Storage(Component):
    """All buckets. The assets and site buckets get their policy from `ServedBuckets`, which knows the distribution."""

    module = "storage"

    assets: Bucket
    backups: Bucket
    logs: Bucket
    site: Mapping[str, Bucket]  # by colour: "blue", "green"


@dataclass(frozen=True)
class ServedBucketsArgs:
    """`buckets`: a stable name → a bucket made with `attach_policy=False`."""

    buckets: Mapping[str, Bucket]
    distribution_arn: pulumi.Input[str]


class ServedBuckets(Component):
    """The policies of the buckets that one CloudFront distribution, and nobody else, reads by origin access control.

    Apart from `Storage`, because the distribution needs the buckets and their policies need the distribution.
    """

    module = "storage"
