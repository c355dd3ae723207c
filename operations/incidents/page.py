"""docs/runbooks/response.md: severities, contacts, escalation, messages. Contacts are the stacks' settings; where those
name nobody, the page says so."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.plans.observability.severity import Severity
from infra.settings.model import Settings

KEY = "{incident, the same in all its messages}"
TOPIC = 'pulumi stack output incidentsTopicArn --stack {stack}'


@dataclass(frozen=True)
class Meaning:
    """what: when it is this severity. told: how often those who wait hear something, also when nothing is new."""

    what: str
    told: str


MEANINGS: Mapping[Severity, Meaning] = {
    Severity.P0: Meaning("a service is down, most requests fail, or data or a region is lost", "every 15 minutes"),
    Severity.P1: Meaning("visitors notice it, or data is at risk", "every 30 minutes"),
    Severity.P2: Meaning("it is degraded or will be, and visitors do not notice yet", "when something changes"),
    Severity.P3: Meaning("it can wait for working hours", "in the weekly look at the calendar's tasks"),
}


@dataclass(frozen=True)
class Message:
    """title, text: with {placeholders} that who sends it fills in. state: as the receivers know it; a firing message of
    P0 and P1 pages, a resolved one with the same key ends it."""

    name: str
    when: str
    title: str
    text: str
    state: str

    def body(self, severity: Severity) -> str:
        return json.dumps({"candlefish": {"title": self.title, "text": self.text, "severity": severity.value,
                                          "state": self.state, "key": KEY}})

    def line(self, severity: Severity) -> str:
        return (f'aws sns publish --topic-arn "$({TOPIC})" \\\n    --message {shlex.quote(self.body(severity))}')


MESSAGES = (
    Message("begun", "as soon as somebody answers, before the cause is known", "{what fails}, since {time} UTC",
            "Seen by: {alarm or person}. Who notices: {visitors, operators}. Leads: {name}. Next word: {time} UTC.",
            "firing"),
    Message("goes on", "as often as the severity says", "{what fails}: {what is known now}",
            "Cause: {known, suspected or not known}. Done: {commands}. Next: {step}. Next word: {time} UTC.", "note"),
    Message("over", "when the alarm is quiet and `candlefish verify` passes", "{what failed}: over since {time} UTC",
            "It lasted {minutes} min. Cause: {sentence}. Lost: {requests, data or nothing}. The write-up follows.",
            "resolved"),
)
VISITORS = (
    ("begun", "Some pages do not answer as they should. We know of it and work on it; more at {time} UTC."),
    ("goes on", "{What} is still disturbed. {What works} works. More at {time} UTC."),
    ("over", "Everything has worked again since {time} UTC. {Whether anything was lost.}"),
)


def page(stacks: Mapping[str, Settings]) -> str:
    """stacks: name → settings, in the page's order."""
    return "\n".join(_lines(stacks)) + "\n"


def _lines(stacks: Mapping[str, Settings]) -> Iterator[str]:
    yield from ("# Runbook: how an incident is answered", "",
                "Made by `python -m tests.response --write` from `operations/incidents/page.py` and the stacks' "
                "settings; a test compares.", "",
                "## Severities", "", "| severity | when | somebody answers within | those who wait are told |",
                "|---|---|---|---|")
    yield from (f"| {each} | {meaning.what} | {each.response} | {meaning.told} |" for each, meaning in MEANINGS.items())
    yield from ("", "An alarm has its severity in its description ([all of them](../observability.md)); a disaster has "
                "it in [its runbook](disasters/README.md). In doubt the higher one: it is lowered when more is known.",
                "", "## Contacts", "",
                "| stack | owner | alarms | people write in | pages |", "|---|---|---|---|---|")
    for name, settings in stacks.items():
        told = settings.operations.notifications
        yield (f"| {name} | {settings.ownership.owner} | `{told.alerts_channel}` | `{told.incidents_channel}` | "
               f"PagerDuty: {', '.join(told.paged) or 'nothing'} |")
    yield from ("", "The channels are Slack's, `operations.notifications` has them; the owner is `ownership.owner`, on "
                "every resource as the tag `Owner`. Who is on call is PagerDuty's schedule.", "", "## Escalation", "",
                "Whoever answers leads, until he hands over by name. Unanswered, or not under control:", "",
                "| stack | after | goes to |", "|---|---|---|")
    for name, settings in stacks.items():
        steps = settings.operations.notifications.escalation
        yield from (f"| {name} | {each.minutes} min | {each.to} |" for each in steps)
        if not steps:
            yield (f"| {name} | | nobody is named yet: `operations.notifications.escalation` in Pulumi.{name}.yaml; "
                   "PagerDuty's own escalation policy holds |")
    yield from ("", "## What is done first", "",
                "1. Say that somebody is at it (below), and who leads.",
                "2. `candlefish verify --stack S`: what is wrong, and what is not. A rollout under way: `candlefish "
                "rollout status SERVICE --stack S`.",
                "3. The alarm's runbook, or that of the [disaster](disasters/README.md). First what gives visitors "
                "service again (`rollout rollback`, `switch`, `maintenance on`), then the cause.",
                "4. Write down what was done, with times: the [post-mortem](post-mortem.md) is made of it.",
                "", "## Messages", "",
                "To the incidents' channel, and for P0 and P1 to PagerDuty; what is in braces is filled in.")
    for each in MESSAGES:
        yield from ("", f"**{each.name}**, {each.when}:", "```",
                    each.line(Severity.P1).replace("{stack}", "production"), "```")
    yield from ("", "To visitors, on the status page:", "", "| | |", "|---|---|")
    yield from (f"| {when} | {text} |" for when, text in VISITORS)
