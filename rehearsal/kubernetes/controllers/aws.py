"""Clients of the emulated AWS, as the add-ons' roles would have them: one account, one region, one endpoint."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config


class Aws:
    """boto3 clients; they block and are used through `asyncio.to_thread`."""

    def __init__(self, endpoint: str, account: str, region: str) -> None:
        self.endpoint, self.account, self.region = endpoint, account, region
        # MiniStack takes a key id of 12 digits for the account; the gateway does the same for moto.
        self._session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        with self._lock:  # building a client is not safe from several threads, using one is
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.endpoint,
                    config=Config(retries={"total_max_attempts": 2}, connect_timeout=2, read_timeout=10,
                                  max_pool_connections=16, parameter_validation=True))
            return self._clients[service]
