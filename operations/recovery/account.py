"""The account as recovery looks at it: two regions, what is the stack's, which keys can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.plans.backup import owned_by
from infra.plans.names import Names
from infra.settings.model import Settings

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


def pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """Every item of every page."""
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key) or ()


def code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def tags(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Of the form that most services have."""
    return {pair["Key"]: pair["Value"] for pair in pairs}
