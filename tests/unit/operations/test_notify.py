"""Slack, PagerDuty and GitHub are told of rollouts as they document it, and cannot harm one."""

from __future__ import annotations

import datetime
import json
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from operations.notify.delivery import Answer, Message, Undelivered, deliver, post
from operations.notify.notifier import Notifier
from operations.notify.receivers import receivers
from operations.notify.senders import GitHub, PagerDuty, Sender, Slack
from operations.rollout.events import Event, Happened, Teller
from operations.rollout.model import Phase, Record, Result
from tests.cluster.rollout_world import target

WEBHOOK, KEY, TOKEN = "https://hooks.slack.example/T0/B0/secret", "key-of-32-characters", "token-of-github"
RECORD = Record(7, "blue-green", "example/website:2@sha256:ab", "example/website:1", "blue", "green", began=0.0,
                by="ann@laptop (1, 2)")
AIM = target("somewhere")


def event(happened: Happened, result: Result = Result.RUNNING, text: str = "revision 7 goes <on> & on") -> Event:
    return Event(happened, AIM, replace(RECORD, result=result, phase=Phase.HOLD), text)


class Heard:
    """In place of the network."""

    def __init__(self, answer: Any = None) -> None:
        self.messages: list[Message] = []
        self._answer = answer

    def __call__(self, message: Message) -> Any:
        self.messages.append(message)
        return self._answer


def told(sender: Sender, *events: Event, answer: Any = None) -> list[Message]:
    heard = Heard(answer)
    for each in events:
        sender(each, heard)
    return heard.messages


def test_slack_hears_of_beginnings_and_ends_with_its_markup_escaped() -> None:
    start, end = told(Slack(WEBHOOK), event(Happened.STARTED), event(Happened.STEP),
                      event(Happened.ENDED, Result.PROMOTED))
    assert start.address == WEBHOOK
    assert start.payload["text"] == ":arrow_forward: *development*: revision 7 goes &lt;on&gt; &amp; on"
    section, context = start.payload["blocks"]
    assert section["text"] == {"type": "mrkdwn", "text": start.payload["text"]}
    assert "revision 7 · image example/website:2@sha256:ab · strategy blue-green · by ann@laptop" in (
        context["elements"][0]["text"])
    assert end.payload["text"].startswith(":white_check_mark:")


def test_pagerduty_has_changes_and_an_alert_that_the_next_promotion_resolves() -> None:
    def sent(happened: Happened, result: Result = Result.RUNNING) -> list[tuple[str, str]]:
        messages = told(PagerDuty(KEY), event(happened, result))
        assert {message.payload["routing_key"] for message in messages} <= {KEY}
        return [(message.address.partition("/v2/")[2], message.payload.get("event_action", "")) for message in messages]

    assert sent(Happened.STARTED) == [("change/enqueue", "")]
    assert sent(Happened.STEP) == []
    assert sent(Happened.ENDED, Result.PROMOTED) == [("change/enqueue", ""), ("enqueue", "resolve")]
    assert sent(Happened.ENDED, Result.ROLLED_BACK) == [("enqueue", "trigger")]
    assert sent(Happened.ENDED, Result.ABORTED) == []
    (alert,) = told(PagerDuty(KEY), event(Happened.STOPPED))
    assert alert.payload["dedup_key"] == "development/rollout/website"
    assert {key: alert.payload["payload"][key] for key in ("severity", "source", "component")} == {
        "severity": "error", "source": "candlefish/development/rollout/website", "component": "website"}


def test_github_gets_one_deployment_and_a_status_for_each_event() -> None:
    github = GitHub("candlefish-ai/site", TOKEN, "0a1b", log="https://github.com/candlefish-ai/site/actions/runs/5")
    made, *statuses = told(github, event(Happened.STARTED, text="x" * 200), event(Happened.STEP),
                           event(Happened.STOPPED, Result.HELD), event(Happened.STOPPED),
                           event(Happened.ENDED, Result.PROMOTED), event(Happened.ENDED, Result.ROLLED_BACK),
                           answer={"id": 42})
    assert made.address == "https://api.github.com/repos/candlefish-ai/site/deployments"
    assert {key: made.payload[key] for key in ("ref", "environment", "auto_merge", "required_contexts")} == {
        "ref": "0a1b", "environment": "development", "auto_merge": False, "required_contexts": []}
    assert [status.payload["state"] for status in statuses] == [
        "in_progress", "in_progress", "pending", "error", "success", "failure"]
    assert {status.address for status in statuses} == {f"{made.address}/42/statuses"}
    assert len(statuses[0].payload["description"]) == 140
    assert statuses[0].payload["log_url"].endswith("/actions/runs/5")
    assert statuses[0].headers["Authorization"] == f"Bearer {TOKEN}"
    (status,) = told(GitHub("candlefish-ai/site", TOKEN, deployment=9), event(Happened.STARTED))
    assert status.address.endswith("/deployments/9/statuses")


@pytest.mark.parametrize(("answers", "attempts", "pauses"), [
    ([200], 1, []), ([500, 200], 2, [0.5]), ([429, 429, 200], 3, [3.0, 3.0]), ([OSError(), 204], 2, [0.5])])
def test_a_receiver_is_tried_again_while_that_can_help(answers: list[Any], attempts: int, pauses: list[float]) -> None:
    left = list(answers)
    waited: list[float] = []

    def send(message: Message) -> Answer:
        answer = left.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return Answer(answer, b'{"id": 1}', "3" if answer == 429 else "")

    assert deliver(Message(WEBHOOK, {}), send, waited.append) == {"id": 1}
    assert (len(answers) - len(left), waited) == (attempts, pauses)


@pytest.mark.parametrize(("status", "said"), [(404, "it answered 404"), (302, "it answered 302"),
                                              (503, "it answered 503 in 3 attempts")])
def test_what_cannot_be_told_is_said_without_the_address(status: int, said: str) -> None:
    with pytest.raises(Undelivered) as error:
        deliver(Message(WEBHOOK, {}), lambda message: Answer(status), lambda seconds: None)
    assert str(error.value) == said
    assert "secret" not in repr(Message(WEBHOOK, {"routing_key": KEY}, {"Authorization": TOKEN}))
    assert "secret" not in repr(Slack(WEBHOOK))
    assert TOKEN not in repr(GitHub("a/b", TOKEN))


def test_an_address_without_tls_is_not_asked() -> None:
    with pytest.raises(Undelivered, match=r"no answer \(ValueError\)"):
        deliver(Message("http://hooks.slack.example", {}), post, lambda seconds: None)


def test_one_receiver_that_fails_or_hangs_keeps_nothing_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    heard, free = [], threading.Event()

    def send(message: Message) -> Any:
        if message.address == WEBHOOK:
            raise Undelivered("it answered 404")
        if message.address.startswith("https://api.github.com"):
            free.wait(60)
        heard.append(message.address)
        return {"id": 1}

    monkeypatch.setattr("operations.rollout.events.LAST_WORDS_SECONDS", 0.2)
    began = time.monotonic()
    with Teller(Notifier(lambda: [Slack(WEBHOOK), GitHub("a/b", TOKEN, "0a"), PagerDuty(KEY)], said.append, send),
                said.append) as teller:
        teller(event(Happened.STARTED, text="it starts"))
    assert time.monotonic() - began < 30
    free.set()
    assert heard[0] == "https://events.pagerduty.com/v2/change/enqueue"
    assert said == ["Slack was not told that it starts: it answered 404"]


def test_secrets_that_cannot_be_read_are_said_once() -> None:
    said: list[str] = []

    def unreadable() -> list[Sender]:
        raise PermissionError("AccessDenied")

    notifier = Notifier(unreadable, said.append)
    notifier(event(Happened.STARTED))
    notifier(event(Happened.STEP))
    assert said == ["nobody is told of this rollout: whom to tell can't be read (AccessDenied)"]


class Secrets:
    """Secrets Manager with documents by name."""

    def __init__(self, **documents: Any) -> None:
        self._documents = {f"candlefish-staging/{name}-1a2b3c": value for name, value in documents.items()}

    def get_paginator(self, _: str) -> Secrets:
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        (prefix,) = Filters[0]["Values"]
        made = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        return [{"SecretList": [{"Name": name, "ARN": name, "CreatedDate": made} for name in self._documents
                                if name.startswith(prefix)]}]

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        return {"SecretString": json.dumps(self._documents[SecretId])}


def test_who_is_told_comes_from_the_environment_and_then_from_the_stacks_secrets() -> None:
    filled = Secrets(slack={"alerts": WEBHOOK, "incidents": "x"}, pagerduty={"routingKey": KEY})
    assert receivers("staging", {}, Secrets(slack={}, pagerduty={})) == []
    assert receivers("staging", {}, Secrets()) == []
    assert receivers("staging", {}, filled) == [Slack(WEBHOOK), PagerDuty(KEY)]
    assert receivers("staging", {"CANDLEFISH_SLACK_WEBHOOK": "https://other"}, filled)[0] == Slack("https://other")
    pipeline = {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "a/b", "GITHUB_SHA": "0a1b", "GITHUB_RUN_ID": "5",
                "GITHUB_SERVER_URL": "https://github.com"}
    assert receivers("staging", pipeline, Secrets()) == [
        GitHub("a/b", TOKEN, "0a1b", log="https://github.com/a/b/actions/runs/5")]
    assert receivers("staging", {**pipeline, "GITHUB_SHA": ""}, Secrets()) == []
    with pytest.raises(ValueError, match="CANDLEFISH_GITHUB_DEPLOYMENT is no number"):
        receivers("staging", {**pipeline, "CANDLEFISH_GITHUB_DEPLOYMENT": "x"}, Secrets())
