"""Notifications: what the services publish reaches the receivers as it should, once, and no secret reaches a log."""

from __future__ import annotations

import json
import sys
import urllib.error
from collections.abc import Callable, Mapping
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from notifications import delivery, handler
from notifications.alert import Alert, State, severity_of
from notifications.delivery import ATTEMPTS, Answer
from notifications.handler import Receivers, Secrets, Undelivered, deliver
from notifications.payloads import pagerduty, slack
from notifications.sources import read

pytestmark = pytest.mark.functions

ALERTS, INCIDENTS = "arn:aws:sns:us-east-1:1:alerts", "arn:aws:sns:us-east-1:1:incidents"
HOOK, KEY = "https://hooks.slack.com/services/T0/B0/SECRETPART", "R0UT1NGK3Y"
ENVIRONMENT = {
    "ENVIRONMENT": "staging", "SLACK_SECRET_ARN": "slack", "PAGERDUTY_SECRET_ARN": "pagerduty", "PAGED": "P0,P1",
    "CHANNELS": '{"alerts": "#ops-alerts", "incidents": "#incident-response"}', "INCIDENTS_TOPIC_ARN": INCIDENTS,
    "RUNBOOKS_URL": "https://docs.test/runbooks", "DASHBOARD_URL": "https://dashboard.test"}
ALARM: dict[str, Any] = {  # as CloudWatch sends it
    "AlarmName": "staging-candlefish-error-rate", "AlarmDescription": "[P1] Errors above 5 %. Runbook: errors.md",
    "AWSAccountId": "123456789012", "AlarmConfigurationUpdatedTimestamp": "2026-11-21T10:00:00.000+0000",
    "NewStateValue": "ALARM", "NewStateReason": "Threshold Crossed: 1 datapoint [7.0] was greater than 5.0",
    "StateChangeTime": "2026-11-21T11:00:00.000+0000", "Region": "US East (N. Virginia)",
    "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:staging-candlefish-error-rate", "OldStateValue": "OK",
    "OKActions": [], "AlarmActions": [ALERTS], "InsufficientDataActions": [],
    "Trigger": {"MetricName": "error_rate", "Namespace": "Candlefish", "StatisticType": "Statistic",
                "Statistic": "AVERAGE", "Unit": None, "Dimensions": [{"value": "staging", "name": "environment"}],
                "Period": 60, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0}}
BUDGET = """AWS Budget Notification November 21, 2026
AWS Account 123456789012

Dear AWS Customer,

You requested that we alert you when the ACTUAL Cost associated with your candlefish-staging budget is greater than
$480.00 for the current month. The ACTUAL Cost associated with this budget is $512.30.

Budget Name: candlefish-staging
Budget Type: Cost
Budgeted Amount: $600.00
Alert Type: ACTUAL
Alert Threshold: > $480.00
ACTUAL Amount: $512.30
"""
DATABASE = {
    "Event Source": "db-instance", "Event Time": "2026-11-21 08:16:34.112", "Source ID": "staging-candlefish-db",
    "Identifier Link": "https://console.aws.amazon.com/rds/home?region=us-east-1#dbinstance:id=staging-candlefish-db",
    "Source ARN": "arn:aws:rds:us-east-1:123456789012:db:staging-candlefish-db",
    "Event ID": "http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide/USER_Events.html#RDS-EVENT-0049",
    "Event Message": "Multi-AZ instance failover completed"}
BACKUP = {"EventType": "BACKUP_JOB", "State": "FAILED", "Id": "1b2345b2", "AccountId": "123456789012"}
FINDING = {
    "version": "0", "id": "c8c4daa7", "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
    "account": "123456789012", "time": "2026-11-21T10:00:00Z", "region": "us-east-1", "resources": [],
    "detail": {"severity": 8, "title": "Credentials used from outside", "description": "An instance's credentials …"}}
ANOMALY = {"accountId": "123456789012", "anomalyId": "a-1", "anomalyStartDate": "2026-11-20T00:00:00Z",
           "anomalyEndDate": "2026-11-21T00:00:00Z", "dimensionalValue": "AmazonEC2", "impact": {"totalImpact": 41.5},
           "anomalyDetailsLink": "https://console.aws.amazon.com/cost-management/anomaly"}


class World:
    """The receivers as the function meets them; `answers` are given in turn, then 200."""

    def __init__(self, *answers: int | Answer | Exception, slack: Mapping[str, str] | None = None,
                 pagerduty: Mapping[str, str] | None = None) -> None:
        self.answers = list(answers)
        self.secrets: dict[str, Mapping[str, str] | Exception] = {
            "slack": {"alerts": HOOK, "incidents": HOOK + "2"} if slack is None else slack,
            "pagerduty": {"routingKey": KEY} if pagerduty is None else pagerduty}
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.slept: list[float] = []
        self.lines: list[str] = []
        self.receivers = Receivers(ENVIRONMENT, self._secret, self._post, self.slept.append, self.lines.append)

    def _secret(self, arn: str) -> Mapping[str, str]:
        found = self.secrets[arn]
        if isinstance(found, Exception):
            raise found
        return found

    def _post(self, address: str, body: bytes) -> Answer:
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        self.sent.append((address, json.loads(body)))
        return Answer(answer) if isinstance(answer, int) else answer

    def tell(self, message: object, topic: str = ALERTS, subject: str = "", attributes: Mapping[str, str] | None = None,
             id: str = "m-1") -> int:
        text = message if isinstance(message, str) else json.dumps(message)
        return deliver({
            "Type": "Notification", "MessageId": id, "TopicArn": topic, "Subject": subject or None, "Message": text,
            "Timestamp": "2026-11-21T11:00:01.000Z", "SignatureVersion": "1", "MessageAttributes": {
                key: {"Type": "String", "Value": value} for key, value in (attributes or {}).items()}}, self.receivers)


def understood(message: object, subject: str = "", attributes: Mapping[str, str] | None = None) -> Alert:
    text = message if isinstance(message, str) else json.dumps(message)
    return read(subject, text, attributes or {}, "alerts", "2026-11-21T11:00:01.000Z")


def test_an_alarm_reaches_slack_and_pagerduty_with_severity_runbook_and_dashboard() -> None:
    world = World()
    assert world.tell(ALARM) == 2
    (address, told), (where, event) = world.sent
    assert (address, where) == (HOOK, handler.PAGERDUTY_ADDRESS)
    assert told["channel"] == "#ops-alerts"
    text = json.dumps(told)
    for part in ("[P1] staging: staging-candlefish-error-rate", "Threshold Crossed", "https://docs.test/runbooks/errors.md",
                 "https://dashboard.test", "error_rate", "OK \\u2192 ALARM"):
        assert part in text
    assert (event["event_action"], event["payload"]["severity"], event["routing_key"]) == ("trigger", "error", KEY)
    assert [link["text"] for link in event["links"]] == ["Runbook", "Dashboard"]


def test_what_is_over_resolves_the_same_matter() -> None:
    world = World()
    world.tell(ALARM)
    world.tell(ALARM | {"NewStateValue": "OK", "OldStateValue": "ALARM"}, id="m-2")
    trigger, resolve = (event for address, event in world.sent if address == handler.PAGERDUTY_ADDRESS)
    assert resolve["event_action"] == "resolve"
    assert resolve["dedup_key"] == trigger["dedup_key"]
    assert "Resolved" in json.dumps(world.sent[2])


def test_incidents_have_their_own_channel_and_webhook() -> None:
    world = World()
    world.tell({"candlefish": {"title": "Checkout is down", "severity": "P0"}}, topic=INCIDENTS)
    address, told = world.sent[0]
    assert (address, told["channel"]) == (HOOK + "2", "#incident-response")


@pytest.mark.parametrize(("alert", "severity", "state", "words"), [
    (understood(ALARM), "P1", State.FIRING, "error-rate"),
    (understood({**ALARM, "Trigger": None, "AlarmRule": "ALARM(a)", "AlarmDescription": None}), "P2", State.FIRING,
     "5.0"),
    (understood({**ALARM, "NewStateValue": "INSUFFICIENT_DATA"}), "P1", State.NOTE, "error-rate"),
    (understood(BUDGET, "AWS Budgets: candlefish-staging has exceeded your alert threshold"), "P2", State.NOTE,
     "512.30"),
    (understood(BUDGET.replace("ACTUAL", "FORECASTED"), "AWS Budgets: candlefish-staging"), "P3", State.NOTE, "600.00"),
    (understood(DATABASE), "P1", State.NOTE, "failover completed"),
    (understood(DATABASE | {"Event Message": "Backing up DB instance"}), "P3", State.NOTE, "Backing up"),
    (understood("An AWS Backup job failed.", "Notification from AWS Backup", BACKUP), "P1", State.NOTE, "failed"),
    (understood("An AWS Backup job was completed", "", BACKUP | {"State": "COMPLETED"}), "P3", State.NOTE, "completed"),
    (understood(FINDING), "P1", State.NOTE, "Credentials used"),
    (understood({**FINDING, "source": "aws.backup", "detail-type": "Backup Job State Change",
                 "detail": {"state": "FAILED", "statusMessage": "no role"}}), "P1", State.NOTE, "no role"),
    (understood(ANOMALY), "P3", State.NOTE, "41.50"),
    (understood({"candlefish": {"title": "Scaled down", "fields": {"groups": 2}}}), "P2", State.NOTE, "groups"),
    (understood({"ElastiCache:FailoverComplete": "staging"}, "P0 drill"), "P0", State.NOTE, "Failover"),
    (understood("plain words"), "P2", State.NOTE, "plain words")])
def test_every_services_shape_is_understood(alert: Alert, severity: str, state: State, words: str) -> None:
    assert (alert.severity, alert.state) == (severity, state)
    assert words in json.dumps([alert.title, alert.text, dict(alert.fields)])
    assert alert.title
    assert len(alert.key) == 32


@pytest.mark.parametrize(("text", "severity"), [
    ("[P0] fps", "P0"), ("staging-candlefish-p3-disk", "P3"), ("severity: P1.", "P1"), ("P95 above 2 s", "P2"),
    ("http2 p10 mp3", "P2"), ("", "P2")])
def test_a_severity_is_a_word_of_its_own(text: str, severity: str) -> None:
    assert severity_of(text) == severity


@given(st.text(max_size=200), st.one_of(st.text(max_size=500), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10).map(json.dumps)))
def test_anything_that_is_published_can_be_told(subject: str, message: str) -> None:
    alert = read(subject, message, {}, "alerts", "")
    assert len(slack(alert, "#c", "staging")["attachments"][0]["blocks"][0]["text"]["text"]) <= 150
    assert len(pagerduty(alert, KEY, "staging")["payload"]["summary"]) <= 1024


def test_a_message_that_only_resembles_a_known_shape_is_told_as_it_is() -> None:
    assert understood({"anomalyId": "a", "impact": "much"}).source == "alerts"
    assert understood({"AlarmName": "a", "NewStateValue": "OK", "Trigger": [1]}).text.startswith("{")


def test_markup_of_a_message_is_not_markup_of_ours() -> None:
    message = slack(understood("<!channel> & <https://evil.test|click>"), "#c", "staging")
    header, section, _ = message["attachments"][0]["blocks"]
    assert header["text"]["type"] == "plain_text"  # has no markup
    for text in (message["text"], section["text"]["text"]):
        assert "<" not in text
        assert "&lt;!channel&gt; &amp;" in text


def test_a_severity_that_is_not_paged_goes_to_slack_alone() -> None:
    world = World()
    assert world.tell(ANOMALY) == 1
    assert [address for address, _ in world.sent] == [HOOK]


@pytest.mark.parametrize("trouble", [503, 500, 408, OSError("refused"), TimeoutError(HOOK)])
def test_a_receiver_that_fails_is_tried_again_with_growing_pauses(trouble: int | Exception) -> None:
    world = World(trouble, trouble)
    assert world.tell(ANOMALY) == 1
    assert world.slept == [0.5, 1.0]


def test_a_receiver_that_asks_for_time_gets_it_up_to_a_limit() -> None:
    world = World(Answer(429, 3.0), Answer(429, 600.0))
    world.tell(ANOMALY)
    assert world.slept == [3.0, delivery.LONGEST_DELAY_SECONDS]


def test_what_a_receiver_refuses_is_not_repeated_but_kept_for_the_dead_letters() -> None:
    world = World(404)
    with pytest.raises(Undelivered, match="slack: status 404"):
        world.tell(ANOMALY)
    assert world.slept == []


def test_one_receiver_in_trouble_does_not_keep_the_other_from_being_told() -> None:
    world = World(*[503] * ATTEMPTS)
    with pytest.raises(Undelivered, match=f"slack: status 503 in {ATTEMPTS} attempts"):
        world.tell(ALARM)
    assert world.sent[-1][0] == handler.PAGERDUTY_ADDRESS


def test_a_message_delivered_again_tells_only_who_was_not_told() -> None:
    world = World(*[503] * ATTEMPTS)
    with pytest.raises(Undelivered):
        world.tell(ALARM)
    assert world.tell(ALARM) == 1
    assert [address for address, _ in world.sent].count(handler.PAGERDUTY_ADDRESS) == 1
    assert world.tell(ALARM) == 0


def test_a_secret_that_cannot_be_read_is_a_receiver_in_trouble() -> None:
    world = World()
    world.secrets["slack"] = PermissionError(HOOK)
    with pytest.raises(Undelivered, match="its secret can't be read"):
        world.tell(ALARM)
    assert [address for address, _ in world.sent] == [handler.PAGERDUTY_ADDRESS]


def test_without_any_receiver_the_message_is_kept_rather_than_dropped() -> None:
    with pytest.raises(Undelivered, match="no receiver is in use"):
        World(slack={}, pagerduty={}).tell(ALARM)
    assert World(pagerduty={}).tell(ALARM) == 1


@pytest.mark.parametrize("answers", [
    (200, 200), (404, 401), (503, 200, 429, 200), (*[OSError(HOOK)] * ATTEMPTS, *[ValueError(KEY)] * ATTEMPTS)])
def test_no_address_and_no_key_is_ever_logged_or_raised(answers: tuple[int | Exception, ...]) -> None:
    world = World(*answers)
    seen = ""
    try:
        world.tell(ALARM)
    except Undelivered as error:
        seen = str(error) + repr(error.__cause__) + repr(None if error.__suppress_context__ else error.__context__)
    seen += "".join(world.lines)
    assert '"receiver": "slack"' in seen
    for secret in (HOOK, "SECRETPART", KEY):
        assert secret not in seen


def test_an_address_that_is_no_https_address_is_never_called() -> None:
    world = World(slack={"alerts": "http://hooks.test/SECRETPART"})
    with pytest.raises(Undelivered, match="no https:// address"):
        world.tell(ANOMALY)
    assert not world.sent


def test_a_secret_is_read_once_until_it_is_old() -> None:
    calls: list[str] = []
    now = [0.0]

    class Client:
        def get_secret_value(self, SecretId: str) -> dict[str, str]:
            calls.append(SecretId)
            return {"SecretString": json.dumps({"routingKey": f"key-{len(calls)}"})}

    secrets = Secrets(Client(), lambda: now[0])
    assert [secrets("a")["routingKey"], secrets("a")["routingKey"]] == ["key-1", "key-1"]
    now[0] = handler.SECRET_SECONDS + 1
    assert secrets("a")["routingKey"] == "key-2"


def test_a_refusal_over_the_wire_is_its_status_and_the_pause_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = Message()
    headers["retry-after"] = "7"

    def refuse(request: Any, timeout: float) -> Callable[[], None]:
        raise urllib.error.HTTPError(request.full_url, 429, "slow down", headers, BytesIO())

    monkeypatch.setattr(delivery.urllib.request, "urlopen", refuse)
    assert delivery._post(HOOK, b"{}") == Answer(429, 7.0)


def test_the_entry_takes_a_delivery_of_sns(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(handler, "_receivers", lambda: world.receivers)
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {
        "MessageId": "m", "TopicArn": ALERTS, "Subject": None, "Message": json.dumps(ANOMALY),
        "Timestamp": "2026-11-21T11:00:01.000Z", "MessageAttributes": {}}}
    assert handler.handle({"Records": [record]}, None) == {"delivered": 1}
