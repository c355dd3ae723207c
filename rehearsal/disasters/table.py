"""The table of disasters. The drill, the runbooks and their test all read it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rehearsal.disasters import database, strikes, zone
from rehearsal.disasters.strikes import Struck
from rehearsal.disasters.world import World


class Severity(StrEnum):
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Within(StrEnum):
    """Which of the targets of recovery time counts."""

    APPLICATION = "application"
    DATABASE = "database"
    ENVIRONMENT = "environment"


class Loss(StrEnum):
    """Which of the targets for lost data counts. NOTHING: no data is in it, or all of it must be there again."""

    NOTHING = "nothing"
    DATABASE = "database"
    DATABASE_AWAY = "database, across regions"
    TABLES = "tables"
    ASSETS = "assets"


RESTORED_TABLE = "candlefish:recovery:Table"  # rows of rehearsal/timing/durations.yaml
RESTORED_DATABASE = "candlefish:recovery:Database"
LOST_ZONE = "candlefish:recovery:Zone"
CALLS = "candlefish:recovery:Calls"


@dataclass(frozen=True)
class Command:
    """text: as a person types it against a real account, with {places}. takes: the row of the durations for what it
    does beside what Pulumi makes. variable: an environment variable that goes with it."""

    text: str
    takes: str = ""
    variable: str = ""

    @property
    def line(self) -> str:
        return f"{self.variable} {self.text}".strip()


@dataclass(frozen=True)
class Disaster:
    """strike: how it is done to a rehearsed environment; None: it takes more than one, and `drill` is the command that
    rehearses it. symptoms: how it is noticed. remakes: the beginnings of the types that have to be made again, "" for
    all of them. given: by type, inputs that the recovery adds. before: what is done first. verify: how a person sees
    that all is well."""

    name: str
    title: str
    severity: Severity
    within: Within
    loss: Loss
    symptoms: str
    commands: tuple[Command, ...]
    verify: str
    remakes: tuple[str, ...] = ()
    before: str = ""
    notes: str = ""
    strike: Callable[[World], Struck] | None = None
    drill: str = ""
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


_REFRESH = Command("pulumi refresh --stack {stack} --yes")
_UP = Command("pulumi up --stack {stack} --yes")
_NO_DIFF = "`pulumi preview --stack {stack} --expect-no-changes` and `candlefish recovery points --stack {stack}`"

DISASTERS: tuple[Disaster, ...] = (
    Disaster(
        "table-truncated", "A table's items are gone", Severity.P1, Within.DATABASE, Loss.TABLES,
        "Visitors are strangers again, experiments assign anew; the table's item count falls; CloudTrail shows the "
        "writer.",
        (Command("candlefish recovery restore table {table} --at {moment} --stack {stack}", RESTORED_TABLE),),
        "the command compares item by item and says how many came back; what was written since is still there",
        before="Stop the writer: take its key or its role's permission away. Note the last moment at which all was "
               "well.",
        notes="A restore brings back visitors who were erased after that moment: erase them again, their requests are "
              "in the log of the visitor memory's function. Items of a table with a stream are published again.",
        strike=strikes.table_truncated),
    Disaster(
        "bucket-emptied", "A bucket is emptied by a stolen or careless key", Severity.P1, Within.APPLICATION,
        Loss.ASSETS, "CloudFront answers 403 or 404 for assets; the bucket's object count falls.",
        (Command("candlefish recovery restore bucket {bucket} --at {moment} --stack {stack}", CALLS),),
        "the command counts the objects that came back; the site's pages load their assets",
        before="Take the key away first (`aws iam update-access-key --status Inactive`). Note the last moment at which "
               "all was well.",
        notes="A key that may delete versions leaves nothing to take back: then the replica in the recovery region is "
              "copied over. `--overwrite` also takes back what was written over.",
        strike=strikes.bucket_emptied),
    Disaster(
        "secret-deleted", "A secret is deleted and waits for its end", Severity.P1, Within.APPLICATION, Loss.NOTHING,
        "External Secrets reports `InvalidRequestException … marked for deletion`; new pods lack a variable; running "
        "ones go on.",
        (Command("candlefish recovery restore secret {secret} --stack {stack}", CALLS),),
        "`kubectl get externalsecrets -A`: all are synced; " + _NO_DIFF,
        notes="The name is taken for the whole window: a new secret of that name is refused. The program's secrets "
              "therefore have names with a suffix, and a rebuild does not wait.",
        strike=strikes.secret_deleted),
    Disaster(
        "key-scheduled", "A KMS key is scheduled for deletion", Severity.P0, Within.APPLICATION, Loss.NOTHING,
        "`KMSInvalidStateException: … is pending deletion`; database, tables and buckets answer as long as they hold "
        "their data keys, new pods and functions do not start.",
        (Command("candlefish recovery restore key {key} --stack {stack}", CALLS),),
        "what was sealed before can be opened; " + _NO_DIFF,
        notes="After the window (30 days, 7 at least) the key is gone, with all that it encrypted; copies in the "
              "recovery region have a key of their own.",
        strike=strikes.key_scheduled),
    Disaster(
        "certificate-not-renewed", "A certificate can't be renewed, or has expired", Severity.P2, Within.APPLICATION,
        Loss.NOTHING, "Alarm on the days to expiry; ACM: `RenewalStatus: PENDING_VALIDATION`; at last browsers refuse.",
        (_REFRESH, _UP),
        "`aws acm describe-certificate`: the renewal is `SUCCESS`; " + _NO_DIFF,
        remakes=("aws:acm/certificateValidation:", "aws:route53/record:"),
        notes="ACM renews 60 days before the end, as long as the validation record is in the zone: the drill deletes "
              "that. One that has expired is not renewed: `pulumi up --replace URN` of the certificate makes another; "
              "each counts for the yearly quota.",
        strike=strikes.validation_record_deleted),
    Disaster(
        "nat-gateway-deleted", "A NAT gateway is gone", Severity.P1, Within.APPLICATION, Loss.NOTHING,
        "Pods and functions reach nothing outside: image pulls, Stripe, mail fail; what comes in works.",
        (_REFRESH, _UP), "a pod reaches the outside; " + _NO_DIFF, remakes=("aws:ec2/natGateway:",),
        strike=strikes.nat_gateway_deleted),
    Disaster(
        "up-killed", "`up` is killed half-way", Severity.P2, Within.ENVIRONMENT, Loss.NOTHING,
        "The pipeline's runner died; `pulumi preview` warns of pending operations.",
        (_UP,), _NO_DIFF, remakes=("",),
        before="Look whether another run still holds the lock (`pulumi cancel --stack {stack}` takes it away).",
        notes="Pulumi asks about operations whose outcome it does not know: `pulumi refresh` answers for them.",
        strike=strikes.up_killed),
    Disaster(
        "cluster-deleted", "The cluster is deleted", Severity.P0, Within.ENVIRONMENT, Loss.NOTHING,
        "The API server's name does not resolve; every target of the load balancer is unhealthy.",
        (Command("pulumi refresh --stack {stack} --yes", variable="PULUMI_K8S_DELETE_UNREACHABLE=true"), _UP),
        "`kubectl get nodes,pods -A`; " + _NO_DIFF, remakes=("aws:eks/", "kubernetes:"),
        before="`candlefish maintenance on` needs the cluster: point the names at the recovery region if it lasts.",
        notes="The variable makes Pulumi forget objects of a cluster that nobody answers for; without it the refresh "
              "fails. Services come with the images of the settings: roll out the release that was live. What only the "
              "cluster held (caches on volumes) is gone; data is in RDS, DynamoDB and S3.",
        strike=strikes.cluster_deleted),
    Disaster(
        "state-lost", "Pulumi's state is lost, and its copy is older than the last change", Severity.P1,
        Within.ENVIRONMENT, Loss.NOTHING, "`pulumi stack` shows no resources; a preview would make everything again.",
        (Command("pulumi stack import --file {copy} --stack {stack}", CALLS), _REFRESH, _UP),
        "each resource has the id that it had; " + _NO_DIFF,
        before="Run nothing. Take the newest version of the state's object in the state bucket, or the last export.",
        notes="What was made after the copy is not in it: `up` then fails on names that exist, or makes a second one "
              "of what has no fixed name. Take each in with `pulumi import TYPE NAME ID` before the `up`. The drill "
              "changes tags after the copy, and makes nothing.",
        strike=strikes.state_lost),
    Disaster(
        "destroyed", "The environment was destroyed and is needed again the same day", Severity.P0, Within.ENVIRONMENT,
        Loss.NOTHING, "Nothing answers; the state is empty.",
        (Command("candlefish recovery names --stack {stack} --yes", CALLS), _UP), _NO_DIFF,
        remakes=("",),
        notes="Secrets wait for their end under names that are not used again; buckets and aliases of keys have "
              "suffixes too. Log groups that late lines made anew stand in the way: the first command removes those "
              "that nobody has tagged. Data comes from its copies: see the pages of database, tables and buckets.",
        strike=strikes.destroyed),
    Disaster(
        "database-dropped", "The database is deleted", Severity.P0, Within.DATABASE, Loss.DATABASE,
        "Every request with data fails: connections to the database end and its name does not resolve; RDS's events "
        "tell of a deletion.",
        (Command("candlefish recovery restore database --at {moment} --stack {stack}", RESTORED_DATABASE),
         Command("aws rds create-db-snapshot --db-instance-identifier {restored} --db-snapshot-identifier {restored}"),
         Command("aws rds wait db-snapshot-available --db-snapshot-identifier {restored}"),
         Command("pulumi config set --path candlefish:database.restore.snapshotId {restored} --stack {stack}"),
         _REFRESH, _UP),
        "`candlefish recovery validate --stack {stack}`; " + _NO_DIFF, remakes=("aws:rds/instance:",),
        given={"aws:rds/instance:Instance": {"snapshotIdentifier": "the restored one's"}},
        before="`candlefish maintenance on --stack {stack}`. Take the key away that deleted it. The moment: the last "
               "one that its backups reach (`aws rds describe-db-instance-automated-backups`). Where they were deleted "
               "too, `--snapshot` instead of `--at`: `candlefish recovery points --stack {stack}` names the newest.",
        notes="The first command checks what it restored, and names it. It comes without backups, and so does what is "
              "made of its snapshot: with them RDS makes the first one before it counts as available, for hours. The "
              "time of the snapshot itself is not predicted: nobody tells one, and it grows with the data. Where only "
              "the data is destroyed and the instance is there, the first command prints another way, in which the "
              "instance steps aside. The restored instance stays: delete it and its snapshot once all is well.",
        strike=database.database_dropped),
    Disaster(
        "zone-lost", "A zone is lost", Severity.P1, Within.APPLICATION, Loss.NOTHING,
        "Nodes and targets of one zone are unhealthy; the database fails over.",
        (Command("kubectl wait deployment --all --all-namespaces --for=condition=Available --timeout=15m", LOST_ZONE),),
        "`kubectl get pods -A -o wide`: they run in the other zones; `candlefish verify --stack {stack}`",
        notes="Nothing is to be brought back: nodes, pods and the database move by themselves, and the command waits "
              "for them. A NAT gateway of the zone takes the way out of its subnets with it, and a stack with one NAT "
              "gateway, or with a database in one zone, has nothing that stands in. What has its data on a volume of "
              "the zone (Prometheus, Alertmanager) waits for the zone. The drill ends the nodes of a zone in which no "
              "such database is; the emulated database has no failover.",
        strike=zone.zone_lost),
    Disaster(
        "region-lost", "The region is lost", Severity.P0, Within.ENVIRONMENT, Loss.DATABASE_AWAY,
        "Nothing of the region answers; AWS's health page says so.",
        (Command("candlefish recovery rebuild --stack recovery"),
         Command("candlefish recovery failover --stack recovery")),
        "the production names answer from the recovery region", remakes=("",),
        given={"aws:rds/instance:Instance": {"restoreToPointInTime": "the replicated backups"}},
        drill="make region"),
)


def named(name: str) -> Disaster | None:
    return next((each for each in DISASTERS if each.name == name), None)


def rehearsed() -> tuple[Disaster, ...]:
    return tuple(each for each in DISASTERS if each.strike is not None)
