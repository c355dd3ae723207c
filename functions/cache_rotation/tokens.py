"""The cache's AUTH tokens: ElastiCache's ROTATE puts a token beside the one that is there, SET leaves one alone.

ElastiCache accepts two tokens at most; a ROTATE on top of two drops the older. It shows neither, so the secret
remembers: while the cache accepts a second token, the label BESIDE is on the version whose token that is. Whenever it
is found before a ROTATE, a SET of the current token comes first: nothing can push the current token out, wherever a
rotation was interrupted or given up. ("Modifying the AUTH token on an existing cluster", ElastiCache user guide.)

The function isn't in the VPC, so it doesn't log in to the cache: the control plane says when the nodes have a token.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from rotation.steps import CURRENT, PENDING, Document, RotationError, Secret

BESIDE = "CACHE_BESIDE"
TOKEN_LENGTH = 64  # 16 to 128 printable characters
_POLL_SECONDS = 10.0
_ALPHABET = string.ascii_letters + string.digits


def draw() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))


@dataclass(frozen=True)
class Cache:
    """A replication group. `client`: boto3's; `remaining_seconds`: until the function is stopped."""

    client: Any
    group: str
    remaining_seconds: Callable[[], float]
    sleep: Callable[[float], None]

    def update(self, token: str, strategy: str) -> None:
        """Returns when all nodes have it."""
        self.wait()
        self.client.modify_replication_group(ReplicationGroupId=self.group, AuthToken=token,
                                             AuthTokenUpdateStrategy=strategy, ApplyImmediately=True)
        self.wait()

    def wait(self) -> None:
        """Raises RotationError when time runs out before the group is at rest; the step is then tried again."""
        while not self.at_rest():
            if self.remaining_seconds() < 2 * _POLL_SECONDS:
                raise RotationError(f"{self.group} is still being modified")
            self.sleep(_POLL_SECONDS)

    def at_rest(self) -> bool:
        (group,) = self.client.describe_replication_groups(ReplicationGroupId=self.group)["ReplicationGroups"]
        pending = group.get("PendingModifiedValues") or {}
        return group["Status"] == "available" and not pending.get("AuthTokenStatus")


class TokenRotation:
    """`version`: the one that is to become current."""

    def __init__(self, secret: Secret, version: str, cache: Cache, new_token: Callable[[], str] = draw) -> None:
        self._secret = secret
        self._version = version
        self._cache = cache
        self._new_token = new_token

    def create(self, current: Document) -> Document:
        token = self._new_token()
        return {**current, "auth_token": token, "url": _with_token(current["url"], token)}

    def set(self, current: Document, pending: Document) -> None:
        if self._secret.version_at(BESIDE) is not None:
            self._cache.update(current["auth_token"], "SET")
        self._secret.move(BESIDE, self._version)
        self._cache.update(pending["auth_token"], "ROTATE")

    def test(self, current: Document, pending: Document) -> None:
        if not self._cache.at_rest():
            raise RotationError("the cache is being modified: not all of its nodes may have the token")
        if self._secret.version_at(BESIDE) != self._version:
            raise RotationError("the cache was not given the token")
        if pending["auth_token"] not in pending["url"]:
            raise RotationError("url and auth_token disagree")


def settle(secret: Secret, cache: Cache, overlap_seconds: float, now: float) -> str:
    """Ends the acceptance of the former token once everyone has had time to read the current one. To be called every
    day; returns what it did in words."""
    beside = secret.version_at(BESIDE)
    if beside is None:
        return "one token only"
    pending = secret.version_at(PENDING)
    if pending is not None and pending != secret.version_at(CURRENT):
        return "a rotation is under way"
    created = secret.client.get_secret_value(SecretId=secret.id, VersionStage=CURRENT)["CreatedDate"]
    rotated = secret.client.describe_secret(SecretId=secret.id).get("LastRotatedDate") or created
    if now - max(created, rotated).timestamp() < overlap_seconds:
        return "both tokens are still needed"
    cache.update(secret.needed(CURRENT)["auth_token"], "SET")
    secret.move(BESIDE, None)
    return "the former token is refused from now on"


def _with_token(url: str, token: str) -> str:
    """`rediss://:token@host:port/0`."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f":{token}@{place}"))
