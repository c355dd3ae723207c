"""The tables of the serverless side (D4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.settings import model

EXPIRY = "expiresAt"  # seconds since 1970; DynamoDB deletes an item within days of it
BACKUP_TAG = {"Backup": "daily"}  # the backup plan selects by it (D5)


@dataclass(frozen=True)
class Shape:
    """Keys as (partition key, sort key); all are strings. `stream`: what of an item a change carries, or None."""

    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stream: str | None = None

    @property
    def attributes(self) -> list[str]:
        return sorted({*self.key, *(part for key in self.indexes.values() for part in key)})


EVENTS, MEMORY, EXPERIMENTS, CONNECTIONS = (
    "analytics-events", "visitor-memory", "experiments", "websocket-connections")
TABLES: Mapping[str, Shape] = {
    EVENTS: Shape(("eventId",), {"by-visitor": ("visitorHash", "occurredAt")}, stream="NEW_IMAGE"),
    MEMORY: Shape(("visitorHash",)),
    # Beside assignments: counters, with `#count#{experiment}#{variant}` in place of a visitor.
    EXPERIMENTS: Shape(("visitorHash", "experiment")),
    # What a connection subscribes to; the connection itself has the metric `#connection`.
    CONNECTIONS: Shape(("metric", "connectionId")),
}


@dataclass(frozen=True)
class TablesArgs:
    """prefix: `{environment}-candlefish`."""

    prefix: str
    lifecycle: model.Lifecycle
    key_arn: pulumi.Input[str]


class Tables(Component):
    """On demand, encrypted, recoverable to any second of 35 days, in the backup plan, items expiring."""

    module = "analytics"

    names: Mapping[str, pulumi.Output[str]]  # by the word of TABLES
    arns: Mapping[str, pulumi.Output[str]]
    events_stream_arn: pulumi.Output[str]

    def __init__(self, name: str, args: TablesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        made = {word: self._table(f"{name}-{word}", f"{args.prefix}-{word}", shape, args)
                for word, shape in TABLES.items()}
        self.names = {word: table.name for word, table in made.items()}
        self.arns = {word: table.arn for word, table in made.items()}
        self.events_stream_arn = made[EVENTS].stream_arn
        self.register_outputs({"names": self.names, "arns": self.arns, "eventsStreamArn": self.events_stream_arn})

    def _table(self, name: str, physical: str, shape: Shape, args: TablesArgs) -> aws.dynamodb.Table:
        kinds = ("HASH", "RANGE")
        return aws.dynamodb.Table(
            name, name=physical, billing_mode="PAY_PER_REQUEST", hash_key=shape.key[0],
            range_key=shape.key[1] if len(shape.key) > 1 else None,
            attributes=[{"name": attribute, "type": "S"} for attribute in shape.attributes],
            global_secondary_indexes=[
                {"name": index, "projection_type": "ALL", "key_schemas": [
                    {"attribute_name": part, "key_type": kind} for part, kind in zip(key, kinds, strict=False)]}
                for index, key in shape.indexes.items()] or None,
            ttl={"attribute_name": EXPIRY, "enabled": True}, point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args.key_arn},
            stream_enabled=True if shape.stream else None, stream_view_type=shape.stream,
            deletion_protection_enabled=args.lifecycle.deletion_protection, tags=BACKUP_TAG,
            opts=self.child(protect=args.lifecycle.protect))
