"""Whose database has what, before traffic goes from one stack to another.

Nobody replicates between the two: the one that takes over was restored from a point of the other. What the other has
written since is not in it. That is the loss D6 allows when a region is gone, and none that happens unasked when it is
not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.plans.pods import switch_name
from infra.settings.model import Settings
from kube.client import ApiError, Client, KubeconfigError, NotFound
from operations.errors import OperationError
from operations.patience import patiently
from operations.recovery import databases
from operations.recovery.account import Account

READ_ONLY = "READ_ONLY"
_UNREACHABLE = (OperationError, ApiError, KubeconfigError, BotoCoreError, ClientError)


@dataclass(frozen=True)
class Side:
    """One of the two stacks. cluster: raises when it can't be reached."""

    account: Account
    cluster: Callable[[], Client]

    @property
    def settings(self) -> Settings:
        return self.account.settings


def lacking(source: Side, target: Side, *, gone: bool) -> list[str]:
    """Why the target may lack what the source has written: sentences, none when it can't. gone: a source that does not
    answer, or has no database any more, is what this is for; otherwise nobody can tell what it has written."""
    there = _instance(target)
    if isinstance(there, str):
        return [f"{_name(target)} has no database to take over with: {there}"]
    here = _instance(source)
    if isinstance(here, str):
        return [] if gone else [f"nobody can tell what {_name(source)} has written: {here}"]
    since = _silent_since(source)
    if isinstance(since, str):
        return [f"{_name(source)} may still write: {since}. What it writes from now on would not be in "
                f"{_name(target)}; first `candlefish switch read-only on --stack {_name(source)}`, then bring "
                f"{_name(target)}'s database to it (docs/recovery.md)"]
    made = there["InstanceCreateTime"]
    if made < since:
        return [f"{_name(target)}'s database was made at {made:%Y-%m-%d %H:%M:%S} UTC, and {_name(source)} wrote until "
                f"{since:%Y-%m-%d %H:%M:%S} UTC: restore it from a point after that first"]
    return []


def _name(side: Side) -> str:
    return side.account.stack


def _instance(side: Side) -> dict[str, Any] | str:
    """The stack's database, or why there is none to be had."""
    name = side.account.names.resource("db")
    try:
        found = databases.instance(side.account.clients("rds", side.account.home), name)
    except ClientError as error:
        return f"{side.account.home} answers {error}"
    except BotoCoreError as error:
        return f"{side.account.home} does not answer ({error})"
    if found is None:
        return f"there is no instance {name}"
    if found["DBInstanceStatus"] not in ("available", "backing-up", "modifying"):
        return f"{name} is {found['DBInstanceStatus']}"
    return found


def _silent_since(side: Side) -> datetime | str:
    """When READ_ONLY was turned on, or why that can't be said."""
    switched = [service for service in side.settings.services if READ_ONLY in service.switches]
    if not switched:
        return "none of its services has a switch READ_ONLY"
    try:
        with side.cluster() as client:
            found = [patiently(partial(client.get, "v1", "ConfigMap", switch_name(service, READ_ONLY),
                                       side.settings.cluster.namespace)) for service in switched]
    except NotFound as error:
        return str(error)
    except _UNREACHABLE as error:
        return f"its cluster does not answer ({error})"
    off = [each["metadata"]["name"] for each in found if each["data"].get(READ_ONLY) != "true"]
    if off:
        return f"{', '.join(off)} is not on"
    return max(datetime.fromisoformat(entry["time"]) for each in found for entry in each["metadata"]["managedFields"]
               if entry.get("time"))
