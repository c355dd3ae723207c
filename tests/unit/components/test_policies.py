"""Every policy document: valid, without the wildcards that the controls forbid."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.plans import addon_policies, policies, topics
from infra.plans.load_balancer_policy import load_balancer_controller

pytestmark = pytest.mark.unit

accounts = st.integers(0, 10**12 - 1).map("{:012d}".format)
regions = st.sampled_from(["us-east-1", "us-west-2", "eu-central-1"])
arns = st.builds("arn:aws:{}:us-east-1:{}:{}".format, st.sampled_from(["s3", "kms", "dynamodb"]), accounts,
                 st.text("abc0/-", min_size=1, max_size=30))
arn_lists = st.lists(arns, min_size=1, max_size=8, unique=True)

documents = st.one_of(
    st.builds(policies.service_trust, st.just("ec2.amazonaws.com"), st.none() | accounts),
    st.builds(policies.pod_identity_trust),
    st.builds(policies.github_trust, arns, st.just("candlefish-ai/platform"), st.just("pull_request")),
    st.builds(policies.account_trust, accounts),
    st.builds(policies.data_key, accounts), st.builds(policies.cluster_key, accounts),
    st.builds(lambda account, region: policies.logs_key(account, region, topics.key_statements(account, region)),
              accounts, regions),
    st.builds(topics.topic_policy, arns, accounts, regions),
    st.builds(lambda arn, account, distribution: policies.bucket_policy(
        arn, [policies.distributions_read(arn, [distribution]), *policies.log_deliveries(arn, account)]),
        arns, accounts, arns),
    st.builds(policies.replication, arns, arns, regions, arns, arns, regions),
    st.builds(policies.flow_logs, arns), st.builds(policies.external_secrets, arn_lists, arns, regions),
    st.builds(policies.on_call, arns),
    st.builds(load_balancer_controller, accounts, regions, st.just("candlefish-production")),
)
permissions = st.one_of(
    st.builds(policies.replication, arns, arns, regions, arns, arns, regions),
    st.builds(policies.flow_logs, arns), st.builds(policies.external_secrets, arn_lists, arns, regions),
    st.builds(policies.on_call, arns),
    st.builds(load_balancer_controller, accounts, regions, st.just("candlefish-production")),
    st.builds(addon_policies.autoscaler, accounts, regions, st.just("candlefish-production")),
    st.builds(addon_policies.log_shipper, accounts, regions, st.just({"application": "/candlefish/application"})),
)

READS = re.compile(r"^(acm|autoscaling|backup|cloudfront|cloudwatch|config|ec2|eks|elasticache|elasticloadbalancing|"
                   r"guardduty|rds|route53|shield|synthetics|wafv2):(Describe|Get|List)\w+$"
                   r"|^secretsmanager:ListSecrets$|^apigateway:GET$")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@given(documents)
def test_every_document_is_json_and_of_the_current_version(document: policies.Document) -> None:
    read = json.loads(json.dumps(document))
    assert read["Version"] == "2012-10-17"
    assert read["Statement"]
    for statement in read["Statement"]:
        assert statement["Effect"] in ("Allow", "Deny")
        assert listed(statement["Action"])
        assert ("Resource" in statement) or ("Principal" in statement)


@given(documents)
def test_statement_ids_are_unique_and_alphanumeric(document: policies.Document) -> None:
    sids = [statement["Sid"] for statement in document["Statement"] if "Sid" in statement]
    assert len(sids) == len(set(sids))
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)


@given(documents)
def test_nothing_is_allowed_to_everyone(document: policies.Document) -> None:
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow" and "Principal" in statement:
            assert statement["Principal"] != "*"
            assert "*" not in [item for value in statement["Principal"].values() for item in listed(value)]


@given(permissions)
def test_no_permission_is_a_wildcard_of_a_whole_service(document: policies.Document) -> None:
    for statement in document["Statement"]:
        assert not any("*" in action for action in listed(statement["Action"]))


@given(permissions)
def test_only_reads_are_allowed_on_everything(document: policies.Document) -> None:
    for statement in document["Statement"]:
        if "*" in listed(statement["Resource"]):
            assert all(READS.match(action) for action in statement["Action"])


@given(accounts, regions, st.text("abcdefghij-", min_size=1, max_size=50))
def test_the_load_balancer_policy_fits_into_an_inline_policy(account: str, region: str, cluster: str) -> None:
    assert len(json.dumps(load_balancer_controller(account, region, cluster), separators=(",", ":"))) <= 10_240


@given(documents)
def test_keys_are_used_through_a_service_or_by_a_named_principal(document: policies.Document) -> None:
    for statement in document["Statement"]:
        actions = listed(statement["Action"])
        if any(action.startswith("kms:") for action in actions) and "Principal" not in statement:
            assert "kms:ViaService" in statement["Condition"]["StringEquals"]


def test_the_github_trust_names_repository_environment_and_audience_exactly() -> None:
    statement = policies.github_trust(
        "arn:provider", "candlefish-ai/platform", "environment:production")["Statement"][0]
    assert statement["Condition"] == {"StringEquals": {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:candlefish-ai/platform:environment:production"}}


@given(st.integers(min_value=1, max_value=1000))
def test_the_rule_for_any_image_comes_last_as_ecr_requires(kept: int) -> None:
    rules = policies.image_lifecycle(kept)["rules"]
    assert max(rules, key=lambda rule: rule["rulePriority"])["selection"]["tagStatus"] == "any"
    assert rules[-1]["selection"]["countNumber"] == kept


def test_the_flow_logs_service_finds_its_group_among_all_and_writes_to_no_other() -> None:
    group = "arn:aws:logs:us-east-1:123456789012:log-group:network-flow-logs"
    write, find = policies.flow_logs(group)["Statement"]
    assert set(write["Resource"]) == {group, f"{group}:*"}
    assert (find["Action"], find["Resource"]) == (
        ["logs:DescribeLogGroups"], ["arn:aws:logs:us-east-1:123456789012:log-group:*"])
