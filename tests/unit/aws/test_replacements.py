"""Which property forces a replacement: the tables, and what is made of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rehearsal.sdk import replacements
from rehearsal.sdk.replacements import Replacements
from rehearsal.sdk.replacements.conditions import CONDITIONS
from rehearsal.sdk.replacements.extract import documented, forcing_sentence
from rehearsal.sdk.types import parse

pytestmark = pytest.mark.unit

TABLES = replacements.installed()
PROVIDER = json.loads((Path(replacements.__file__).parent / "provider.json").read_text())


@pytest.mark.parametrize(("type", "path", "replaces"), [
    ("aws:ec2/subnet:Subnet", "cidrBlock", True),
    ("aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch", False),
    ("aws:rds/instance:Instance", "kmsKeyId", True),
    ("aws:rds/instance:Instance", "instanceClass", False),
    ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.version", False),
    ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.id", True),
    ("aws:eks/nodeGroup:NodeGroup", "capacityType", True),
    ("aws:eks/nodeGroup:NodeGroup", "subnetIds[0]", True),
    ("aws:eks/nodeGroup:NodeGroup", "instanceTypes[0]", True),
    ("aws:eks/cluster:Cluster", "vpcConfig.subnetIds[1]", False),
    ("aws:eks/cluster:Cluster", "roleArn", True),
    ("aws:rds/instance:Instance", "storageEncrypted", True),
    ("aws:rds/instance:Instance", "engineVersion", False),
    ("aws:rds/instance:Instance", "dbSubnetGroupName", False),
    ("aws:elasticache/replicationGroup:ReplicationGroup", "atRestEncryptionEnabled", True),
    ("aws:elasticache/replicationGroup:ReplicationGroup", "clusterMode", False),
    ("aws:ecr/lifecyclePolicy:LifecyclePolicy", "policy", True),
    ("aws:route53/record:Record", "type", False),
    ("aws:cloudfront/distribution:Distribution", "origins[0].domainName", False),
    ("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "logDestinationConfigs[0]", True),
    ("aws:dynamodb/table:Table", "localSecondaryIndexes[0].rangeKey", True),
    ("aws:sqs/queue:Queue", 'tags["a.b"]', False),
])
def test_a_type_of_the_table_is_known_for_all_its_properties(type: str, path: str, replaces: bool) -> None:
    verdict = TABLES.forces(type, path)
    assert (verdict.replaces, verdict.assumed) == (replaces, False)
    assert verdict.source


CLUSTER = "aws:eks/cluster:Cluster"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
KEY = {"encryptionConfig": {"provider": {"keyArn": "a"}, "resources": ["secrets"]}}


@pytest.mark.parametrize(("type", "path", "old", "new", "replaces"), [
    (CLUSTER, "encryptionConfig", KEY, {}, True),
    (CLUSTER, "encryptionConfig", {}, KEY, False),
    (CLUSTER, "encryptionConfig.provider.keyArn", KEY, {"encryptionConfig": {"provider": {"keyArn": "b"}}}, False),
    (CLUSTER, "computeConfig.nodeRoleArn", {"computeConfig": {"enabled": True}},
     {"computeConfig": {"nodeRoleArn": "a"}}, False),
    (CLUSTER, "computeConfig.nodeRoleArn", {"computeConfig": {"nodeRoleArn": "a"}},
     {"computeConfig": {"nodeRoleArn": "b"}}, True),
    (CLUSTER, "computeConfig", {"computeConfig": {"nodeRoleArn": "a"}}, {}, False),
    (CACHE, "engine", {"engine": "redis"}, {"engine": "valkey"}, False),
    (CACHE, "engine", {}, {"engine": "valkey"}, False),
    (CACHE, "engine", {"engine": "valkey"}, {"engine": "redis"}, True),
    (CACHE, "engineVersion", {"engineVersion": "7.1"}, {"engineVersion": "7.0"}, True),
    (CACHE, "engineVersion", {"engineVersion": "7.2"}, {"engineVersion": "8.0"}, False),
    (CACHE, "engineVersion", {"engineVersion": "7.x"}, {"engineVersion": "7.1"}, False),
    (CACHE, "transitEncryptionEnabled", {}, {"engineVersion": "6.2", "transitEncryptionEnabled": True}, True),
    (CACHE, "transitEncryptionEnabled", {}, {"engineVersion": "7.1", "transitEncryptionEnabled": True}, False),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "privateDnsEnabled", {}, {"vpcEndpointType": "Interface"}, False),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "privateDnsEnabled", {}, {"privateDnsEnabled": True}, True),
])
def test_what_replaces_for_some_values_only_is_decided_by_them(type: str, path: str, old: dict[str, Any],
                                                               new: dict[str, Any], replaces: bool) -> None:
    verdict = TABLES.forces(type, path, old=old, new=new)
    assert (verdict.replaces, verdict.assumed) == (replaces, False)


def test_an_entry_whose_source_was_not_found_is_called_assumed() -> None:
    tables = Replacements({"t": {"source": "unverified, a conclusion", "assumed": True, "replaces": ["a"]}}, {})
    verdict = tables.forces("t", "a")
    assert (verdict.replaces, verdict.assumed) == (True, True)
    assert verdict.source.startswith("unverified")


def test_an_input_that_is_newer_than_the_schema_that_was_read_is_assumed() -> None:
    assert TABLES.forces("aws:rds/instance:Instance", "databaseInsightsMode").assumed


def test_an_entry_names_the_commit_that_was_read_or_says_that_none_was() -> None:
    source = re.compile(r"terraform-provider-aws internal/service/\S+\.go@[0-9a-f]{10}")
    for token, entry in PROVIDER.items():
        read = source.fullmatch(entry["source"])
        assert bool(read) is not entry.get("assumed", False), f"{token}: {entry['source']}"


def test_every_type_that_the_program_uses_has_been_read_in_the_providers_source() -> None:
    used = set(re.findall(r"\baws\.([a-z0-9]+\.[A-Z]\w+)\(", "".join(
        file.read_text() for file in (Path(__file__).parents[3] / "infra").rglob("*.py"))))
    read = {f"{token.split(':')[1].split('/')[0]}.{token.rpartition(':')[2]}"
            for token, entry in PROVIDER.items() if not entry.get("assumed")}
    assert {name for name in used if not name.endswith("Args")} <= read


def test_what_pulumi_deletes_before_it_creates_the_replacement_is_known() -> None:
    assert TABLES.deletes_first("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert not TABLES.deletes_first("aws:iam/role:Role")


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
    for token, entry in PROVIDER.items():
        known = parse(token)
        assert set(entry.get("conditions", {}).values()) <= CONDITIONS.keys()
        for path in [*entry["replaces"], *entry.get("kinds", ()), *entry.get("conditions", ()),
                     *entry.get("sets", ()), *entry.get("unread", ())]:
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
