"""Calls of AWS tried again: full jitter, exponentially, within the time that the invocation has."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 1.0
ROOM_SECONDS = 1.0  # of an invocation, for the answer
ATTEMPTS = 6  # 0.05 + 0.1 + 0.2 + 0.4 + 0.8 s at most between them
# "Error retries and exponential backoff" and "Error codes" of the DynamoDB developer guide, "Common Errors" of Lambda's
# and API Gateway's references.
THROTTLED = frozenset({
    "ProvisionedThroughputExceededException", "ProvisionedThroughputExceeded", "ThrottlingException", "Throttling",
    "ThrottlingError", "RequestLimitExceeded", "LimitExceededException", "TooManyRequestsException",
})
_PASSING = THROTTLED | {"InternalServerError", "InternalServerErrorException", "InternalServiceError",
                        "ServiceUnavailable", "ServiceUnavailableException", "TransactionInProgressException",
                        "TransactionConflictException", "TransactionConflict", "RequestTimeout"}
# of a transaction's items: another transaction was at the item, or its partition was too busy
_PASSING_REASONS = _PASSING | {"None"}
# by name, as botocore is not imported here: connection refused or cut, no answer in time
_CONNECTION = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError",
                         "ConnectionClosedError", "HTTPClientError", "ConnectionError", "IncompleteReadError"})


class Unavailable(Exception):
    """A service that is needed did not do its part, however often it was asked. Nothing is said about the data."""


@dataclass(frozen=True)
class Retries:
    """`until`: seconds of `clock` after which no further attempt begins."""

    until: float = float("inf")
    attempts: int = ATTEMPTS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds)
    random: Callable[[], float] = random.random

    @classmethod
    def within(cls, context: Any, room: float = ROOM_SECONDS) -> Retries:
        """For what is left of an invocation, but for `room` seconds. `context`: Lambda's; None: no limit."""
        if context is None:
            return cls()
        return cls(until=time.monotonic() + float(context.get_remaining_time_in_millis()) / 1000 - room)

    def exhausted(self) -> bool:
        return self.clock() >= self.until

    def call(self, function: Callable[..., T], **arguments: Any) -> T:
        """Raises Unavailable after the last attempt, and what a further attempt cannot help at once."""
        for attempt in range(1, self.attempts + 1):
            try:
                return function(**arguments)
            except Exception as error:
                if not passing(error):
                    raise
                wait = self.wait(attempt)
                if attempt == self.attempts or self.clock() + wait >= self.until:
                    raise Unavailable(f"{code(error)} after {attempt} attempts") from error
                self.sleep(wait)
        raise AssertionError("attempts must be at least 1")

    def wait(self, attempt: int) -> float:
        """Seconds before the attempt after number `attempt`, anywhere between nothing and the cap, so that those who
        were refused together do not come back together."""
        return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (attempt - 1)) * self.random())


def code(error: BaseException) -> str:
    """The service's code for an error, or the error's type."""
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"]) if isinstance(response, dict) and "Error" in response \
        else type(error).__name__


def reasons(error: BaseException) -> list[str]:
    """Of a cancelled transaction: the code of each of its items, in their order."""
    response = getattr(error, "response", None)
    found = response.get("CancellationReasons") if isinstance(response, dict) else None
    return [str(reason.get("Code", "None")) for reason in found or ()]


def passing(error: BaseException) -> bool:
    """Whether the same call can succeed later."""
    if code(error) == "TransactionCanceledException":
        return all(reason in _PASSING_REASONS for reason in reasons(error))
    if code(error) in _PASSING:
        return True
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return any(kind.__name__ in _CONNECTION for kind in type(error).__mro__)
