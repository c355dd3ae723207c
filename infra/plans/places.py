"""Regions and their zones, as far as the settings must know them offline."""

from __future__ import annotations

# Availability zones open to every account (AWS global infrastructure page, 2026; us-east-1's sixth has no EKS).
ZONES: dict[str, int] = {
    "us-east-1": 6,
    "us-east-2": 3,
    "us-west-1": 2,
    "us-west-2": 4,
    "ca-central-1": 3,
    "eu-central-1": 3,
    "eu-west-1": 3,
    "eu-west-2": 3,
    "eu-west-3": 3,
    "eu-north-1": 3,
    "ap-northeast-1": 3,
    "ap-southeast-1": 3,
    "ap-southeast-2": 3,
    "ap-south-1": 3,
    "sa-east-1": 3,
}
EDGE_REGION = "us-east-1"  # where CloudFront's certificates and web ACLs must live


def zone_names(region: str, count: int) -> tuple[str, ...]:
    """`us-east-1a`, `us-east-1b`, … Which data centre a letter means differs between accounts."""
    return tuple(f"{region}{letter}" for letter in "abcdef"[:count])
