"""How much a stack is expected to be used: a size, and single quantities that are known better."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from infra.settings.base import Model

Size = Literal["small", "medium", "large"]


class Quantity(StrEnum):
    """By month, unless it says an average. What nobody has measured is assumed: `candlefish cost report` tells how far
    a month was from it."""

    NODES = "nodesPercent"  # average of the nodes between the groups' `desired` (0) and `maximum` (100)
    NAT = "natGb"  # through the NAT gateways
    ENDPOINTS = "endpointGb"  # through the interface endpoints
    ZONES = "zoneGb"  # between zones; paid on both sides
    OUT = "outGb"  # to the internet past CloudFront: api, ws
    BALANCER = "lcu"  # average load balancer capacity units
    LOGS = "logGb"  # to CloudWatch, flow logs and firewall's among them
    LOGS_KEPT = "logKeptGb"
    OBJECTS = "objectGb"  # in the region's buckets
    OBJECTS_COPIED = "objectCopiedGb"  # in the recovery region's
    OBJECT_WRITES = "objectWritesThousands"
    OBJECT_READS = "objectReadsThousands"
    DATABASE_BACKUPS = "databaseBackupGb"  # beyond the database's own size, which is included
    BACKUP_COPIES = "backupCopiedGb"  # of databases and tables, in the recovery region
    IMAGES = "imageGb"
    METRICS = "customMetrics"
    KEY_CALLS = "keyCallsTenThousands"
    SECRET_READS = "secretReadsTenThousands"
    NAMES = "nameQueriesMillions"
    AUDITED = "auditedEventsMillions"  # what GuardDuty reads of the trail
    FLOWS = "flowGb"  # flow and name logs that GuardDuty reads
    CONFIG_ITEMS = "configItems"
    CONFIG_CHECKS = "configEvaluations"
    SECURITY_CHECKS = "securityChecks"
    SESSIONS = "sessions"  # of visitors
    EVENTS = "eventsPerSession"
    REQUESTS = "requestsPerSession"  # of the REST API
    CALLS = "functionCallsPerSession"
    CALL_SIZE = "gbSecondsPerCall"
    DELIVERED = "deliveredMbPerSession"  # by CloudFront
    DELIVERIES = "deliveriesPerSession"  # HTTPS requests
    TABLES = "tableGb"
    LOGS_OF_CALLS = "logKbPerCall"
    TRACES = "tracesPerThousandCalls"


class Usage(Model):
    """`size`: the column of the table in infra/plans/usage.yaml. `known`: quantities of this stack in its place."""

    size: Size = "medium"
    known: dict[Quantity, Annotated[float, Field(ge=0, le=1e12)]] = Field(default_factory=dict)
