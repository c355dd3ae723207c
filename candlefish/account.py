"""boto3's clients as the commands use them."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

_PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3},
                   max_pool_connections=20)
_LONG_PATIENCE = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 6},
                        max_pool_connections=32)


def client(service: str, region: str) -> Any:
    """Signs in as boto3 does everywhere: environment, profile, role. A service that is away is told within a minute."""
    return boto3.client(service, region_name=region, config=_PATIENCE)


def restoring(service: str, region: str) -> Any:
    """For long work with many requests at once, which is not to end for a service that is busy."""
    return boto3.client(service, region_name=region, config=_LONG_PATIENCE)
