"""The functions of the animation analytics: which code, which tables, which rights (F1, F2, F4, F5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pulumi

from infra.components.analytics import tables as words
from infra.components.analytics.tables import Tables
from infra.components.base import Component
from infra.components.function import Function, FunctionArgs, Grant
from infra.settings.analytics import Analytics as AnalyticsSettings
from infra.settings.experiments import Experiment

READ_SECRET = ("secretsmanager:GetSecretValue",)


@dataclass(frozen=True)
class Use:
    """What a function does to a table, and the variable that tells it the table's name."""

    table: str
    variable: str
    actions: tuple[str, ...]  # of DynamoDB
    indexes: bool = False


@dataclass(frozen=True)
class Row:
    """One function. limit: the setting of its concurrency. hashes: it reads the key of the identifiers' hashes.
    retention: which setting says how long it keeps what it writes."""

    package: str
    description: str
    uses: tuple[Use, ...]
    limit: str
    handler: str = "handler.handle"
    retention: str | None = None
    hashes: bool = False
    experiments: bool = False  # gets EXPERIMENTS
    pages: bool = False  # gets ALLOWED_ORIGINS: browsers call it from the site


FUNCTIONS: Mapping[str, Row] = {
    "analytics-processor": Row(
        "analytics_processor", "Keeps animation events and turns them into metrics",
        (Use(words.EVENTS, "TABLE_NAME", ("PutItem",)),), "analytics_processor",
        retention="event_retention_days", hashes=True, experiments=True, pages=True),
    "visitor-memory": Row(
        "visitor_memory", "Memory of visitors: read, written, exported, erased",
        (Use(words.MEMORY, "MEMORY_TABLE", ("DeleteItem", "GetItem", "PutItem")),
         Use(words.EVENTS, "EVENTS_TABLE", ("BatchWriteItem", "Query"), indexes=True),
         Use(words.EXPERIMENTS, "EXPERIMENTS_TABLE",
             ("BatchWriteItem", "DeleteItem", "PutItem", "Query", "UpdateItem"))), "visitor_memory",
        retention="memory_retention_days", hashes=True, pages=True),
    "experiments": Row(
        "experiments", "Assigns visitors to variants, counts conversions, reports",
        (Use(words.EXPERIMENTS, "EXPERIMENTS_TABLE",
             ("DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")),), "experiments",
        retention="memory_retention_days", hashes=True, experiments=True, pages=True),
    "stream": Row(
        "stream", "Answers the WebSocket API",
        (Use(words.CONNECTIONS, "CONNECTIONS_TABLE",
             ("BatchWriteItem", "ConditionCheckItem", "GetItem", "PutItem", "Query")),), "stream", pages=True),
}
PUBLISHER = Row(  # of `publisher.Publisher`, which adds the stream and the API
    "stream", "Tells subscribers of new events",
    (Use(words.CONNECTIONS, "CONNECTIONS_TABLE", ("BatchWriteItem", "Query")),), "stream_publisher",
    handler="handler.publish")
# Of the outside world (E4); the others have names that Pulumi makes.
ROLE_NAMES = {"analytics-processor": "lambda-role"}


@dataclass(frozen=True)
class FunctionsArgs:
    """prefix: `{environment}-candlefish`. origins: whose pages may read answers: `https://candlefish.ai`."""

    prefix: str
    environment: str
    tables: Tables
    hash_secret_arn: pulumi.Input[str]
    settings: AnalyticsSettings
    experiments: Mapping[str, Experiment]
    origins: tuple[str, ...]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int
    folder: str = "functions"


class Functions(Component):
    """A function for each row of FUNCTIONS, with the rights that its row says and no other."""

    module = "analytics"

    all: Mapping[str, Function]  # by the word of FUNCTIONS

    def __init__(self, name: str, args: FunctionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.all = {word: Function(f"{name}-{word}", arguments(word, row, args), opts=self.child())
                    for word, row in FUNCTIONS.items()}
        self.register_outputs({"names": {word: made.function_name for word, made in self.all.items()}})



def arguments(word: str, row: Row, args: FunctionsArgs) -> FunctionArgs:
    """What the function of a row is made of."""
    folder = PurePosixPath(args.folder)
    return FunctionArgs(
        function_name=f"{args.prefix}-{word}", description=row.description, handler=row.handler,
        role_name=f"{args.prefix}-{ROLE_NAMES[word]}" if word in ROLE_NAMES else None,
        code=str(folder / row.package), shared=(str(folder / "common"),), environment=environment(row, args),
        grants=grants(row, args), reserved_concurrency=getattr(args.settings.concurrency, row.limit),
        memory_mib=args.settings.function_memory_mib, timeout_seconds=args.settings.function_timeout_seconds,
        data_key_arn=args.data_key_arn, logs_key_arn=args.logs_key_arn, log_retention_days=args.log_retention_days)


def environment(row: Row, args: FunctionsArgs) -> dict[str, pulumi.Input[str]]:
    """The variables that the function's docstring asks for."""
    given: dict[str, pulumi.Input[str]] = {use.variable: args.tables.names[use.table] for use in row.uses}
    given["ENVIRONMENT"] = args.environment
    if row.retention:
        given["RETENTION_DAYS"] = str(getattr(args.settings, row.retention))
    if row.hashes:
        given["HASH_SECRET_ARN"] = args.hash_secret_arn
    if row.experiments:
        given["EXPERIMENTS"] = json.dumps({name: each.document() for name, each in args.experiments.items()})
    if row.pages:
        given["ALLOWED_ORIGINS"] = ",".join(args.origins)
    return given


def grants(row: Row, args: FunctionsArgs) -> dict[str, Grant]:
    """One statement a table; the tables' key and the secret's are granted to every function."""
    made: dict[str, Grant] = {}
    for use in row.uses:
        arn = args.tables.arns[use.table]
        places: list[pulumi.Input[str]] = [arn, *([pulumi.Output.concat(arn, "/index/*")] if use.indexes else [])]
        made[use.variable.title().replace("_", "")] = Grant([f"dynamodb:{action}" for action in use.actions], places)
    if row.hashes:
        made["HashKey"] = Grant(READ_SECRET, [args.hash_secret_arn])
    return made
