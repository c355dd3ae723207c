"""Settings as the components see them. Frozen; built and validated by `infra.settings.load`.

Keys in the stack files are the camelCase of these names (`candlefish:network` → `zoneCount`).
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from infra.settings import kinds
from infra.settings.analytics import Analytics
from infra.settings.backup import Backup
from infra.settings.base import Model
from infra.settings.experiments import Experiment, Word
from infra.settings.governance import Governance
from infra.settings.judging import Judging
from infra.settings.kinds import (
    Days,
    FilePath,
    Label,
    LabelKey,
    LabelValue,
    LogDays,
    RoleArn,
    Tag,
    Text,
    UrlPath,
    Variable,
)
from infra.settings.observability import Observability
from infra.settings.operations import Operations
from infra.settings.platform import Addons, Registry
from infra.settings.usage import Usage
from infra.settings.workloads import Workloads

_TIME = r"([01]\d|2[0-3]):[0-5]\d"  # UTC
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)"


class Environment(StrEnum):
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"
    RECOVERY = "recovery"


class Capacity(StrEnum):
    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"


class Ownership(Model):
    """Tags that every resource carries (E5), with Environment, Component and Stack added by the program."""

    project: Tag = "candlefish"
    owner: Tag
    cost_center: Tag


class Domain(Model):
    name: kinds.Domain = "candlefish.ai"  # zone apex
    prefix: Label | Literal[""] = ""  # "staging" → staging.candlefish.ai, api.staging.candlefish.ai; empty: the apex
    create_zone: bool = False  # False: the zone is looked up
    also_serves: kinds.Domain | Literal[""] = ""  # apex of the stack that this one can stand in for: "candlefish.ai"


class Network(Model):
    cidr: IPv4Network
    zone_count: int = Field(default=3, ge=2, le=4)
    zones: tuple[str, ...] = ()  # names, where the first letters do not do; empty: region + a, b, c …
    nat_gateway_count: int = Field(default=1, ge=1)
    interface_endpoints: tuple[str, ...] = ()  # "ecr.api", "ecr.dkr", "secretsmanager", "sts", "logs"
    flow_log_retention_days: LogDays = 365


class NodeGroup(Model):
    instance_types: tuple[str, ...] = Field(min_length=1)
    capacity: Capacity = Capacity.ON_DEMAND
    minimum: int = Field(default=2, ge=0)
    maximum: int = Field(default=10, ge=1, le=450)  # nodes of a managed group (EKS quotas)
    desired: int = Field(default=2, ge=0)  # initial only; operations own it afterwards
    disk_gib: int = Field(default=50, ge=20, le=16_384)
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)


class Cluster(Model):
    version: str = Field(default="1.34", pattern=r"^1\.\d\d$")
    public_access_cidrs: tuple[IPv4Network, ...] = ()  # empty: the API endpoint is private only
    node_groups: dict[Label, NodeGroup] = Field(min_length=1)
    log_retention_days: LogDays = 365
    service_cidr: IPv4Network = IPv4Network("172.20.0.0/16")
    administrators: tuple[RoleArn, ...] = ()  # ARNs of IAM roles that get cluster-admin access entries
    namespace: Label  # candlefish-dev, candlefish-staging, candlefish-prod


class RestorePoint(Model):
    """Create the database from what is left of another. Exactly one of snapshot and source."""

    snapshot_id: str | None = None
    source_instance_id: str | None = None
    at: str | None = None  # RFC 3339; None with source_instance_id: the latest restorable time


class Database(Model):
    engine_version: str = Field(default="16", pattern=r"^\d{2}$")  # major only: AWS applies minor upgrades by itself
    major_upgrade: bool = False  # lets a change of engine_version go up a major, in place; off again afterwards
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    storage_gib: int = Field(default=50, ge=20, le=65_536)
    maximum_storage_gib: int = Field(default=200, le=65_536)  # at least storage_gib
    multi_az: bool = True
    backup_retention_days: int = Field(default=14, ge=1, le=35)  # 7 / 14 / 35
    slow_query_ms: int = Field(default=1000, ge=0, le=2_147_483_647)
    monitoring_interval_seconds: Literal[0, 1, 5, 10, 15, 30, 60] = 60  # 0: no enhanced monitoring
    password_rotation_days: int = Field(default=30, ge=1, le=90)
    apply_immediately: bool = False  # or in the maintenance window
    maintenance_window: str = Field(default="sun:06:00-sun:07:00", pattern=rf"^{_DAY}:{_TIME}-{_DAY}:{_TIME}$")
    backup_window: str = Field(default="04:00-05:00", pattern=rf"^{_TIME}-{_TIME}$")
    restore: RestorePoint | None = None


class Cache(Model):
    engine: Literal["valkey", "redis"] = "valkey"
    engine_version: str = Field(default="8.0", pattern=r"^\d\.\d$")
    node_type: str = Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$")
    replica_count: int = Field(default=1, ge=0, le=5)  # replicas beside the primary; 0: no failover
    snapshot_retention_days: int = Field(default=7, ge=0, le=35)


class Storage(Model):
    noncurrent_days: Days = 30
    backup_lock_days: Days = 30
    backup_glacier_days: Days = 90
    log_retention_days: LogDays = 365


class Edge(Model):
    rate_limit_per_5_minutes: int = Field(default=2000, ge=10, le=2_000_000_000)
    bot_control: bool = False
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = "PriceClass_100"
    csp_report_uri: str = Field(
        default="https://candlefish.report-uri.com/r/d/csp/enforce", pattern=r"^https://[\w.-]+(/[\w./-]*)?$",
        max_length=500)
    # Where operators come from: at most 3, as a rule of the load balancer takes no more beside a host and a path. The
    # default is reserved for documentation (RFC 5737): nobody, until an organisation names its own.
    operator_cidrs: tuple[IPv4Network, ...] = Field(
        default=(IPv4Network("203.0.113.0/24"),), min_length=1, max_length=3)
    shield_advanced: bool = False  # 3,000 dollars a month for the organisation, subscribed to beforehand


class Probe(Model):
    path: UrlPath = "/health"
    period_seconds: int = Field(default=10, ge=1, le=3_600)
    timeout_seconds: int = Field(default=2, ge=1, le=3_600)
    failure_threshold: int = Field(default=3, ge=1, le=1_000)
    startup_failure_threshold: int = Field(default=30, ge=1, le=1_000)


class Resources(Model):
    cpu_millis: int = Field(ge=1, le=192_000)  # request; no node has more
    memory_mib: int = Field(ge=1, le=4_194_304)  # request
    cpu_limit_millis: int = Field(ge=1, le=192_000)
    memory_limit_mib: int = Field(ge=1, le=4_194_304)


class Replicas(Model):
    minimum: int = Field(ge=1)
    maximum: int = Field(ge=1, le=1_000)  # each is placed on a node before anything is made
    cpu_percent: int = Field(default=70, ge=1, le=100)
    memory_percent: int = Field(default=80, ge=1, le=100)


class SecretReference(Model):
    """An environment variable whose value is in Secrets Manager and never in a manifest or the state."""

    variable: Variable
    secret: Label  # "database", "cache", "jwt" or the name of a secret that the stack creates empty
    key: str = Field(default="", pattern=r"^[\w.-]{0,100}$")  # key in the secret's JSON; empty: the whole
    optional: bool = False  # pods start without the variable as long as the key is not in the secret


class Volume(Model):
    """A volume for each pod, which lives as long as the pod does."""

    mount_path: FilePath
    size_gib: int = Field(ge=1, le=16_384)
    # Empty: the stack's encrypted gp3; a class of the EFS driver makes it a shared file system.
    storage_class: Label | Literal[""] = ""


class Service(Model):
    repeats = frozenset({"migration"})

    name: str = Field(pattern=r"^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$")  # `{name}-green` must stay a DNS label
    port: int = Field(ge=1024, le=65535)  # container port; the pods have no right to bind below 1024
    service_port: int | None = Field(default=None, ge=1, le=65535)  # None: the container port
    image: str  # tag@digest outside development
    probe: Probe = Probe()
    resources: Resources
    replicas: Replicas
    environment: dict[Variable, Text] = Field(default_factory=dict)
    switches: dict[Variable, Text] = Field(default_factory=dict)  # variables that operators switch: their first value
    secrets: tuple[SecretReference, ...] = ()
    callers: tuple[str, ...] = ()  # services that may call it; "front-door" for the load balancer
    calls: tuple[str, ...] = ()  # "database", "cache", "internet", "tracing": what it may reach beside services
    paths: tuple[UrlPath, ...] = ()  # path prefixes at the front door; empty: not reachable from outside
    hosts: tuple[str, ...] = ()  # "apex", "www", "api"; empty with paths: apex
    health_paths: tuple[UrlPath, ...] = ()  # answered at the front door whatever else is not, beside the probe's path
    volume: Volume | None = None
    aliases: tuple[Label, ...] = ()  # further Service names: `paintbox-service`
    drain_seconds: int = Field(default=20, ge=0, le=300)
    writable_paths: tuple[FilePath, ...] = ("/tmp",)  # emptyDir, as the root file system is read-only
    migration: tuple[Text, ...] = ()  # command that brings the schema to this image's; run as a job before a rollout


class Rollout(Model):
    """How operations change images; the program itself never does."""

    strategy: Literal["blue-green", "canary", "rolling"] = "blue-green"
    stages_percent: tuple[int, ...] = (10, 25, 50, 100)
    stage_minutes: int = Field(default=5, ge=5, le=1_440)
    stage_limit_minutes: int = Field(default=10, ge=5, le=1_440)  # a canary's stage is held then, for want of data
    on_hold: Literal["stop", "promote", "abort", "wait"] = "stop"  # and what then becomes of it
    batch_percent: int = Field(default=33, ge=1, le=100)  # of a rolling rollout (O3)
    batch_minutes: int = Field(default=2, ge=0, le=1_440)  # after each batch
    hold_minutes: int = Field(default=10, ge=0, le=1_440)  # of both colours in a blue/green rollout
    readings: Literal["cloudwatch", "prometheus", "both", "none"] = "cloudwatch"  # what the judge is told from
    limit_exposure: bool = False  # a canary's first stage: not more than `judging.failedRequests` allows
    judging: Judging = Judging()


class Lifecycle(Model):
    """What keeps data from being lost, off only where a teardown is rehearsed."""

    protect: bool  # Pulumi's protect on what holds data
    deletion_protection: bool  # AWS's own, where a service has it
    final_snapshot: bool
    force_destroy_buckets: bool
    rehearsed_teardown: bool = False  # the words that allow production to be without the above


class Pipelines(Model):
    """GitHub's side of O8: who may take the deploy role."""

    repository: str = Field(default="candlefish-ai/candlefish-infrastructure", pattern=r"^[\w.-]+/[\w.-]+$")
    create_oidc_provider: bool = False  # one an account: exactly one stack of an account creates it


class Settings(Model):
    environment: Environment
    region: str = "us-east-1"
    recovery_region: str = "us-west-2"
    stands_in_for: Environment | None = None  # whose copies its roles may restore from, nothing else of it
    ownership: Ownership
    domain: Domain = Domain()
    network: Network
    cluster: Cluster
    addons: Addons = Addons()
    registry: Registry = Registry()
    database: Database
    cache: Cache
    storage: Storage = Storage()
    backup: Backup = Backup()
    edge: Edge = Edge()
    analytics: Analytics = Analytics()
    observability: Observability = Observability()
    experiments: dict[Word, Experiment] = Field(default_factory=dict)
    governance: Governance = Governance()
    services: tuple[Service, ...] = Field(min_length=1)
    workloads: Workloads
    rollout: Rollout = Rollout()
    pipelines: Pipelines = Pipelines()
    operations: Operations = Operations()
    lifecycle: Lifecycle
    usage: Usage = Usage()
    monthly_budget_usd: Annotated[int, Field(gt=0)]
