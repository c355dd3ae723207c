"""One payload to one receiver, tried again while that can help. Addresses and keys are secrets: no error has them."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

ATTEMPTS = 3
TIMEOUT_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.5  # then twice as long
# Of what a receiver asks for (Retry-After): a rollout waits 10 s for its last words (operations/rollout/events.py).
LONGEST_DELAY_SECONDS = 4.0


class Undelivered(Exception):
    """The receiver could not be told; the text says why, without its address."""


@dataclass(frozen=True)
class Message:
    """headers: beside the content's type."""

    address: str = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    retry_after: str = ""


Post = Callable[[Message], Answer]  # raises OSError, HTTPException or ValueError when there is no answer


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would carry a key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(message: Message) -> Answer:
    if not message.address.startswith("https://"):
        raise ValueError("its address does not begin with https://")
    request = urllib.request.Request(message.address, json.dumps(message.payload).encode(), method="POST", headers={
        "Content-Type": "application/json", "User-Agent": "candlefish", **message.headers})
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=TIMEOUT_SECONDS) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, b"", error.headers.get("Retry-After") or "")


def deliver(message: Message, send: Post = post, pause: Callable[[float], None] = time.sleep) -> Any:
    """The answer's JSON, or None. Raises Undelivered."""
    trouble, delay = "", FIRST_DELAY_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        wait = delay
        try:
            answer = send(message)
        except (OSError, HTTPException, ValueError) as error:
            trouble = f"no answer ({type(error).__name__})"
        else:
            if answer.status < 300:
                return _document(answer.body)
            trouble = f"it answered {answer.status}"
            if answer.status < 500 and answer.status not in (408, 429):
                raise Undelivered(trouble)
            wait = max(delay, min(_seconds(answer.retry_after), LONGEST_DELAY_SECONDS))
        if attempt < ATTEMPTS:
            pause(wait)
            delay *= 2
    raise Undelivered(f"{trouble} in {ATTEMPTS} attempts")


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None  # Slack says `ok`


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0  # a date: the next attempt is soon enough
