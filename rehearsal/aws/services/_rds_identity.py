"""Which instance a resource id means.

Pulumi's id of an instance is its resource id (`db-` and 26 capitals or digits), which survives a new identifier.
moto 5.2.5 gives every instance the same one, so ours are drawn here and kept beside the emulator.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from rehearsal.aws.handler import Call, Reference
from rehearsal.aws.services._convert import found

GONE = ("DBInstanceNotFound", "DBInstanceNotFoundFault")
_KEPT = "aws:rds/instance:resourceId"


def remember(call: Call, identifier: str, id: str | None = None) -> str:
    """Binds the identifier to a resource id, to a new one if none is given; returns it."""
    drawn = hashlib.sha256(f"{call.account}:{call.region}:{call.context.operation}:{identifier}".encode()).digest()
    chosen = id if id is not None and _is_resource_id(id) else "db-" + base64.b32encode(drawn).decode()[:26]
    call.kept.put(call.account, call.region, _KEPT, chosen, {"identifier": identifier})
    return chosen


def forget(call: Call, id: str) -> None:
    call.kept.delete(call.account, call.region, _KEPT, id)


def resource_id(call: Call, identifier: str) -> str:
    """Of an instance that the rehearsal did not make itself: drawn from its identifier, always the same."""
    for id, properties in call.kept.list(call.account, call.region, _KEPT):
        if properties["identifier"] == identifier:
            return id
    drawn = hashlib.sha256(f"{call.account}:{call.region}:{identifier}".encode()).digest()
    return "db-" + base64.b32encode(drawn).decode()[:26]


def describe(call: Call, id: str) -> dict[str, Any] | None:
    """By resource id, or by identifier, which an import may use."""
    bound = call.kept.get(call.account, call.region, _KEPT, id) if _is_resource_id(id) else None
    name = bound["identifier"] if bound else id
    answer = found(lambda: call.client("rds").describe_db_instances(DBInstanceIdentifier=name), *GONE)
    return answer["DBInstances"][0] if answer and answer["DBInstances"] else None


def _is_resource_id(id: str) -> bool:
    return re.fullmatch(r"db-[A-Z0-9]{2,255}", id) is not None


def instance_exists(property: str, value: str) -> Reference:
    name = value.rsplit(":", 1)[-1]
    region = value.split(":")[3] if value.startswith("arn:") else None
    return Reference(property, value, lambda call: found(
        lambda: call.client("rds", region).describe_db_instances(DBInstanceIdentifier=name), *GONE) is not None)
