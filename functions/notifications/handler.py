"""The function's entry: `handle`.

In:  a delivery of SNS to a function, `{"Records": [{"Sns": {"MessageId", "TopicArn", "Subject", "Message", …}}]}`.
Out: `{"delivered": n}`. Raises Undelivered when a receiver could not be told: Lambda tries the message twice more and
     then puts it into the dead letters. A receiver that was told is not told again by the same instance, and PagerDuty
     knows a repetition by its key; in a new instance Slack can show a message twice, which is better than not at all.

Environment: ENVIRONMENT, SLACK_SECRET_ARN, PAGERDUTY_SECRET_ARN, CHANNELS (JSON: channel of `alerts`, `incidents`),
             INCIDENTS_TOPIC_ARN, PAGED (severities, with commas), RUNBOOKS_URL, DASHBOARD_URL.
Secrets:     Slack `{"alerts": "https://…", "incidents": "https://…"}`, PagerDuty `{"routingKey": "…"}`; an empty
             document means that the receiver is not in use.
"""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from .alert import Alert
from .delivery import DeliveryError, Post, send
from .payloads import Payload, pagerduty, slack
from .sources import read

PAGERDUTY_ADDRESS = "https://events.pagerduty.com/v2/enqueue"
SECRET_SECONDS = 300.0  # how long a secret's value is used before it is read again
REMEMBERED = 1000  # messages


class Undelivered(Exception):
    """What stays to be told; the text names receivers and reasons, never addresses."""


@dataclass(frozen=True)
class Receivers:
    """One instance's means. `secret` reads a secret's document by ARN."""

    environment: Mapping[str, str]
    secret: Callable[[str], Mapping[str, str]]
    post: Post | None = None
    sleep: Callable[[float], None] = time.sleep
    log: Callable[[str], None] = print
    told: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)


@dataclass(frozen=True)
class Outcome:
    words: str
    told: bool = False
    trouble: bool = False


UNUSED = Outcome("not in use")


def handle(event: Any, context: Any) -> dict[str, int]:
    return {"delivered": sum(deliver(record["Sns"], _receivers()) for record in event["Records"])}


def deliver(notification: Mapping[str, Any], receivers: Receivers) -> int:
    """Tells every receiver that is in use. Returns how many were told now."""
    environment = receivers.environment
    message, topic = str(notification["MessageId"]), str(notification["TopicArn"])
    attributes = {key: str(attribute.get("Value", ""))
                  for key, attribute in (notification.get("MessageAttributes") or {}).items()}
    alert = _linked(read(str(notification.get("Subject") or ""), str(notification["Message"]), attributes,
                         topic.rpartition(":")[2], str(notification.get("Timestamp") or "")), environment)
    kind = "incidents" if topic == environment["INCIDENTS_TOPIC_ARN"] else "alerts"
    outcomes: dict[str, Outcome] = {}
    for receiver, prepare in (("slack", _for_slack), ("pagerduty", _for_pagerduty)):
        try:
            prepared = prepare(alert, kind, receivers)
            outcome = UNUSED if prepared is None else _once(receiver, message, prepared, receivers)
        except DeliveryError as error:
            outcome = Outcome(str(error), trouble=True)
        outcomes[receiver] = outcome
        receivers.log(json.dumps({"message": message, "receiver": receiver, "severity": alert.severity,
                                  "state": alert.state, "outcome": outcome.words}))
    troubles = [outcome.words for outcome in outcomes.values() if outcome.trouble]
    if troubles:
        raise Undelivered(f"{message}: {'; '.join(troubles)}")
    if all(outcome is UNUSED for outcome in outcomes.values()):
        raise Undelivered(f"{message}: no receiver is in use; fill the secret of Slack or PagerDuty")
    return sum(outcome.told for outcome in outcomes.values())


def _for_slack(alert: Alert, kind: str, receivers: Receivers) -> tuple[str, Payload] | None:
    address = _document("slack", "SLACK_SECRET_ARN", receivers).get(kind)
    if not address:
        return None
    channel = json.loads(receivers.environment["CHANNELS"])[kind]
    return str(address), slack(alert, channel, receivers.environment["ENVIRONMENT"])


def _for_pagerduty(alert: Alert, kind: str, receivers: Receivers) -> tuple[str, Payload] | None:
    if alert.severity not in receivers.environment["PAGED"].split(","):
        return None
    key = _document("pagerduty", "PAGERDUTY_SECRET_ARN", receivers).get("routingKey")
    return (PAGERDUTY_ADDRESS, pagerduty(alert, str(key), receivers.environment["ENVIRONMENT"])) if key else None


def _document(receiver: str, variable: str, receivers: Receivers) -> Mapping[str, str]:
    try:
        return receivers.secret(receivers.environment[variable])
    except Exception as error:  # whatever it is, the other receiver must still be told
        raise DeliveryError(f"{receiver}: its secret can't be read ({type(error).__name__})", permanent=False) from None


def _once(receiver: str, message: str, prepared: tuple[str, Payload], receivers: Receivers) -> Outcome:
    if (receiver, message) in receivers.told:
        return Outcome("told before")
    attempts = send(receiver, *prepared, receivers.post, receivers.sleep)
    receivers.told[receiver, message] = None
    while len(receivers.told) > REMEMBERED:
        receivers.told.popitem(last=False)
    return Outcome(f"told in {attempts} attempts" if attempts > 1 else "told", told=True)


def _linked(alert: Alert, environment: Mapping[str, str]) -> Alert:
    """Runbooks by their page's name become addresses; without a dashboard of its own an alert has the environment's."""
    runbook = alert.runbook
    if runbook and "://" not in runbook:
        runbook = f"{environment['RUNBOOKS_URL']}/{runbook}"
    return replace(alert, runbook=runbook, dashboard=alert.dashboard or environment["DASHBOARD_URL"])


class Secrets:
    """Documents by ARN, read again after a while so that a rotated one comes into use."""

    def __init__(self, client: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._read: dict[str, tuple[float, Mapping[str, str]]] = {}

    def __call__(self, arn: str) -> Mapping[str, str]:
        found = self._read.get(arn)
        if found is None or self._clock() - found[0] > SECRET_SECONDS:
            document = json.loads(self._client.get_secret_value(SecretId=arn)["SecretString"])
            if not isinstance(document, dict):
                raise ValueError("the secret's document is no object")
            found = self._read[arn] = self._clock(), document
        return found[1]


@cache
def _receivers() -> Receivers:
    """Made once for each instance of the function, at its first message."""
    import boto3  # the runtime's own; a test that brings its secrets needs none

    return Receivers(os.environ, Secrets(boto3.client("secretsmanager")))
