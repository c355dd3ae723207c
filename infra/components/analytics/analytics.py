"""The serverless side of the animation analytics: tables, functions and the APIs before them (D4, F1–F5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.analytics.api_logging import ApiLogging
from infra.components.analytics.custom_domain import AliasTarget, CustomDomain
from infra.components.analytics.functions import PUBLISHER, Functions, FunctionsArgs, arguments
from infra.components.analytics.hash_key import HashKey, HashKeyArgs
from infra.components.analytics.publisher import Publisher, PublisherArgs
from infra.components.analytics.rest_api import RestApi, RestApiArgs
from infra.components.analytics.tables import EVENTS, Tables, TablesArgs
from infra.components.analytics.websocket_api import WebSocketApi, WebSocketApiArgs
from infra.components.base import Component
from infra.components.operations.schedules import Entry, Schedules, SchedulesArgs
from infra.plans import analytics_api
from infra.settings import model
from infra.settings.analytics import Analytics as AnalyticsSettings
from infra.settings.experiments import Experiment

ERASURES = "rate(1 hour)"  # the passes of an erasure that are still due; the last comes a day after the request


@dataclass(frozen=True)
class AnalyticsArgs:
    """prefix: what the names start with (E4): `{environment}-candlefish`.
    origins: the site's, the main one first: `https://candlefish.ai`.
    rest_domain, websocket_domain: names of ours before the APIs.
    web_acl_arn: the regional one.
    logs_key_arn: key for queues and log groups; its policy must let `logs.{region}.amazonaws.com` use it.
    owns_account: this stack gives API Gateway its role for logs, which an account has once in a region.
    """

    prefix: str
    environment: str
    account_id: pulumi.Input[str]
    region: str
    settings: AnalyticsSettings
    experiments: Mapping[str, Experiment]
    lifecycle: model.Lifecycle
    origins: tuple[str, ...]
    rest_domain: CustomDomain
    websocket_domain: CustomDomain
    web_acl_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    owns_account: bool = False
    log_retention_days: int = 365


class Analytics(Component):
    """Names are by the words of `tables.TABLES` and `functions.FUNCTIONS`."""

    module = "analytics"

    table_names: Mapping[str, pulumi.Output[str]]
    table_arns: Mapping[str, pulumi.Output[str]]
    function_names: Mapping[str, pulumi.Output[str]]
    dead_letter_queue_arns: Mapping[str, pulumi.Output[str]]
    dead_letter_queue_names: Mapping[str, pulumi.Output[str]]
    log_group_names: Mapping[str, pulumi.Output[str]]
    rest_api_name: pulumi.Output[str]  # the dimension ApiName of its metrics
    rest_api_stage: pulumi.Output[str]
    rest_api_url: pulumi.Output[str]
    rest_api_alias: AliasTarget
    operators_key: pulumi.Output[str]  # secret
    websocket_api_id: pulumi.Output[str]  # the dimension ApiId of its metrics
    websocket_stage: pulumi.Output[str]
    websocket_url: pulumi.Output[str]  # of the stage
    websocket_alias: AliasTarget
    hash_secret_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AnalyticsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        tables = Tables(f"{name}-tables", TablesArgs(
            prefix=args.prefix, lifecycle=args.lifecycle, key_arn=args.data_key_arn), opts=self.child())
        hash_key = HashKey(f"{name}-hash-key", HashKeyArgs(
            prefix=f"candlefish-{args.environment}/visitor-hash", data_key_arn=args.data_key_arn,
            protect=args.lifecycle.protect), opts=self.child())
        given = FunctionsArgs(
            prefix=args.prefix, environment=args.environment, tables=tables, hash_secret_arn=hash_key.secret_arn,
            settings=args.settings, experiments=args.experiments, origins=args.origins,
            data_key_arn=args.data_key_arn, logs_key_arn=args.logs_key_arn,
            log_retention_days=args.log_retention_days)
        functions = Functions(f"{name}-functions", given, opts=self.child())
        logging = ApiLogging(f"{name}-api-logging", opts=self.child()) if args.owns_account else None
        rest = RestApi(f"{name}-rest-api", RestApiArgs(
            name=f"{args.prefix}-analytics", origin=args.origins[0], settings=args.settings,
            domain=args.rest_domain,
            functions={word: functions.all[word] for word in analytics_api.functions()},
            web_acl_arn=args.web_acl_arn, logs_key_arn=args.logs_key_arn,
            log_retention_days=args.log_retention_days, logging=logging and logging.account), opts=self.child())
        socket = WebSocketApi(f"{name}-websocket-api", WebSocketApiArgs(
            name=f"{args.prefix}-stream", function=functions.all["stream"], settings=args.settings,
            domain=args.websocket_domain, logs_key_arn=args.logs_key_arn,
            log_retention_days=args.log_retention_days, logging=logging and logging.account), opts=self.child())
        publisher = Publisher(f"{name}-publisher", PublisherArgs(
            function=arguments("stream-publisher", PUBLISHER, given), stream_arn=tables.events_stream_arn,
            connections_arn=socket.connections_arn, callback_url=socket.callback_url), opts=self.child())
        Schedules(f"{name}-schedules", SchedulesArgs(
            account_id=args.account_id, region=args.region, logs_key_arn=args.logs_key_arn, entries={
                "erasures": Entry(functions.all["visitor-memory"], ERASURES, input={"action": "resume-erasures"})}),
            opts=self.child())
        every = {**functions.all, "stream-publisher": publisher.function}

        self.table_names, self.table_arns = tables.names, tables.arns
        self.function_names = {word: made.function_name for word, made in every.items()}
        self.dead_letter_queue_arns = {word: made.dead_letter_queue_arn for word, made in every.items()}
        self.dead_letter_queue_names = {word: made.dead_letter_queue_name for word, made in every.items()}
        self.log_group_names = {word: made.log_group_name for word, made in every.items()}
        self.rest_api_name, self.rest_api_stage, self.rest_api_url = rest.api_name, rest.stage_name, rest.invoke_url
        self.rest_api_alias, self.operators_key = rest.alias, rest.operators_key
        self.websocket_api_id, self.websocket_stage = socket.api_id, socket.stage_name
        self.websocket_url, self.websocket_alias = socket.url, socket.alias
        self.hash_secret_arn = hash_key.secret_arn
        self.register_outputs({
            "tableNames": self.table_names, "functionNames": self.function_names,
            "deadLetterQueueNames": self.dead_letter_queue_names, "eventsTable": self.table_names[EVENTS],
            "restApiName": self.rest_api_name, "restApiUrl": self.rest_api_url,
            "websocketApiId": self.websocket_api_id, "websocketUrl": self.websocket_url})
