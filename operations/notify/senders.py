"""What each receiver takes of an event of a rollout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from operations.notify.delivery import Message, Undelivered
from operations.rollout.events import Event, Happened
from operations.rollout.model import Result

Deliver = Callable[[Message], Any]  # see `delivery.deliver`
PAGERDUTY = "https://events.pagerduty.com/v2/"
# Slack, Block Kit reference: 3,000 characters in a section. PagerDuty, Events API v2: 1,024 in a summary. GitHub,
# "Create a deployment status": 140 in a description.
SECTION, SUMMARY, DESCRIPTION = 3000, 1024, 140


class Sender(Protocol):
    name: str

    def __call__(self, event: Event, deliver: Deliver) -> None:
        """Tells the event, if it is one for this receiver. Raises Undelivered."""
        ...


@dataclass
class Slack:
    """An incoming webhook. It hears of beginnings and ends, not of steps."""

    webhook: str = field(repr=False)
    name: str = "Slack"

    def __call__(self, event: Event, deliver: Deliver) -> None:
        if event.happened is Happened.STEP:
            return
        text = _cut(f"{_mark(event)} *{event.target.stack}*: {_escaped(event.text)}", SECTION)
        told = " · ".join(_escaped(f"{word} {value}") for word, value in _facts(event))
        deliver(Message(self.webhook, {"text": text, "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(told, SECTION)}]}]}))


@dataclass
class PagerDuty:
    """Events API v2. A change event for each beginning and promotion; an alert for what stopped or was taken back,
    which the next promotion of the service resolves."""

    routing_key: str = field(repr=False)
    name: str = "PagerDuty"

    def __call__(self, event: Event, deliver: Deliver) -> None:
        for path, payload in self._payloads(event):
            deliver(Message(f"{PAGERDUTY}{path}", {"routing_key": self.routing_key, **payload}))

    def _payloads(self, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        key = f"{event.target.stack}/rollout/{event.target.name}"
        about = {"summary": _cut(f"{event.target.stack}: {event.text}", SUMMARY), "source": f"candlefish/{key}",
                 "custom_details": dict(_facts(event))}
        promoted = event.happened is Happened.ENDED and event.record.result is Result.PROMOTED
        if event.happened is Happened.STARTED or promoted:
            yield "change/enqueue", {"payload": about}
        if promoted:
            yield "enqueue", {"event_action": "resolve", "dedup_key": key}
        elif event.happened in (Happened.STOPPED, Happened.ENDED) and event.record.result is not Result.ABORTED:
            severity = "warning" if event.record.result in (Result.HELD, Result.ROLLED_BACK) else "error"
            yield "enqueue", {"event_action": "trigger", "dedup_key": key, "client": "Candlefish", "payload": {
                **about, "severity": severity, "component": event.target.name, "group": event.target.stack,
                "class": "rollout"}}


@dataclass
class GitHub:
    """Statuses of one deployment. deployment: its id; 0: one of `ref` is made with the first event. url: of the API;
    log: where the pipeline's log is."""

    repository: str
    token: str = field(repr=False)
    ref: str = ""
    deployment: int = 0
    url: str = "https://api.github.com"
    log: str = ""
    name: str = "GitHub"

    def __call__(self, event: Event, deliver: Deliver) -> None:
        environment = event.target.stack
        if not self.deployment:
            made = deliver(self._message("deployments", {
                "ref": self.ref, "task": f"deploy:{event.target.name}", "environment": environment,
                "auto_merge": False, "required_contexts": [], "production_environment": environment == "production",
                "description": _cut(f"{event.target.name} {event.record.image}", DESCRIPTION)}))
            if not isinstance(made, dict) or not isinstance(made.get("id"), int):
                raise Undelivered("it made no deployment")
            self.deployment = made["id"]
        deliver(self._message(f"deployments/{self.deployment}/statuses", {
            "state": _state(event), "environment": environment, "auto_inactive": True,
            "description": _cut(event.text, DESCRIPTION), **({"log_url": self.log} if self.log else {})}))

    def _message(self, path: str, payload: Mapping[str, Any]) -> Message:
        return Message(f"{self.url}/repos/{self.repository}/{path}", payload, {
            "Accept": "application/vnd.github+json", "Authorization": f"Bearer {self.token}",
            "X-GitHub-Api-Version": "2022-11-28"})


def _state(event: Event) -> str:
    if event.happened in (Happened.STARTED, Happened.STEP):
        return "in_progress"
    if event.happened is Happened.STOPPED:
        return "pending" if event.record.result is Result.HELD else "error"
    return "success" if event.record.result is Result.PROMOTED else "failure"


def _mark(event: Event) -> str:
    marks = {"in_progress": ":arrow_forward:", "pending": ":double_vertical_bar:", "error": ":warning:",
             "success": ":white_check_mark:", "failure": ":leftwards_arrow_with_hook:"}
    return marks[_state(event)]


def _facts(event: Event) -> list[tuple[str, str]]:
    record = event.record
    return [("service", event.target.name), ("revision", str(record.revision)), ("image", record.image),
            ("strategy", str(record.strategy)), ("by", record.by.partition(" (")[0] or "nobody")]


def _escaped(text: str) -> str:
    """The three characters that Slack's markup reserves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length - 1] + "…"
