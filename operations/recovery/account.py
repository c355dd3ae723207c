"""The account as recovery looks at it: two regions, what is the stack's, which keys can be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.plans.backup import owned_by
from infra.plans.names import Names
from infra.settings.model import Settings
from operations.aws import code

Clients = Callable[[str, str], Any]  # service, region → boto3's client


@dataclass
class Account:
    """away: the recovery region, or None for a stack that keeps nothing there."""

    stack: str
    settings: Settings
    clients: Clients
    _keys: dict[tuple[str, str], bool] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        return Names(self.settings.environment)

    @property
    def home(self) -> str:
        return self.settings.region

    @property
    def away(self) -> str | None:
        return self.settings.recovery_region if self.settings.backup.cross_region else None

    def owns(self, tags: Mapping[str, str]) -> bool:
        wanted = owned_by(self.settings.ownership.project, self.stack)
        return all(tags.get(key) == value for key, value in wanted.items())

    def usable(self, key: str | None, region: str) -> bool:
        """Whether what is encrypted with the key can be read. Without a key of our own there is nothing to lose."""
        if not key:
            return True
        if (key, region) not in self._keys:
            self._keys[key, region] = self._enabled(key, region)
        return self._keys[key, region]

    def _enabled(self, key: str, region: str) -> bool:
        try:
            found = self.clients("kms", region).describe_key(KeyId=key)
        except ClientError as error:
            if code(error) == "NotFoundException":
                return False
            raise
        return bool(found["KeyMetadata"]["KeyState"] == "Enabled")
