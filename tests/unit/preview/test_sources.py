"""Where previews come from: exports of deployments and the real engine's own preview."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from candlefish import preview_sources as sources
from candlefish.app import app
from candlefish.exits import Exit, WrongUsage
from candlefish.preview_evaluate import Recorded
from candlefish.preview_rules import ProviderRules
from operations.errors import NotAcceptable
from operations.preview import deployment, digest, engine_steps
from operations.preview.model import Change, Cost, Graph, Operation, Resource
from operations.preview.pulumi_values import SECRET, SIGNATURE
from tests.unit.preview.graphs import INSTANCE, resource, urn

pytestmark = pytest.mark.unit


def step(op: str, name: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None,
         **fields: Any) -> dict[str, Any]:
    def state(inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if inputs is None else {"urn": urn(name), "custom": True, "type": INSTANCE, "inputs": inputs,
                                            "outputs": {**inputs, "port": 5432}}

    return {"op": op, "urn": urn(name), "oldState": state(old), "newState": state(new), "detailedDiff": None, **fields}


def rendered(*steps: dict[str, Any]) -> dict[str, Change]:
    return {each.name: each for each in digest.read({"steps": [*steps]}, "preview.json").changes}


def test_a_replacement_of_the_real_engine_is_one_change() -> None:
    detailed = {"engine": {"kind": "update-replace", "inputDiff": True}}
    old, new = {"engine": "a"}, {"engine": "b"}
    found = rendered(*(step(op, "database", old, new, detailedDiff=detailed, replaceReasons=["engine"])
                       for op in ("create-replacement", "replace", "delete-replaced")))
    assert found["database"].operation is Operation.REPLACE
    assert found["database"].causes == ("engine",)
    assert [(each.before, each.after) for each in found["database"].properties] == [("a", "b")]


def test_without_a_detailed_diff_the_reasons_tell() -> None:
    change = rendered(step("replace", "database", {"engine": "a", "size": 1}, {"engine": "b", "size": 2},
                           replaceReasons=["engine"], diffReasons=["engine", "size"]))["database"]
    assert {each.path: each.replaces for each in change.properties} == {"engine": True, "size": False}


def test_a_policy_in_other_words_is_no_update() -> None:
    one = json.dumps({"Statement": [{"Action": ["a", "b"]}]})
    other = json.dumps({"Statement": [{"Action": ["b", "a"]}]}, indent=2)
    assert rendered(step("update", "p", {"policy": one}, {"policy": other},
                         detailedDiff={"policy": {"kind": "update", "inputDiff": True}})) == {}


def test_what_only_the_state_knows_is_found_in_the_outputs() -> None:
    change = rendered(step("update", "d", {}, {"port": 1}, detailedDiff={"port": {"kind": "update"}}))["d"]
    assert [(each.before, each.after) for each in change.properties] == [(5432, 1)]


def test_secrets_of_the_real_engine_stay_hidden() -> None:
    hidden = {SIGNATURE: SECRET, "ciphertext": "v1:abc"}
    change = rendered(step("create", "d", None, {"password": hidden, "other": "[secret]"}))["d"]
    assert {str(each.after) for each in change.properties} == {"[secret]"}


@pytest.mark.parametrize("document", [[], {}, {"steps": [{"op": "explode", "urn": urn("a")}]}, {"steps": [{}]}])
def test_what_is_no_preview_is_refused(document: Any) -> None:
    with pytest.raises(NotAcceptable, match=r"preview\.json"):
        digest.read(document, "preview.json")


def export(*resources: dict[str, Any], version: int = 3) -> dict[str, Any]:
    return {"version": version, "deployment": {"secrets_providers": {"type": "awskms"}, "resources": [*resources]}}


def test_an_export_needs_no_key_to_be_read() -> None:
    found = deployment.parse(export(
        {"urn": urn("db"), "inputs": {"password": {SIGNATURE: SECRET, "ciphertext": "v1:abc"}},
         "outputs": {"arn": "arn:aws:rds:us-east-1:123456789012:db:x"}},
        {"urn": urn("r"), "type": "aws:route53/record:Record",
         "inputs": {"name": "www.candlefish.ai", "zoneId": "Z1"}}),
        "export.json", "staging")
    assert "abc" not in json.dumps(found.document)
    assert "secrets_providers" not in found.document["deployment"]
    assert (found.secrets, found.account, found.zone("candlefish.ai")) == (1, "123456789012", "Z1")


@pytest.mark.parametrize(("document", "said"), [
    ({}, "pulumi stack export"), (export(version=2), "version 2"), (export({"urn": urn("a")}), "not of production")])
def test_what_is_no_export_of_the_stack_is_refused(document: Any, said: str) -> None:
    with pytest.raises(NotAcceptable, match=said):
        deployment.parse(document, "export.json", "production")


def test_secrets_alone_are_no_reason_for_a_step() -> None:
    hidden = {"path": "password", "before": "[secret]", "after": "[secret]", "replaces": True, "assumed": False}
    size = {"path": "size", "before": 1, "after": 2, "replaces": False, "assumed": False}

    def taken(*properties: dict[str, Any]) -> tuple[Change, ...]:
        return engine_steps.read([{"urn": urn("a"), "type": INSTANCE, "name": "a", "operation": "replace",
                                   "causes": ["password"], "properties": [*properties]}],
                                 Graph((resource("a"),)))[0]

    assert taken(hidden) == ()
    [change] = taken(hidden, size)
    assert (change.operation, [each.path for each in change.properties]) == (Operation.UPDATE, ["size"])


def test_a_version_that_does_not_run_is_said_and_the_new_graph_is_shown_alone() -> None:
    found = sources.compared("staging", "main", Recorded(failure="Traceback …\nKeyError: 'vpc'"),
                              Recorded(Graph((resource("a"),))), Cost())
    assert [each.operation for each in found.changes] == [Operation.CREATE]
    assert "The program of `main` does not run" in found.note
    assert "KeyError: 'vpc'" in found.note


@pytest.mark.parametrize(("type", "path", "replaces"), [
    ("aws:rds/instance:Instance", "instanceClass", False),
    ("aws:rds/instance:Instance", "storageEncrypted", True),
    ("aws:ec2/subnet:Subnet", "cidrBlock", True), ("kubernetes:apps/v1:Deployment", "spec.replicas", False),
    ("kubernetes:apps/v1:Deployment", "spec.selector.matchLabels.app", True),
    ("kubernetes:core/v1:ConfigMap", "data.key", True), ("kubernetes:helm.sh/v3:Release", "version", False),
    ("kubernetes:helm.sh/v3:Release", "namespace", True),
    ("random:index/randomPassword:RandomPassword", "length", True),
    ("pulumi:providers:aws", "region", False)])
def test_the_providers_say_what_forces_a_replacement(type: str, path: str, replaces: bool) -> None:
    one = Resource(urn("a", type), type, "a")
    assert ProviderRules().verdict(path, one, one, {}).replaces is replaces


def test_a_mutable_config_map_is_updated() -> None:
    one = resource("a", "kubernetes:core/v1:ConfigMap")
    assert not ProviderRules().verdict("data.key", one, one, {"enableConfigMapMutable": "true"}).replaces


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["preview", *arguments])


def test_the_command_tells_changes_by_its_exit_code(tmp_path: Path) -> None:
    changed, same = tmp_path / "changed.json", tmp_path / "same.json"
    changed.write_text(json.dumps({"steps": [step("create", "a", None, {"x": 1})]}))
    same.write_text(json.dumps({"steps": [step("same", "a", {"x": 1}, {"x": 1})]}))
    assert run("--from-pulumi", str(changed)).exit_code == Exit.DONE
    assert run("--from-pulumi", str(changed), "--expect-no-changes").exit_code == Exit.CHANGED
    assert run("--from-pulumi", str(same), "--expect-no-changes").exit_code == Exit.DONE
    document = json.loads(run("--from-pulumi", str(changed), "--format", "json").stdout)
    assert document["stacks"]["staging"]["create"] == 1


@pytest.mark.parametrize("arguments", [[], ["--against", "HEAD", "--state", "x.json"]])
def test_a_preview_compares_with_one_thing(arguments: list[str]) -> None:
    assert isinstance(run(*arguments).exception, WrongUsage)


@pytest.mark.parametrize(("arguments", "said"), [
    (["--against", "no-such-ref"], "no such commit"), (["--from-pulumi", "no-such.json"], "cannot be read"),
    (["--against", "HEAD", "--stack", "no-such"], "one of"), (["--state", "x.json"], "--stack")])
def test_wrong_input_is_said_before_anything_runs(arguments: list[str], said: str) -> None:
    error = run(*arguments).exception
    assert isinstance(error, NotAcceptable)
    assert said in str(error)


@pytest.mark.parametrize("file", ["preview.txt", "no-such-folder/preview.md"])
def test_a_file_that_cannot_be_is_said_before_anything_runs(file: str, tmp_path: Path) -> None:
    assert isinstance(run("--against", "HEAD", "--output", str(tmp_path / file)).exception, WrongUsage)
