"""A call that the clock makes: to a function, a queue or a topic, its retries, and where it ends when they are used up.

Two services can fail one after the other, and each has its own retries. EventBridge (Scheduler or a rule) retries what
the target's API refuses, and then sends its dead letter. A function is called asynchronously: once Lambda has taken the
event, the function's own errors are Lambda's to retry (`invocations`). All waits are on the rehearsal's time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.clock import invocations

Clients = Callable[[str, str], Any]  # service, region → boto3's client

# AWS says "exponential backoff" and no figures: 15 s, doubled each time up to 5 minutes, so that both limits can bind.
_PAUSE, _LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=5)
# "go straight to the dead-letter queue": a target that is gone, permissions that lack ("How EventBridge retries
# delivering events", "Using dead-letter queues", EventBridge user guide). Of Scheduler nothing of the kind is said.
_FINAL_FOR_RULES = ("AccessDenied", "KMSAccessDenied", "NonExistentQueue", "QueueDoesNotExist", "NotFound")
SERVED = ("lambda", "sqs", "sns")


class Sender(StrEnum):
    SCHEDULER = "scheduler"
    RULE = "events"


class Stage(StrEnum):
    DELIVERY = "delivery"  # EventBridge hands the event over
    FUNCTION = "function"  # Lambda has it and runs the function


class Status(StrEnum):
    DONE = "done"
    RETRYING = "retrying"
    DEAD_LETTER = "dead letter"
    DROPPED = "dropped"  # there is no dead-letter queue, or it refused the letter


@dataclass(frozen=True)
class Delivery:
    """All that a retry needs, plain, so that it can be written down. `payload` may hold Scheduler's context attributes;
    `retries` and `age_seconds` are the target's retry policy; `letters`: ARN of the dead-letter queue, or empty."""

    sender: Sender
    source: str
    target: str
    payload: str
    retries: int
    age_seconds: int
    letters: str = ""
    message_group: str = ""

    @property
    def service(self) -> str:
        return self.target.split(":")[2]

    @property
    def region(self) -> str:
        return self.target.split(":")[3]


@dataclass(frozen=True)
class Attempt:
    """`due`: the scheduled time; `at`: when this attempt is made; `number`: counts from 1 in its stage; `taken`: when
    Lambda took the event, in the stage of the function."""

    name: str
    delivery: Delivery
    due: datetime
    at: datetime
    number: int = 1
    stage: Stage = Stage.DELIVERY
    taken: datetime | None = None

    @property
    def execution(self) -> str:
        """Unique for the attempt, and the same when the attempt is made again after an interruption."""
        named = f"{self.delivery.source}/{self.delivery.target}/{self.due.isoformat()}/{self.stage}/{self.number}"
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    @property
    def payload(self) -> str:
        """With the context attributes filled in ("Adding context attributes", Scheduler user guide). What Lambda runs
        again is what it took."""
        if self.delivery.sender is not Sender.SCHEDULER:
            return self.delivery.payload
        first = replace(self, number=1, stage=Stage.DELIVERY) if self.stage is Stage.FUNCTION else self
        filled = self.delivery.payload
        for name, value in (("schedule-arn", self.delivery.source), ("scheduled-time", stamp(self.due)),
                            ("execution-id", first.execution), ("attempt-number", str(first.number))):
            filled = filled.replace(f"<aws.scheduler.{name}>", value)
        return filled


@dataclass(frozen=True)
class Outcome:
    """`said`: the error, or what the function answered. `again`: the attempt that follows."""

    status: Status
    said: str = ""
    again: Attempt | None = None


def make(clients: Clients, attempt: Attempt) -> Outcome:
    """Makes one attempt. Raises botocore's errors only when the embedded AWS does not answer."""
    delivery = attempt.delivery
    try:
        if delivery.service == "lambda":
            answer = invocations.run(clients("lambda", delivery.region), delivery.target, attempt.payload)
            return Outcome(Status.DONE, answer.said) if answer.error is None else _after_error(
                clients, attempt, answer)
        _send(clients, attempt)
    except ClientError as error:
        if attempt.stage is Stage.FUNCTION:  # the function was taken away while its event waited
            return Outcome(Status.DROPPED, _told(error))
        return _after_refusal(clients, attempt, error)
    return Outcome(Status.DONE)


def _send(clients: Clients, attempt: Attempt) -> None:
    delivery = attempt.delivery
    if delivery.service == "sqs":
        group = {"MessageGroupId": delivery.message_group,
                 "MessageDeduplicationId": attempt.execution} if delivery.message_group else {}
        to_queue(clients, delivery.target, attempt.payload, **group)
    else:
        clients("sns", delivery.region).publish(TopicArn=delivery.target, Message=attempt.payload)


def _after_refusal(clients: Clients, attempt: Attempt, error: ClientError) -> Outcome:
    delivery, code = attempt.delivery, str(error.response["Error"].get("Code", ""))
    retried = attempt.number - 1
    pause = min(_PAUSE * 2 ** min(retried, 10), _LONGEST_PAUSE)
    limit = ""
    if retried >= delivery.retries:
        limit = "MaximumRetryAttempts"
    elif attempt.at + pause > attempt.due + timedelta(seconds=delivery.age_seconds):
        limit = "MaximumEventAgeInSeconds"
    final = delivery.sender is Sender.RULE and any(word in code for word in _FINAL_FOR_RULES)
    if not (limit or final):
        return Outcome(Status.RETRYING, _told(error), replace(
            attempt, at=attempt.at + pause, number=attempt.number + 1))
    if not delivery.letters:
        return Outcome(Status.DROPPED, _told(error))
    # "Retrieve the dead-letter event", Scheduler user guide; a rule's letter names the rule instead of the schedule.
    attributes = {"ERROR_CODE": code, "ERROR_MESSAGE": str(error.response["Error"].get("Message", "")),
                  "RETRY_ATTEMPTS": str(retried), "TARGET_ARN": delivery.target,
                  **({"EXHAUSTED_RETRY_CONDITION": limit} if not final else {})}
    if delivery.sender is Sender.SCHEDULER:
        attributes |= {"SCHEDULE_ARN": delivery.source, "SCHEDULED_TIME": stamp(attempt.due),
                       "EXECUTION_ID": attempt.execution, "IS_PAYLOAD_TRUNCATED": "false"}
    else:
        attributes["RULE_ARN"] = delivery.source
    return _buried(clients, delivery.letters, attempt.payload, attributes, _told(error))


def _after_error(clients: Clients, attempt: Attempt, answer: invocations.Answer) -> Outcome:
    client = clients("lambda", attempt.delivery.region)
    policy = invocations.policy(client, attempt.delivery.target)
    taken = attempt.taken or attempt.at
    number = attempt.number if attempt.stage is Stage.FUNCTION else 1
    pause = invocations.PAUSES[min(number, len(invocations.PAUSES)) - 1]
    condition = ""
    if number > policy.retries:
        condition = "RetriesExhausted"
    elif attempt.at + pause > taken + timedelta(seconds=policy.age_seconds):
        condition = "EventAgeExceeded"
    if not condition:
        return Outcome(Status.RETRYING, answer.said, replace(
            attempt, at=attempt.at + pause, number=number + 1, stage=Stage.FUNCTION, taken=taken))
    if policy.destination:
        record = invocations.record(attempt.delivery.target, attempt.execution, condition, number, attempt.payload,
                                    answer, stamp(attempt.at))
        return _buried(clients, policy.destination, json.dumps(record), {}, answer.said)
    if policy.letters:
        return _buried(clients, policy.letters, attempt.payload, {
            "RequestID": attempt.execution, "ErrorCode": "200", "ErrorMessage": answer.said[:1024]}, answer.said)
    return Outcome(Status.DROPPED, answer.said)


def _buried(clients: Clients, arn: str, body: str, attributes: dict[str, str], said: str) -> Outcome:
    service, region = arn.split(":")[2:4]
    typed = {name: {"DataType": "Number" if name == "ErrorCode" else "String", "StringValue": value}
             for name, value in attributes.items() if value}
    try:
        if service == "sqs":
            to_queue(clients, arn, body, MessageAttributes=typed)
        elif service == "sns":
            clients("sns", region).publish(TopicArn=arn, Message=body, MessageAttributes=typed)
        else:
            return Outcome(Status.DROPPED, f"{said}; {arn} is neither a queue nor a topic")
    except ClientError as error:
        return Outcome(Status.DROPPED, f"{said}; the dead letter was refused: {_told(error)}")
    return Outcome(Status.DEAD_LETTER, said)


def to_queue(clients: Clients, arn: str, body: str, **more: Any) -> None:
    """Raises ClientError, also when there is no such queue."""
    _, _, _, region, account, name = arn.split(":", 5)
    client = clients("sqs", region)
    url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody=body, **more)


def stamp(moment: datetime) -> str:
    """`2022-03-22T18:59:43Z`, as EventBridge writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told(error: ClientError) -> str:
    told = error.response["Error"]
    return f"{told.get('Code', '')}: {told.get('Message', '')}"
