"""What `candlefish recovery export` puts into its folder, and when a rebuild can start from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.settings.load import load_file
from kube.client import Client, Unavailable
from operations.errors import NotAcceptable, OperationError
from operations.recovery import export
from operations.recovery.account import Account
from operations.recovery.manifest import MANIFEST
from tests.unit.recovery.fake_aws import FakeAws

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
SETTINGS = load_file(ROOT / "Pulumi.production.yaml")
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
STATE = {"version": 3, "deployment": {"resources": [
    {"urn": "urn:pulumi:production::candlefish::pulumi:pulumi:Stack::candlefish-production"}]}}
OWNED = [{"Key": "Project", "Value": "candlefish"}, {"Key": "Stack", "Value": "production"}]


def named(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, **more, "metadata": {
        "name": name, "namespace": "candlefish-prod", "resourceVersion": "7", "managedFields": [{"manager": "x"}]}}


def pods(name: str, image: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": name, "image": image}]}}}


LIVE = [
    named("Service", "website", spec={"selector": {"color": "green"}}),
    named("Deployment", "website-blue", spec=pods("website", "website:1")),
    named("Deployment", "website-green", spec=pods("website", "website:2"), status={"replicas": 3}),
    named("ConfigMap", "candlefish-rollout-website", data={"book": "{}"})]


class FakeCluster:
    def list(self, version: str, kind: str, namespace: str) -> list[dict[str, Any]]:
        assert namespace == "candlefish-prod"
        return [each for each in LIVE if each["kind"] == kind]


def sources(cluster: Callable[[], Any] = FakeCluster) -> export.Sources:
    aws = FakeAws({("secretsmanager", "us-east-1", "ListSecrets"): {"SecretList": [
        {"Name": "candlefish/jwt-key-production-x", "Description": "Keys", "RotationEnabled": True, "Tags": OWNED},
        {"Name": "somebody-elses", "Tags": []}]}})
    return export.Sources(Account("production", SETTINGS, aws.client), lambda: STATE, cluster, ROOT, {"pulumi": "3"})


def exported(folder: Path) -> Path:
    export.export(sources(), folder, NOW)
    return folder


def test_an_export_is_whole_and_says_what_made_it(tmp_path: Path) -> None:
    assert export.problems(exported(tmp_path / "out"), "production") == []
    told = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert told["at"] == "2026-11-22T03:00:00+00:00"
    assert told["versions"] == {"pulumi": "3"}
    assert "settings/Pulumi.production.yaml" in told["files"]


def test_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    for path in exported(tmp_path / "out").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_secrets_are_there_by_name_and_only_the_stacks_own(tmp_path: Path) -> None:
    found = json.loads((exported(tmp_path / "out") / export.SECRETS).read_text())
    assert [each["name"] for each in found] == ["candlefish/jwt-key-production-x"]
    assert set(found[0]) == {"name", "description", "rotated", "changed"}


def test_the_images_of_the_live_colour_are_what_a_rebuild_starts_with(tmp_path: Path) -> None:
    found = json.loads((exported(tmp_path / "out") / export.CLUSTER).read_text())
    assert export.images(found, SETTINGS.services) == {"website": "website:2"}
    assert not any("status" in each or "managedFields" in each["metadata"] for each in found)


def test_an_older_export_is_replaced_and_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    exported(exported(tmp_path / "out"))
    assert export.problems(tmp_path / "out", "production") == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(NotAcceptable, match=r"has files and no manifest\.json"):
        exported(tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_without_the_cluster_the_rest_is_kept_and_the_export_is_not_whole(tmp_path: Path) -> None:
    def away() -> Client:
        raise Unavailable("no route to host")

    made = export.export(sources(away), tmp_path / "out", NOW)
    assert (tmp_path / "out" / export.STATE).exists()
    assert set(made.missing) == {export.CLUSTER}
    assert export.problems(tmp_path / "out", "production") == [
        "cluster.json could not be had: Unavailable: no route to host"]


@pytest.mark.parametrize(("spoil", "problem"), [
    (lambda folder: (folder / "state.json").unlink(), "state.json is missing"),
    (lambda folder: (folder / "state.json").write_text("{}"), "state.json was changed after the export: its SHA-256 is "
                                                              "another"),
    (lambda folder: (folder / "more.json").write_text("{}"), "more.json is not in the manifest"),
])
def test_a_spoilt_export_says_what_is_wrong_with_it(
        tmp_path: Path, spoil: Callable[[Path], object], problem: str) -> None:
    spoil(exported(tmp_path / "out"))
    assert export.problems(tmp_path / "out", "production") == [problem]
    with pytest.raises(OperationError, match="no complete export of production"):
        export.expect_complete(tmp_path / "out", "production")


def test_an_export_that_was_killed_has_no_manifest_and_is_none(tmp_path: Path) -> None:
    (exported(tmp_path / "out") / MANIFEST).unlink()
    with pytest.raises(OperationError, match=r"has no manifest\.json, which is written last"):
        export.problems(tmp_path / "out", "production")


def test_an_export_of_another_stack_or_of_nothing_is_told(tmp_path: Path) -> None:
    assert export.problems(exported(tmp_path / "out"), "staging") == [
        "it is of production, not of staging"]
    empty = sources()
    export.export(export.Sources(empty.account, lambda: {"version": 3, "deployment": {}}, empty.cluster, ROOT, {}),
                  tmp_path / "empty", NOW)
    assert export.problems(tmp_path / "empty", "production") == ["state.json has no resources"]
