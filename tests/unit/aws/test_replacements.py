"""Which property forces a replacement: the tables, and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rehearsal.sdk import replacements
from rehearsal.sdk.replacements import Replacements
from rehearsal.sdk.replacements.extract import documented, forcing_sentence
from rehearsal.sdk.types import parse

pytestmark = pytest.mark.unit

TABLES = replacements.installed()


@pytest.mark.parametrize(("type", "path", "replaces"), [
    ("aws:ec2/subnet:Subnet", "cidrBlock", True),
    ("aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch", False),
    ("aws:rds/instance:Instance", "kmsKeyId", True),
    ("aws:rds/instance:Instance", "instanceClass", False),
    ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.version", False),
    ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.id", True),
    ("aws:eks/nodeGroup:NodeGroup", "instanceTypes[0]", True),
    ("aws:eks/cluster:Cluster", "vpcConfig.subnetIds[1]", False),
    ("aws:dynamodb/table:Table", "localSecondaryIndexes[0].rangeKey", True),
    ("aws:sqs/queue:Queue", 'tags["a.b"]', False),
])
def test_a_type_of_the_table_is_known_for_all_its_properties(type: str, path: str, replaces: bool) -> None:
    verdict = TABLES.forces(type, path)
    assert (verdict.replaces, verdict.assumed) == (replaces, False)
    assert verdict.source


def test_a_path_stands_for_what_is_below_it() -> None:
    tables = Replacements({"t": {"source": "s", "replaces": ["a.b"]}}, {})
    assert tables.forces("t", "a[0].b[1].c").replaces
    assert not tables.forces("t", "a").replaces
    assert not tables.forces("t", "a.bc").replaces


def test_the_kind_of_a_rules_source_replaces_and_its_value_does_not() -> None:
    rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    assert not TABLES.forces(rule, "cidrIpv4").replaces
    assert TABLES.forces(rule, "cidrIpv4", appears=True).replaces


def test_what_only_the_documentation_says_has_its_sentence_as_source() -> None:
    tables = Replacements({}, {"t": {"a": "Changing this forces a new resource."}})
    assert tables.forces("t", "a").source == "SDK documentation: Changing this forces a new resource."


def test_what_nobody_says_is_an_assumed_update() -> None:
    verdict = TABLES.forces("aws:chime/voiceConnector:VoiceConnector", "awsRegion")
    assert (verdict.replaces, verdict.assumed, verdict.source) == (False, True, "")


def test_every_property_of_the_table_is_an_input_of_the_sdk() -> None:
    table = json.loads((Path(replacements.__file__).parent / "provider.json").read_text())
    for token, entry in table.items():
        known = parse(token)
        for path in [*entry["replaces"], *entry.get("kinds", ())]:
            inputs = known.inputs
            for part in path.split("."):
                assert part in inputs, f"{token}: {path}"
                kind = inputs[part].kind
                while isinstance(kind, dict) and "object" not in kind:
                    kind = next(iter(kind.values()))
                inputs = known.types[kind["object"]] if isinstance(kind, dict) else {}


@pytest.mark.parametrize(("text", "forces"), [
    ("Name of it. Changing this forces a new resource to be created.", True),
    ("(Forces new resource) The name.", True),
    ("Changing this value will force a new cluster to be created. Defaults to `true`", True),
    ("The name. Can be changed at any time.", False),
    ("Updating this may cause a replacement.", False),
    ("Enables a new engine.", False),
])
def test_a_sentence_of_the_documentation_is_understood(text: str, forces: bool) -> None:
    assert (forcing_sentence(text) is not None) is forces


def test_the_extracted_table_is_up_to_date() -> None:
    kept = json.loads((Path(replacements.__file__).parent / "documented.json").read_text())
    for token in ("aws:eks/cluster:Cluster", "random:index/randomPassword:RandomPassword"):
        assert kept.get(token, {}) == documented(token)
