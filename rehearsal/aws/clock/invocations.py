"""Lambda's asynchronous invocations on the rehearsal's time.

MiniStack would run the function on a thread of its own and wait by the wall clock: what fires next could overtake it,
and a rehearsed day would be over before the second attempt. So the function is run while the clock waits, and the rules
are here: "How Lambda handles errors and retries with asynchronous invocation" and "Capturing records of Lambda
asynchronous invocations", Lambda developer guide.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

# "a one-minute wait between the first two attempts, and two minutes between the second and third"
PAUSES = (timedelta(minutes=1), timedelta(minutes=2))
_RETRIES, _AGE_SECONDS = 2, 6 * 3600  # without an event invoke config
_SAID = 300  # characters of an answer that are told


@dataclass(frozen=True)
class Answer:
    """`error`: Lambda's word for it (`Unhandled`), None for success. `body`: the JSON that came."""

    error: str | None
    body: str

    @property
    def said(self) -> str:
        """The error's type and message, or the answer itself, shortened."""
        try:
            document = json.loads(self.body or "null")
        except ValueError:
            document = self.body
        if self.error is not None and isinstance(document, dict):
            return f"{document.get('errorType', self.error)}: {document.get('errorMessage', '')}"[:_SAID]
        return self.body[:_SAID]


@dataclass(frozen=True)
class Policy:
    """`destination`, `letters`: ARNs of where an event ends that was given up, or empty."""

    retries: int
    age_seconds: int
    destination: str
    letters: str


def run(client: Any, function: str, payload: str) -> Answer:
    """Runs the function and waits for it. Raises ClientError when Lambda does not take the event."""
    answer = client.invoke(FunctionName=function, Payload=payload.encode())
    return Answer(answer.get("FunctionError"), answer["Payload"].read().decode(errors="replace"))


def policy(client: Any, function: str) -> Policy:
    """Of the function's event invoke config and dead-letter config."""
    configured = client.get_function_configuration(FunctionName=function)
    try:
        invoke = client.get_function_event_invoke_config(FunctionName=function)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        invoke = {}
    destination = ((invoke.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination") or ""
    return Policy(
        invoke.get("MaximumRetryAttempts", _RETRIES), invoke.get("MaximumEventAgeInSeconds") or _AGE_SECONDS,
        destination, (configured.get("DeadLetterConfig") or {}).get("TargetArn") or "")


def record(function: str, request: str, condition: str, invocations: int, payload: str, answer: Answer,
           stamp: str) -> dict[str, Any]:
    """What a failure destination is told."""
    return {
        "version": "1.0", "timestamp": stamp,
        "requestContext": {"requestId": request, "functionArn": f"{function}:$LATEST", "condition": condition,
                           "approximateInvokeCount": invocations},
        "requestPayload": _document(payload),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": answer.error},
        "responsePayload": _document(answer.body),
    }


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
