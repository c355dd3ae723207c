from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from rehearsal.kubernetes.controllers.external_secrets import refresh_seconds, secret_object, target_name
from rehearsal.kubernetes.controllers.secret_sources import SourceError, data_of, entries_of, property_of
from rehearsal.kubernetes.controllers.secret_templates import TemplateError, render
from rehearsal.kubernetes.controllers.selectors import selects
from rehearsal.kubernetes.controllers.volumes import volume_object

pytestmark = pytest.mark.unit


class Fixed:
    def __init__(self, **secrets: Any) -> None:
        self._secrets = secrets

    def text(self, service: str, key: str, version: str) -> str:
        if key not in self._secrets:
            raise SourceError(f"{key}: no such secret")
        held = self._secrets[key]
        return held if isinstance(held, str) else json.dumps(held)


def external(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "db", "namespace": "n", "uid": "u"}, "spec": spec}


def test_data_is_taken_from_properties_and_whole_secrets() -> None:
    source = Fixed(db={"user": "u", "deep": {"port": 5432}, "a.b": "dotted"}, plain="text")
    wanted = external(dataFrom=[{"extract": {"key": "db"}}], data=[
        {"secretKey": "port", "remoteRef": {"key": "db", "property": "deep.port"}},
        {"secretKey": "dotted", "remoteRef": {"key": "db", "property": "a.b"}},
        {"secretKey": "plain", "remoteRef": {"key": "plain"}}])
    assert data_of(wanted, "SecretsManager", source) == {
        "user": "u", "deep": '{"port":5432}', "a.b": "dotted", "port": "5432", "dotted": "dotted", "plain": "text"}


@pytest.mark.parametrize("spec", [
    {"data": [{"secretKey": "x", "remoteRef": {"key": "none"}}]},
    {"data": [{"secretKey": "x", "remoteRef": {"key": "db", "property": "none"}}]},
    {"data": [{"secretKey": "x", "remoteRef": {"key": "plain", "property": "x"}}]},
    {"dataFrom": [{"find": {"name": {"regexp": ".*"}}}]}])
def test_what_can_not_be_had_is_an_error(spec: dict[str, Any]) -> None:
    with pytest.raises(SourceError):
        data_of(external(**spec), "SecretsManager", Fixed(db={"a": "b"}, plain="text"))


def test_a_property_and_entries_need_a_json_object() -> None:
    assert property_of("text", "", "k") == "text"
    with pytest.raises(SourceError, match="not a JSON object"):
        entries_of("[1]", "k")


@pytest.mark.parametrize(("template", "text"), [
    ("x", "x"), ("{{ .a }}:{{.b}}", "1:p w"), ("{{ .b | urlquery }}", "p%20w"), ('{{ index . "c-d" }}', "z"),
    ("{{ .a | b64enc | quote }}", '"MQ=="'), ("{{ urlquery .b }}", "p%20w"), ("{{- .a -}}", "1")])
def test_templates_fill_in_values(template: str, text: str) -> None:
    assert render(template, {"a": "1", "b": "p w", "c-d": "z"}) == text


@pytest.mark.parametrize("template", ["{{ .none }}", "{{ .a | sha }}", "{{ if .a }}x{{ end }}"])
def test_a_template_beyond_this_is_an_error(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template, {"a": "1"})


def test_the_secret_is_owned_and_holds_the_templates_data_only() -> None:
    wanted = external(target={"name": "url", "template": {"type": "kubernetes.io/tls", "data": {"u": "{{ .a }}!"},
                                                          "metadata": {"labels": {"x": "y"}}}})
    secret = secret_object(wanted, {"a": "1", "b": "2"}, owned=True)
    assert {name: base64.b64decode(value) for name, value in secret["data"].items()} == {"u": b"1!"}
    assert secret["type"] == "kubernetes.io/tls"
    assert secret["metadata"]["labels"]["x"] == "y"
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert target_name(external()) == "db"


@pytest.mark.parametrize(("text", "seconds"), [("1h", 3600), ("1h30m", 5400), ("15s", 15), ("0", 0), (None, 3600)])
def test_refresh_intervals(text: str | None, seconds: float) -> None:
    assert refresh_seconds(external(**({"refreshInterval": text} if text else {}))) == seconds


@pytest.mark.parametrize(("selector", "chosen"), [
    ("", True), ("app=site", True), ("app==site,color!=green", True), ("app in (x, site)", True),
    ("app notin (site)", False), ("color", True), ("!color", False), ("!other", True), ("app=other", False)])
def test_label_selectors(selector: str, chosen: bool) -> None:
    assert selects(selector, {"app": "site", "color": "blue"}) is chosen


def test_a_disk_is_tied_to_its_zone_and_a_file_system_is_not() -> None:
    claim = {"metadata": {"name": "c", "namespace": "n", "uid": "1-2-3-4-5", "resourceVersion": "7"},
             "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    disk = volume_object("v", claim, {"metadata": {"name": "gp3"}, "provisioner": "ebs.csi.aws.com"}, "us-east-1a")
    files = volume_object("v", claim, {"metadata": {"name": "efs"}, "provisioner": "efs.csi.aws.com"}, "us-east-1a")
    assert disk["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert "nodeAffinity" not in files["spec"]
    assert disk["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
