"""What the receivers take: Slack's message with blocks, PagerDuty's event (Events API v2)."""

from __future__ import annotations

from typing import Any

from .alert import Alert, State

Payload = dict[str, Any]

_COLOURS = {"P0": "#b30000", "P1": "#e8590c", "P2": "#f2c744", "P3": "#4a90d9"}
_RESOLVED_COLOUR = "#2eb67d"
_PAGERDUTY_SEVERITIES = {"P0": "critical", "P1": "error", "P2": "warning", "P3": "info"}
_WORDS = {State.FIRING: "", State.RESOLVED: "Resolved: ", State.NOTE: ""}
# Slack: 150 characters in a header, 3,000 in a section, 10 fields of 2,000 (Block Kit reference); PagerDuty: 1,024 in a
# summary, 255 in a key (Events API v2).
_HEADER, _SECTION, _FIELDS, _FIELD, _SUMMARY = 150, 3000, 10, 2000, 1024


def slack(alert: Alert, channel: str, environment: str) -> Payload:
    """`channel` is what webhooks of old integrations obey; an app's webhook has its channel by itself."""
    title = f"{_WORDS[alert.state]}[{alert.severity}] {environment}: {alert.title}"
    links = [f"<{url}|{word}>" for word, url in (("Runbook", alert.runbook), ("Dashboard", alert.dashboard)) if url]
    blocks: list[Payload] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER)}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _cut(_escaped(alert.text) or "–", _SECTION)}}]
    if alert.fields:
        blocks.append({"type": "section", "fields": [
            {"type": "mrkdwn", "text": _cut(f"*{_escaped(key)}*\n{_escaped(value)}", _FIELD)}
            for key, value in list(alert.fields.items())[:_FIELDS]]})
    context = " · ".join([*links, _escaped(alert.source), *([alert.at] if alert.at else [])])
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": context}]})
    colour = _RESOLVED_COLOUR if alert.state is State.RESOLVED else _COLOURS[alert.severity]
    return {"channel": channel, "text": _escaped(title), "attachments": [{"color": colour, "blocks": blocks}]}


def pagerduty(alert: Alert, routing_key: str, environment: str) -> Payload:
    """A trigger, or for what is over the resolution of the same key."""
    if alert.state is State.RESOLVED:
        return {"routing_key": routing_key, "event_action": "resolve", "dedup_key": f"{environment}/{alert.key}"}
    details: Payload = {
        "summary": _cut(f"[{alert.severity}] {environment}: {alert.title}", _SUMMARY), "source": alert.source,
        "severity": _PAGERDUTY_SEVERITIES[alert.severity], "group": environment, "component": "candlefish",
        "custom_details": {"text": alert.text, **alert.fields}}
    if alert.at:
        details["timestamp"] = alert.at
    links = [{"href": url, "text": word} for word, url in (("Runbook", alert.runbook), ("Dashboard", alert.dashboard))
             if url]
    return {"routing_key": routing_key, "event_action": "trigger", "dedup_key": f"{environment}/{alert.key}",
            "payload": details, "links": links, "client": "Candlefish"}


def _escaped(text: str) -> str:
    """The three characters that Slack's markup reserves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length - 1] + "…"
