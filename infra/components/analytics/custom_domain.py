"""Names of ours before APIs."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class CustomDomain:
    """certificate_arn: of the stack's region, issued, with the name on it."""

    name: str
    certificate_arn: pulumi.Input[str]


@dataclass(frozen=True)
class AliasTarget:
    """What the name's record points at. zone_id: of the hosted zone that API Gateway keeps."""

    domain: pulumi.Output[str]
    zone_id: pulumi.Output[str]
