"""A bucket with everything that makes it safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.components.base import Component

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Replica:
    """Where the objects are replicated to: a versioned bucket and the key in its region."""

    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


@dataclass(frozen=True)
class BucketArgs:
    """`key_arn` None: SSE-S3, only for targets of access logs. `lock_days` is fixed at creation.

    `log_bucket` None: no access logs, only for the log bucket itself.
    `attach_policy` False: whoever owns the bucket attaches `policies.bucket_policy`, because S3 has one policy a bucket.
    """

    key_arn: pulumi.Input[str] | None
    log_bucket: pulumi.Input[str] | None
    noncurrent_days: int
    force_destroy: bool
    protect: bool
    expire_days: int | None = None
    glacier_days: int | None = None
    lock_days: int | None = None
    intelligent_tiering: bool = False
    accepts_acls: bool = False
    replica: Replica | None = None
    attach_policy: bool = True
    statements: Sequence[pulumi.Input[Statement]] = ()


class Bucket(Component):
    """A versioned, encrypted, private bucket that is reached over TLS only. The physical name is Pulumi's."""

    module = "storage"

    bucket_name: pulumi.Output[str]
    arn: pulumi.Output[str]
    regional_domain_name: pulumi.Output[str]
