"""What the services publish, read as alerts: one row of `READERS` a shape, the first that recognises it wins.

Shapes: "Amazon SNS notifications" in the CloudWatch, RDS, AWS Backup, Budgets, Cost Anomaly Detection and EventBridge
guides; `candlefish` is our own functions' and commands' (`{"candlefish": {"title": …, "text": …, "severity": …}}`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .alert import SEVERITIES, Alert, State, key_of, link, severity_of

Message = Mapping[str, Any]
_MAXIMUM_FIELDS = 12
# RDS event categories in words, worst first (RDS user guide, "Amazon RDS event categories and event messages")
_DATABASE_WORDS = ((("failover started", "failover completed", "failed", "unable", "out of storage", "storage-full",
                     "incompatible", "corrupt"), "P1"),
                   (("low storage", "free storage", "recovery", "restarted", "shutdown", "read replica"), "P2"))
_FINDING = ((7.0, "P1"), (4.0, "P2"))  # GuardDuty: high from 7.0, medium from 4.0
_BACKUP_FAILURES = ("FAILED", "ABORTED", "EXPIRED", "PARTIAL")


def read(subject: str, message: str, attributes: Mapping[str, str], topic: str, at: str) -> Alert:
    """`attributes`: the message attributes' values. Anything can be published: what no row knows is told as it is."""
    try:
        document = json.loads(message)
        if isinstance(document, dict):
            for knows, reader in READERS:
                if knows(document):
                    return reader(document, at)
    except (ValueError, TypeError, KeyError, AttributeError):
        pass  # no JSON, or a shape that only resembles one of ours: told as it is
    for knows_text, text_reader in TEXT_READERS:
        if knows_text(subject, message, attributes):
            return text_reader(subject, message, attributes, at)
    title = subject or next(iter(message.strip().splitlines()), "An empty message")
    return Alert(title[:200], message, severity_of(subject, message), State.NOTE, topic, key_of(topic, message), at)


def _alarm(document: Message, at: str) -> Alert:
    """A metric alarm or a composite one (which has an `AlarmRule` and no `Trigger`)."""
    name, description = str(document["AlarmName"]), str(document.get("AlarmDescription") or "")
    state = {"ALARM": State.FIRING, "OK": State.RESOLVED}.get(str(document["NewStateValue"]), State.NOTE)
    trigger = document.get("Trigger") or {}
    dimensions = {str(each.get("name")): str(each.get("value")) for each in trigger.get("Dimensions") or ()}
    fields = {"State": f"{document.get('OldStateValue', '?')} → {document['NewStateValue']}",
              "Region": str(document.get("Region", "")), "Metric": str(trigger.get("MetricName") or ""),
              "Threshold": str(trigger.get("Threshold", "")), **dimensions}
    return Alert(
        name, str(document.get("NewStateReason") or description), severity_of(description, name), state,
        "CloudWatch", key_of(str(document.get("AlarmArn") or name)), str(document.get("StateChangeTime") or at),
        _shown(fields), link("runbook", description), link("dashboard", description))


def _database(document: Message, at: str) -> Alert:
    text = str(document["Event Message"])
    lowered = text.lower()
    severity = next((severity for words, severity in _DATABASE_WORDS if any(word in lowered for word in words)), "P3")
    event = str(document.get("Event ID", "")).rpartition("#")[2]
    source = str(document["Source ID"])
    return Alert(f"{source}: {text}"[:200], text, severity, State.NOTE, "RDS", key_of(source, event, at),
                 str(document.get("Event Time") or at), _shown({"Event": event, "Source": source}),
                 dashboard=str(document.get("Identifier Link") or ""))


def _rule_event(document: Message, at: str) -> Alert:
    """An event as a rule passes it on."""
    detail = document.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    kind, source = str(document["detail-type"]), str(document["source"])
    text = str(detail.get("description") or detail.get("statusMessage") or detail.get("message") or kind)
    fields = {key: str(value) for key, value in detail.items() if isinstance(value, str | int | float)}
    return Alert(
        str(detail.get("title") or kind)[:200], text, _event_severity(source, detail), State.NOTE, source,
        key_of(source, kind, *map(str, document.get("resources") or [document.get("id", "")])),
        str(document.get("time") or at),
        _shown({"Resources": ", ".join(map(str, document.get("resources") or ())), **fields}))


def _event_severity(source: str, detail: Message) -> str:
    if source == "aws.guardduty":
        score = float(detail.get("severity", 0))
        return next((severity for least, severity in _FINDING if score >= least), "P3")
    if source == "aws.backup":
        return "P1" if str(detail.get("state", "")).upper() in _BACKUP_FAILURES else "P3"
    return severity_of(str(detail.get("severity", "")))


def _anomaly(document: Message, at: str) -> Alert:
    impact = document.get("impact") or {}
    return Alert(
        f"Cost anomaly: {document.get('dimensionalValue') or 'several services'}",
        f"${float(impact.get('totalImpact', 0)):.2f} more than expected", "P3", State.NOTE, "Cost Anomaly Detection",
        key_of(str(document["anomalyId"])), str(document.get("anomalyEndDate") or at),
        _shown({"Account": str(document.get("accountId", "")), "Since": str(document.get("anomalyStartDate", ""))}),
        dashboard=str(document.get("anomalyDetailsLink") or ""))


def _own(document: Message, at: str) -> Alert:
    """Ours: title and text, and what else is given of severity, state, key, fields, runbook, dashboard."""
    said = document["candlefish"]
    severity = str(said.get("severity", ""))
    title = str(said["title"])
    return Alert(
        title, str(said.get("text", "")), severity if severity in SEVERITIES else severity_of(title),
        State(said["state"]) if said.get("state") in set(State) else State.NOTE, str(said.get("source", "candlefish")),
        key_of(str(said.get("key") or f"{title}{at}")), at,
        _shown({str(key): str(value) for key, value in (said.get("fields") or {}).items()}),
        str(said.get("runbook", "")), str(said.get("dashboard", "")))


def _budget(subject: str, message: str, attributes: Mapping[str, str], at: str) -> Alert:
    """Plain text with lines `Budget Name: …`, `Budgeted Amount: …`."""
    fields = dict(re.findall(r"(?m)^\s*([A-Z][A-Za-z ]{2,30}): +(\S.*?)\s*$", message))
    exceeded = fields.get("Alert Type", "").upper() == "ACTUAL" or "has exceeded" in subject
    return Alert(subject or f"Budget {fields.get('Budget Name', '')}", message.strip(), "P2" if exceeded else "P3",
                 State.NOTE, "Budgets", key_of("budget", fields.get("Budget Name", subject), at[:10]), at,
                 _shown(fields))


def _backup(subject: str, message: str, attributes: Mapping[str, str], at: str) -> Alert:
    """Text with the attributes EventType, State, Id."""
    state = attributes.get("State", "")
    severity = "P1" if state.upper() in _BACKUP_FAILURES else "P3"
    return Alert(f"{attributes['EventType'].replace('_', ' ').capitalize()} {state.lower()}", message, severity,
                 State.NOTE, "AWS Backup", key_of("backup", attributes.get("Id", message), state), at,
                 _shown({key: value for key, value in attributes.items() if key in ("EventType", "State", "Id")}))


def _shown(fields: Mapping[str, str]) -> dict[str, str]:
    return dict([(key, value) for key, value in fields.items() if value][:_MAXIMUM_FIELDS])


READERS: tuple[tuple[Callable[[Message], bool], Callable[[Message, str], Alert]], ...] = (
    (lambda d: isinstance(d.get("candlefish"), dict) and "title" in d["candlefish"], _own),
    (lambda d: "AlarmName" in d and "NewStateValue" in d, _alarm),
    (lambda d: "Event Message" in d and "Source ID" in d, _database),
    (lambda d: "detail-type" in d and "source" in d, _rule_event),
    (lambda d: "anomalyId" in d, _anomaly),
)
TextKnows = Callable[[str, str, Mapping[str, str]], bool]
TextReader = Callable[[str, str, Mapping[str, str], str], Alert]
TEXT_READERS: tuple[tuple[TextKnows, TextReader], ...] = (
    (lambda subject, text, attributes: "EventType" in attributes and "State" in attributes, _backup),
    (lambda subject, text, attributes: subject.startswith("AWS Budgets:") or "AWS Budget Notification" in text,
     _budget),
)
