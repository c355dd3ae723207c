"""What pods get of Secrets Manager, and how URLs are composed of it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.plans.external_secrets import DatabasePlace, database_secret, database_url, service_secrets
from infra.settings.model import SecretReference, Service
from rehearsal.kubernetes.controllers.secret_templates import render
from tests.unit.components.answering import service

pytestmark = pytest.mark.unit

PLACE = {"host": "db.test", "port": "5432", "name": "candlefish"}
SECRETS = {"database": "arn:database", "jwt": "arn:jwt"}
URL = SecretReference(variable="DATABASE_URL", secret="database", key="url")
KEY = SecretReference(variable="JWT_KEY", secret="jwt", key="current")


def with_secrets(*references: SecretReference) -> Service:
    return service("backend-api", secrets=references)


def test_what_is_taken_as_it_is_needs_no_template() -> None:
    spec = service_secrets(with_secrets(KEY), "candlefish", "store", SECRETS)["secrets"]["spec"]
    assert spec["data"] == [{"secretKey": "JWT_KEY", "remoteRef": {"key": "arn:jwt", "property": "current"}}]
    assert "template" not in spec["target"]


def test_beside_a_composed_url_the_other_variables_stay_and_nothing_else_is_published() -> None:
    spec = service_secrets(with_secrets(URL, KEY), "candlefish", "store", SECRETS, "a template")["secrets"]["spec"]
    assert spec["target"]["template"] == {"data": {"DATABASE_URL": "a template", "JWT_KEY": "{{ .JWT_KEY }}"}}
    assert {entry["secretKey"] for entry in spec["data"]} == {"JWT_KEY", "database_username", "database_password"}


def test_an_optional_secret_comes_apart_so_that_it_keeps_nothing_else_back() -> None:
    optional = SecretReference(variable="SENTRY_DSN", secret="sentry", key="dsn", optional=True)
    made = service_secrets(with_secrets(KEY, optional), "candlefish", "store", {**SECRETS, "sentry": "arn:sentry"})
    assert {key: [entry["secretKey"] for entry in each["spec"]["data"]] for key, each in made.items()} == {
        "secrets": ["JWT_KEY"], "sentry": ["SENTRY_DSN"]}
    assert made["sentry"]["spec"]["target"]["name"] == "backend-api-sentry"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='/@"'), min_size=1))
def test_every_password_that_rds_makes_survives_the_url(password: str) -> None:
    url = urlsplit(render(database_url("user", "password", PLACE), {"user": "candlefish_admin", "password": password}))
    assert (url.scheme, url.hostname, url.port, url.path) == ("postgresql", "db.test", 5432, "/candlefish")
    assert unquote(url.password or "") == password


def test_the_databases_own_secret_has_what_a_client_needs() -> None:
    place = DatabasePlace("db.test", "5432", "candlefish")
    target = database_secret("candlefish", "store", "arn:database", place, "a template")["spec"]["target"]
    assert target["name"] == "candlefish-database-secret"
    assert target["template"] == {"mergePolicy": "Merge", "data": {
        "host": "db.test", "port": "5432", "dbname": "candlefish", "url": "a template"}}


@pytest.mark.parametrize(("references", "template", "complaint"), [
    ((SecretReference(variable="X", secret="sentri"),), None, "refers to secret sentri, which the stack does not have"),
    ((URL,), None, "DATABASE_URL is the database's URL, and the program was not told"),
])
def test_a_reference_that_leads_nowhere_is_refused(
        references: tuple[SecretReference, ...], template: str | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        service_secrets(with_secrets(*references), "candlefish", "store", SECRETS, template)
