"""boto3's clients, loaded at the first call: an import of boto3 is most of a cold start."""

from __future__ import annotations

from functools import cache
from typing import Any

CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0


@cache
def client(service: str, endpoint: str | None = None, connections: int = 10) -> Any:
    """One client a service and instance. It does not retry: `common.retries` does, for all errors in one way."""
    import boto3
    from botocore.config import Config

    return boto3.client(service, endpoint_url=endpoint, config=Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, max_pool_connections=connections,
        retries={"total_max_attempts": 1, "mode": "standard"}))
