"""Clients of the emulated AWS, as the add-ons' roles would have them: one account, one region, one endpoint."""

from __future__ import annotations

import os
import threading
from typing import Any

import botocore.session
from botocore.config import Config


class Aws:
    """botocore clients; they block and are used through `asyncio.to_thread`."""

    def __init__(self, endpoint: str, account: str, region: str) -> None:
        self.endpoint, self.account, self.region = endpoint, account, region
        # Without the user's profiles: nothing here can reach a real account.
        self._session = botocore.session.Session()
        for name in ("config_file", "credentials_file"):
            self._session.set_config_variable(name, os.devnull)
        self._session.set_config_variable("profile", None)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        with self._lock:  # building a client is not safe from several threads, using one is
            if service not in self._clients:
                self._clients[service] = self._session.create_client(
                    service, region_name=self.region, endpoint_url=self.endpoint,
                    aws_access_key_id=self.account,  # the emulators take 12 digits for the account
                    aws_secret_access_key="test",
                    config=Config(retries={"total_max_attempts": 2}, connect_timeout=2, read_timeout=10, proxies={},
                                  max_pool_connections=16, ignore_configured_endpoint_urls=True))
            return self._clients[service]
