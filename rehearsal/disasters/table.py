"""The table of disasters. The drill, the runbooks and their test all read it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rehearsal.disasters import strikes
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
    """strike: how it is done to a rehearsed environment; None: it can't be yet, and `waits_for` says what it waits for.
    symptoms: how it is noticed. remakes: the beginnings of the types that have to be made again, "" for
    all of them. before: what is done first. verify: how a person sees that all is well."""

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
    waits_for: str = ""


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
        "database-dropped", "The database is dropped or its data is destroyed", Severity.P0, Within.DATABASE,
        Loss.DATABASE, "Every request with data fails; `relation … does not exist` in the services' logs.",
        (Command("candlefish recovery restore database --at {moment} --stack {stack}"),),
        "`candlefish recovery validate --stack {stack}`",
        before="`candlefish maintenance on --stack {stack}`; note the last moment at which all was well.",
        waits_for="a drill around the restore that has tests of its own"),
    Disaster(
        "region-lost", "The region is lost", Severity.P0, Within.ENVIRONMENT, Loss.DATABASE_AWAY,
        "Nothing of the region answers; AWS's health page says so.",
        (Command("candlefish recovery rebuild --stack recovery"),
         Command("candlefish recovery failover --stack recovery")),
        "the production names answer from the recovery region", remakes=("",),
        waits_for="a place among the short drills; `make region` rehearses it, with a kill on the way"),
    Disaster(
        "zone-lost", "A zone is lost", Severity.P1, Within.APPLICATION, Loss.NOTHING,
        "Nodes and targets of one zone are unhealthy; the database fails over.",
        (Command("kubectl get pods -A -o wide"), Command("candlefish recovery points --stack {stack}")),
        "pods run in the other zones, the database's zone has changed",
        notes="Nothing is to be brought back: nodes, pods and the database move by themselves; the commands only look. "
              "A NAT gateway of the zone takes its subnets with it.",
        waits_for="nodes that the rehearsal can take away by zone"),
)


def named(name: str) -> Disaster | None:
    return next((each for each in DISASTERS if each.name == name), None)


def rehearsed() -> tuple[Disaster, ...]:
    return tuple(each for each in DISASTERS if each.strike is not None)
