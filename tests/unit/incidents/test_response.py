"""How an incident is answered: the page, its messages, and that nobody in it is invented."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from functions.notifications.alert import State
from functions.notifications.sources import read
from infra.plans.observability.severity import Severity
from infra.settings.load import load_file
from infra.settings.operations import Escalation
from operations.incidents.page import MEANINGS, MESSAGES, Message, page
from rehearsal.disasters.pages import ANSWER
from tests import response

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
PRODUCTION = load_file(ROOT / "Pulumi.production.yaml")


def test_the_page_is_made_of_the_tables_and_the_settings() -> None:
    assert response.PAGE.read_text() == response.made(), "run python -m tests.response --write"


def test_every_severity_has_a_meaning_and_the_disasters_answer_as_fast_as_the_alarms() -> None:
    assert set(MEANINGS) == set(Severity)
    assert {name: text.rpartition("within ")[2] for name, text in ANSWER.items()} == {
        each.value: each.response for each in Severity}


def test_nobody_is_named_who_is_not_in_the_settings() -> None:
    assert "| production | | nobody is named yet" in page({"production": PRODUCTION})
    told = PRODUCTION.operations.notifications.model_copy(update={
        "escalation": (Escalation(minutes=15, to="the second on call"), Escalation(minutes=45, to="the owner"))})
    named = PRODUCTION.model_copy(update={"operations": PRODUCTION.operations.model_copy(update={
        "notifications": told})})
    text = page({"production": named})
    assert "| production | 15 min | the second on call |\n| production | 45 min | the owner |" in text
    assert "nobody is named yet" not in text


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: each.name)
def test_a_message_is_what_the_notifications_understand(message: Message) -> None:
    body = shlex.split(message.line(Severity.P0).replace("\\\n", " "))[-1]
    alert = read("", body, {}, "incidents", "2026-11-22T00:00:00Z")
    said = json.loads(body)["candlefish"]
    assert (alert.title, alert.severity) == (said["title"], "P0")
    assert alert.state is State(said["state"])
    other = read("", MESSAGES[0].body(Severity.P0), {}, "incidents", "2026-11-22T01:00:00Z")
    assert alert.key == other.key  # so that the last one ends what the first one began


def test_the_post_mortem_has_what_a_reader_asks_for() -> None:
    headings = re.findall(r"(?m)^## (.+)$", (ROOT / "docs/runbooks/post-mortem.md").read_text())
    assert headings == ["What happened", "Times", "Why", "How it was seen", "What went well, what did not",
                        "What is changed"]
