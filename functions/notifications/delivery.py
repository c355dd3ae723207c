"""One payload to one receiver, tried again while that can help. Addresses are secrets: no error and no log has them."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

ATTEMPTS = 4
TIMEOUT_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.5  # then twice as long each time
LONGEST_DELAY_SECONDS = 8.0  # of what a receiver asks for: at most 4 × 5 s + 3 × 8 s for one receiver


class DeliveryError(Exception):
    """The receiver could not be told. `permanent`: the same request will not do better later."""

    def __init__(self, message: str, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after_seconds: float | None = None


Post = Callable[[str, bytes], Answer]  # address, JSON body; raises OSError when there is no answer


def send(receiver: str, address: str, payload: dict[str, Any], post: Post | None = None,
         sleep: Callable[[float], None] = time.sleep) -> int:
    """Returns the number of attempts. Raises DeliveryError."""
    if not address.startswith("https://"):
        raise DeliveryError(f"{receiver}: the secret has no https:// address", permanent=True)
    body = json.dumps(payload).encode()
    trouble, delay = "", FIRST_DELAY_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        wait = delay
        try:
            answer = (post or _post)(address, body)
        except (OSError, HTTPException, ValueError) as error:  # a bad address in the secret is a ValueError
            trouble = f"no answer ({type(error).__name__})"
        else:
            if answer.status < 300:
                return attempt
            trouble = f"status {answer.status}"
            if answer.status < 500 and answer.status not in (408, 429):
                raise DeliveryError(f"{receiver}: {trouble}", permanent=True)
            wait = max(delay, min(answer.retry_after_seconds or 0.0, LONGEST_DELAY_SECONDS))
        if attempt < ATTEMPTS:
            sleep(wait)
            delay *= 2
    raise DeliveryError(f"{receiver}: {trouble} in {ATTEMPTS} attempts", permanent=False) from None


def _post(address: str, body: bytes) -> Answer:
    request = urllib.request.Request(address, data=body, method="POST", headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return Answer(response.status)
    except urllib.error.HTTPError as error:
        return Answer(error.code, _seconds(error.headers.get("retry-after")))


def _seconds(text: str | None) -> float | None:
    """Both receivers say seconds, never a date."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
