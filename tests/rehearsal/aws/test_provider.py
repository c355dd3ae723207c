"""The provider's own part: names, tags, diffs, previews, references, errors, kept properties, failures halfway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal import faults
from rehearsal.aws.coverage import Observations, Service, rows, summary
from rehearsal.aws.gateway_inventory import inventory
from rehearsal.aws.handler import COMPONENTS, HANDLERS, Call, component
from rehearsal.engine.provider import Change, ProviderError
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.sdk.types import Types

pytestmark = pytest.mark.rehearsal

QUEUE, KEY, VPC = "aws:sqs/queue:Queue", "aws:kms/key:Key", "aws:ec2/vpc:Vpc"
DEFAULTS = {"defaultTags": {"tags": {"Project": "candlefish", "Stack": "test"}}}


@pytest.fixture
def plan() -> Any:
    yield faults.activate
    faults.activate(None)


def test_a_name_is_made_from_the_logical_one_and_stays(aws: Any) -> None:
    provider, context = aws.provider, aws.context(QUEUE, "jobs")
    first = provider.check(context, None, {}).inputs
    assert first["name"].startswith("jobs-")
    assert len(first["name"]) == len("jobs-") + 7
    assert provider.check(context, first, {"delaySeconds": 1}).inputs["name"] == first["name"]
    assert provider.check(aws.context(QUEUE, "jobs", seed=2), None, {}).inputs["name"] != first["name"]


def test_the_successor_of_a_replaced_resource_has_another_name(aws: Any) -> None:
    provider, context = aws.provider, aws.context(QUEUE, "jobs")
    names = {provider.check(context, None, inputs).inputs["name"] for inputs in ({}, {"fifoQueue": True})}
    assert len(names) == 2
    assert any(name.endswith(".fifo") for name in names)


def test_a_name_that_gets_too_long_is_refused_with_the_limit(aws: Any) -> None:
    failures = aws.provider.check(aws.context(QUEUE, "x" * 90), None, {}).failures
    assert "80 are allowed" in failures[0].reason


def test_a_replacement_with_a_fixed_name_deletes_first_and_one_with_a_made_name_does_not(aws: Any) -> None:
    provider, context = aws.provider, aws.context(QUEUE)
    fixed = provider.diff(context, "q", {"name": "a.fifo"}, {}, {"name": "a.fifo", "fifoQueue": True})
    assert fixed.replaces
    assert fixed.delete_before_replace
    old = provider.check(context, None, {}).inputs
    made = provider.diff(context, "q", old, {}, provider.check(context, None, {"fifoQueue": True}).inputs)
    assert made.replaces
    assert not made.delete_before_replace


def test_default_tags_reach_the_resource_and_its_own_tags_win(aws: Any) -> None:
    provider, context = aws.provider, aws.context(QUEUE, config=DEFAULTS)
    inputs = {"name": "tagged", "tags": {"Stack": "own", "Component": "x"}}
    id, outputs = provider.create(context, inputs)
    assert outputs["tags"] == {"Stack": "own", "Component": "x"}
    assert outputs["tagsAll"] == {"Project": "candlefish", "Stack": "own", "Component": "x"}
    assert aws.client("sqs").list_queue_tags(QueueUrl=id)["Tags"] == outputs["tagsAll"]
    assert provider.read(context, id, inputs, outputs).inputs == inputs


def test_changed_default_tags_are_an_update_of_the_tags(aws: Any) -> None:
    provider, inputs = aws.provider, {"name": "tagged"}
    id, outputs = provider.create(aws.context(QUEUE, config=DEFAULTS), inputs)
    changed = aws.context(QUEUE, config={"defaultTags": {"tags": {"Project": "other"}}})
    diff = provider.diff(changed, id, inputs, outputs, inputs)
    assert [entry.path for entry in diff.properties] == ["tagsAll"]
    assert provider.update(changed, id, inputs, outputs, inputs, ())["tagsAll"] == {"Project": "other"}


def test_a_diff_names_nested_paths_and_documents_are_compared_as_documents(aws: Any) -> None:
    provider = aws.provider
    group, context = "aws:ec2/securityGroup:SecurityGroup", aws.context("aws:ec2/securityGroup:SecurityGroup")
    rule = {"protocol": "tcp", "fromPort": 1, "toPort": 1, "cidrBlocks": ["10.0.0.0/8"]}
    diff = provider.diff(context, "sg", {"ingress": [rule], "tags": {"a.b": "1"}}, {},
                         {"ingress": [{**rule, "toPort": 2}], "tags": {"a.b": "2"}, "description": "d"})
    assert [(entry.path, entry.change, entry.replaces) for entry in diff.properties] == [
        ("description", Change.ADD, True), ("ingress[0].toPort", Change.UPDATE, False),
        ('tags["a.b"]', Change.UPDATE, False)]
    assert group in HANDLERS
    policies = ('{"Statement": [{"Action": ["a"], "Effect": "Allow"}]}',
                '{"Statement":[{"Effect":"Allow","Action":"a"}]}')
    assert not provider.diff(aws.context(KEY), "k", {"policy": policies[0]}, {}, {"policy": policies[1]}).changed


def test_an_unknown_value_is_a_change_that_replaces_where_its_property_does(aws: Any) -> None:
    diff = aws.provider.diff(aws.context(VPC), "v", {"cidrBlock": "10.0.0.0/16"}, {}, {"cidrBlock": UNKNOWN})
    assert diff.replaces


def test_a_preview_of_a_creation_knows_inputs_and_defaults_and_nothing_else(aws: Any) -> None:
    outputs = aws.provider.preview(aws.context(VPC), {"cidrBlock": "10.0.0.0/16"}, None)
    assert outputs["cidrBlock"] == "10.0.0.0/16"
    assert outputs["region"] == "us-east-1"
    assert outputs["arn"] is UNKNOWN
    assert aws.provider.preview(aws.context(VPC), {"cidrBlock": "10.0.0.0/16"}, {"arn": "x"})["arn"] == "x"


def test_inputs_are_checked_against_the_sdk_at_every_depth(aws: Any) -> None:
    failures = aws.provider.check(aws.context("aws:ec2/securityGroup:SecurityGroup"), None, {
        "nme": "x", "ingress": [{"protocol": "tcp", "fromPort": "1", "toPort": 1}]}).failures
    assert {failure.property for failure in failures} == {"nme", "ingress[0].fromPort"}
    assert any("did you mean `name`" in failure.reason for failure in failures)


def test_an_unknown_type_and_data_source_are_errors_that_say_what_to_do(aws: Any) -> None:
    with pytest.raises(ProviderError, match=r"aws:chime/voiceConnector:VoiceConnector is not part.*@resource"):
        aws.provider.create(aws.context("aws:chime/voiceConnector:VoiceConnector"), {})
    with pytest.raises(ProviderError, match=r"aws:x/getY:getY is not part.*@data_source"):
        aws.provider.invoke(aws.context(""), "aws:x/getY:getY", {})


def test_a_dangling_reference_is_refused_with_property_and_place(aws: Any) -> None:
    with pytest.raises(ProviderError, match=r"`vpcId`: 'vpc-12345678' does not exist in account .*, region us-east-1"):
        aws.provider.create(aws.context("aws:ec2/subnet:Subnet"), {"vpcId": "vpc-12345678", "cidrBlock": "10.0.0.0/24"})


def test_what_botocore_refuses_names_the_property(aws: Any) -> None:
    with pytest.raises(ProviderError, match=r"refused before it was sent.*customerMasterKeySpec|KeySpec.*allowed"):
        aws.provider.create(aws.context(KEY), {"customerMasterKeySpec": "RSA_1"})


def test_a_resource_lives_in_its_own_region_and_a_move_replaces_it(aws: Any) -> None:
    provider, context, inputs = aws.provider, aws.context(QUEUE), {"name": "west", "region": "us-west-2"}
    id, outputs = provider.create(context, inputs)
    assert outputs["arn"].split(":")[3] == "us-west-2"
    assert outputs["region"] == "us-west-2"
    assert aws.client("sqs", region="us-west-2").list_queues()["QueueUrls"] == [id]
    assert provider.diff(context, id, inputs, outputs, {"name": "west"}).replaces
    found = provider.read(aws.context(QUEUE), f"{id}@us-west-2", None, None)
    assert found.inputs["name"] == "west"
    assert found.inputs["region"] == "us-west-2"


def test_an_assumed_role_decides_the_account_and_a_forbidden_one_is_refused(aws: Any) -> None:
    other = {"allowedAccountIds": None, "assumeRoles": [{"roleArn": "arn:aws:iam::444455556666:role/r"}]}
    identity = "aws:index/getCallerIdentity:getCallerIdentity"
    assert aws.provider.invoke(aws.context("", config=other), identity, {})["accountId"] == "444455556666"
    with pytest.raises(ProviderError, match="444455556666 is not among allowedAccountIds"):
        aws.provider.invoke(aws.context("", config={**other, "allowedAccountIds": ["1"]}), identity, {})


def test_kept_properties_come_back_change_and_go_with_the_resource(aws: Any) -> None:
    provider, inputs = aws.provider, {"deletionWindowInDays": 7}
    id, outputs = provider.create(aws.context(KEY), inputs)
    assert provider.read(aws.context(KEY), id, None, None).outputs["deletionWindowInDays"] == 7
    changed = provider.update(aws.context(KEY), id, inputs, outputs, {"deletionWindowInDays": 9}, ())
    assert provider.read(aws.context(KEY), id, None, None).outputs["deletionWindowInDays"] == 9
    provider.delete(aws.context(KEY), id, {"deletionWindowInDays": 9}, changed)
    assert aws.kept.get(aws.account, "us-east-1", f"properties:{KEY}", id) is None


def test_drift_shows_in_the_inputs_of_a_refresh(aws: Any) -> None:
    provider, inputs = aws.provider, {"name": "drifting", "delaySeconds": 1}
    id, outputs = provider.create(aws.context(QUEUE), inputs)
    aws.client("sqs").set_queue_attributes(QueueUrl=id, Attributes={"DelaySeconds": "5"})
    found = provider.read(aws.context(QUEUE), id, inputs, outputs)
    assert found.inputs == {**inputs, "delaySeconds": 5}


def test_a_creation_that_failed_at_its_second_call_is_in_doubt_and_converges_when_taken_again(
        aws: Any, plan: Any) -> None:
    """A VPC and then its attributes: the second call is refused."""
    inputs = {"cidrBlock": "10.9.0.0/16", "enableDnsHostnames": True}
    context = aws.context(VPC, operation=f"halfway-{aws.account}")
    plan(faults.Plan(at=(context.urn, 2, faults.Fault.ERROR)))
    with pytest.raises(ProviderError) as caught:
        aws.provider.create(context, inputs)
    assert caught.value.in_doubt or caught.value.partial is not None
    plan(None)
    if caught.value.in_doubt:
        aws.provider.create(aws.context(VPC, operation=f"halfway-{aws.account}"), inputs)
    vpcs = aws.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.9.0.0/16"]}])["Vpcs"]
    assert len(vpcs) == 1


def test_an_update_without_a_difference_mends_what_a_failed_creation_left(aws: Any, plan: Any) -> None:
    """A CloudFront function that was made, and neither published nor tagged."""
    type, inputs = "aws:cloudfront/function:Function", {
        "name": "halfway", "runtime": "cloudfront-js-2.0", "code": "function handler(event) { return event.request }",
        "tags": {"team": "web"}}
    context = aws.context(type)
    plan(faults.Plan(at=(context.urn, 2, faults.Fault.ERROR)))
    with pytest.raises(ProviderError) as caught:
        aws.provider.create(context, inputs)
    plan(None)
    assert caught.value.partial is not None
    id, outputs = caught.value.partial
    mended = aws.provider.update(aws.context(type), id, inputs, outputs, inputs, ())
    assert mended["liveStageEtag"]
    assert mended["tags"] == {"team": "web"}


def test_a_failure_to_read_back_leaves_the_id_with_the_error(aws: Any, plan: Any) -> None:
    context = aws.context(QUEUE)
    plan(faults.Plan(at=(context.urn, 2, faults.Fault.ERROR)))
    with pytest.raises(ProviderError) as caught:
        aws.provider.create(context, {"name": "unread"})
    assert caught.value.partial is not None
    assert caught.value.partial[0].endswith("/unread")


def test_a_cancelled_operation_does_not_begin(aws: Any) -> None:
    context = aws.context(QUEUE)
    context.cancelled.set()
    with pytest.raises(ProviderError, match="cancelled"):
        aws.provider.create(context, {"name": "q"})


def test_a_packaged_component_is_expanded_by_its_constructor(aws: Any) -> None:
    token = "eks:index:TestOnly"

    @component(token)
    def expand(call: Call, inputs: Properties, register: Any) -> Properties:
        return {"place": f"{call.account} {call.region}", **inputs}

    try:
        made = aws.provider.construct(aws.context(token), {"a": 1}, lambda registration: pytest.fail("no children"))
    finally:
        del COMPONENTS[token]
    assert made == {"place": f"{aws.account} us-east-1", "a": 1}


def test_coverage_tells_emulated_kept_and_unknown_apart(aws: Any, tmp_path: Path) -> None:
    provider = aws.provider
    provider.create(aws.context(QUEUE), {"name": "q", "delaySeconds": 2})
    provider.observations.save(tmp_path / "seen.json")
    table = {row.property: row.service for row in rows(Observations.load(tmp_path / "seen.json"), Types(tmp_path),
                                                       {QUEUE: HANDLERS[QUEUE]})}
    assert table["delaySeconds"] is Service.EMULATED
    assert table["namePrefix"] is Service.KEPT
    assert table["redrivePolicy"] is Service.UNKNOWN
    counts = summary(rows(provider.observations, Types(tmp_path), {QUEUE: HANDLERS[QUEUE]}))
    assert sum(counts[QUEUE].values()) == len(table)


def test_an_empty_account_has_nothing_and_a_used_one_what_was_made(aws: Any) -> None:
    assert inventory(aws.clients, aws.kept, aws.account, ["us-east-1", "us-west-2"]) == []
    aws.client("sqs").create_queue(QueueName="q")
    aws.client("kms", region="us-west-2").create_key()
    found = inventory(aws.clients, aws.kept, aws.account, ["us-east-1", "us-west-2"])
    assert [(thing.kind, thing.region) for thing in found] == [
        ("kms ListKeys", "us-west-2"), ("sqs ListQueues", "us-east-1")]
