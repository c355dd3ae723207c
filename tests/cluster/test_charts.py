"""Charts that are at hand are rendered by Helm; values that they don't take stop the run before anything is made."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine.provider import Context
from rehearsal.engine.values import UNKNOWN
from rehearsal.kubernetes import charts, releases

pytestmark = pytest.mark.cluster

SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
          "properties": {"replicaCount": {"type": "integer", "minimum": 1}}}
TEMPLATE = """
{{- range $number := until (int .Values.replicaCount) }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ $.Release.Name }}-{{ $number }}, namespace: {{ $.Release.Namespace }}}
{{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ required "serviceAccount.name is needed" .Values.serviceAccount.name }}}
"""


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a chart of the name of one that the program uses, as `helm pull` leaves it."""
    source = tmp_path / "source" / "metrics-server"
    (source / "templates").mkdir(parents=True)
    (source / "Chart.yaml").write_text("apiVersion: v2\nname: metrics-server\nversion: 3.13.0\n")
    (source / "values.yaml").write_text("replicaCount: 1\nserviceAccount: {name: default}\n")
    (source / "values.schema.json").write_text(json.dumps(SCHEMA))
    (source / "templates" / "all.yaml").write_text(TEMPLATE)
    folder = tmp_path / "charts"
    folder.mkdir()
    with tarfile.open(folder / "metrics-server-3.13.0.tgz", "w:gz") as archive:
        archive.add(source, "metrics-server")
    monkeypatch.setenv(charts.FOLDER_VARIABLE, str(folder))
    return folder


def checked(version: str = "3.13.0", **values: Any) -> list[str]:
    context = Context(urn="urn:pulumi:s::p::kubernetes:helm.sh/v3:Release::metrics", name="metrics", seed=1,
                      type="kubernetes:helm.sh/v3:Release", operation="1", config={})
    inputs = {"chart": "metrics-server", "version": version, "name": "metrics", "namespace": "kube-system",
              "values": values}
    return [f"{failure.property}: {failure.reason}" for failure in releases.check(context, None, inputs).failures]


def test_values_that_the_chart_takes_are_rendered(folder: Path) -> None:
    assert checked(replicaCount=3) == []
    archive = charts.at_hand("oci://example.com/charts/metrics-server", "3.13.0")
    assert archive == folder / "metrics-server-3.13.0.tgz"
    assert charts.rendered(archive, "metrics", "kube-system", {"replicaCount": 3}) == {
        "ConfigMap": 3, "ServiceAccount": 1}


@pytest.mark.parametrize(("values", "said"), [
    ({"replicaCount": "three"}, "replicaCount"), ({"replicaCount": 0}, "replicaCount"),
    ({"serviceAccount": {"name": ""}}, "serviceAccount.name is needed")])
def test_values_that_the_chart_refuses_are_told_with_its_own_words(folder: Path, values: dict[str, Any],
                                                                   said: str) -> None:
    [failure] = checked(**values)
    assert failure.startswith("values: metrics-server-3.13.0.tgz does not take these values: ")
    assert said in failure


def test_unknown_values_and_charts_that_are_not_at_hand_are_not_rendered(folder: Path) -> None:
    assert checked(replicaCount=UNKNOWN) == []
    assert checked(version="3.12.0", replicaCount="three") == []
    assert charts.at_hand("metrics-server", "3.12.0") is None


def test_an_archive_that_is_none_is_told(folder: Path) -> None:
    (folder / "metrics-server-3.12.2.tgz").write_bytes(b"not a chart")
    [failure] = checked(version="3.12.2")
    assert "metrics-server-3.12.2.tgz" in failure
