"""Events of the table → the connections that subscribe to their metrics (F4)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.function import Function, FunctionArgs, Grant

BATCH = 100  # records of one invocation
WINDOW_SECONDS = 1  # how long a batch may fill: what "live" may cost in delay
RETRIES = 3
STALE_SECONDS = 60  # a record that waited longer is not live any more; the least that Lambda allows
SHARDS_IN_PARALLEL = 2
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")


@dataclass(frozen=True)
class PublisherArgs:
    """function: everything but what the stream and the connections need.
    stream_arn: of the events' table. connections_arn: of the API's connections. callback_url: https."""

    function: FunctionArgs
    stream_arn: pulumi.Input[str]
    connections_arn: pulumi.Input[str]
    callback_url: pulumi.Input[str]


class Publisher(Component):
    """A record that fails again and again is found by halving its batch; what cannot be told goes to the dead letters
    and holds nobody up. Only new events wake the function: expiring ones do not."""

    module = "analytics"

    function: Function

    def __init__(self, name: str, args: PublisherArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        given = args.function
        function = Function(f"{name}-function", FunctionArgs(
            **{**vars(given), "environment": {**given.environment, "WEBSOCKET_ENDPOINT": args.callback_url},
               "grants": {**given.grants, **_grants(args)}}), opts=self.child())
        aws.lambda_.EventSourceMapping(
            name, event_source_arn=args.stream_arn, function_name=function.function_arn, starting_position="LATEST",
            batch_size=BATCH, maximum_batching_window_in_seconds=WINDOW_SECONDS, bisect_batch_on_function_error=True,
            maximum_retry_attempts=RETRIES, maximum_record_age_in_seconds=STALE_SECONDS,
            parallelization_factor=SHARDS_IN_PARALLEL, function_response_types=["ReportBatchItemFailures"],
            destination_config={"on_failure": {"destination_arn": function.dead_letter_queue_arn}},
            filter_criteria={"filters": [{"pattern": json.dumps({"eventName": ["INSERT"]})}]}, opts=self.child())
        self.function = function
        self.register_outputs({"functionName": function.function_name})


def _grants(args: PublisherArgs) -> Mapping[str, Grant]:
    listed: Sequence[pulumi.Input[str]] = ["*"]  # ListStreams has no resource (Service Authorization Reference)
    return {"Stream": Grant(READ_STREAM, [args.stream_arn]), "Streams": Grant(["dynamodb:ListStreams"], listed),
            "Connections": Grant(["execute-api:ManageConnections"], [args.connections_arn])}
