"""The serverless lines: what a session of a visitor takes, times the sessions of a month (E3)."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plans.estimate import MILLION, Line, Part
from infra.plans.places import EDGE_REGION
from infra.plans.platform_costs import Month
from infra.settings.model import Settings
from infra.settings.usage import Quantity

WRITES_PER_EVENT = 3  # units: two for the transaction and one for the index (decision 33)


def lines(settings: Settings, month: Month) -> Iterator[Line]:
    region, sessions = settings.region, month[Quantity.SESSIONS]
    events = sessions * month[Quantity.EVENTS]
    calls = sessions * month[Quantity.CALLS]
    requests = sessions * month[Quantity.REQUESTS] / MILLION
    deliveries = sessions * month[Quantity.DELIVERIES]
    rows = (
        (Part.FUNCTIONS, "calls of functions", calls / MILLION, "lambda.requests", region),
        (Part.FUNCTIONS, "functions' time", calls * month[Quantity.CALL_SIZE], "lambda.duration-arm64", region),
        (Part.FUNCTIONS, "requests of the REST API", requests, "apigateway.rest", region),
        (Part.TABLES, "writes", events * WRITES_PER_EVENT / MILLION, "dynamodb.writes", region),
        (Part.TABLES, "reads", requests, "dynamodb.reads", region),
        (Part.TABLES, "items", month[Quantity.TABLES], "dynamodb.storage", region),
        (Part.TABLES, "recovery points", month[Quantity.TABLES], "dynamodb.backup", region),
        (Part.CLOUDFRONT, "delivered", sessions * month[Quantity.DELIVERED] / 1000, "cloudfront.out", EDGE_REGION),
        (Part.CLOUDFRONT, "requests", deliveries / 10_000, "cloudfront.https", EDGE_REGION),
        (Part.CLOUDFRONT, "function at the viewer", deliveries / MILLION, "cloudfront.functions", EDGE_REGION),
        (Part.CLOUDFRONT, "optimizer's calls", requests, "cloudfront.lambda-requests", EDGE_REGION),
        (Part.CLOUDFRONT, "optimizer's time", requests, "cloudfront.lambda-duration", EDGE_REGION),
        (Part.MONITORING, "requests seen by firewalls", deliveries / MILLION + requests, "waf.requests", EDGE_REGION),
        (Part.MONITORING, "logs of calls", calls * month[Quantity.LOGS_OF_CALLS] / MILLION, "logs.ingestion", region),
        (Part.MONITORING, "traces", calls * month[Quantity.TRACES] / 1000 / MILLION, "xray.traces", region))
    for part, what, quantity, price, where in rows:
        yield Line(part, "serverless", what, quantity, price, where)
