"""The deploy role: one repository, one environment, and what a pipeline needs."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from infra.components.roles import DeployRole, DeployRoleArgs
from tests.unit.components.recording import DISTRIBUTION, REGION, foundation, record

pytestmark = pytest.mark.unit


def test_only_jobs_of_the_repository_in_the_environment_take_on_the_role() -> None:
    role = foundation().one("aws:iam/role:Role", "deploy").inputs
    assert role["name"] == "candlefish-deploy-test"
    condition = json.loads(role["assumeRolePolicy"])["Statement"][0]["Condition"]["StringEquals"]
    assert condition["token.actions.githubusercontent.com:sub"] == "repo:candlefish-ai/platform:environment:test"


def test_what_it_may_do_in_the_cluster_is_the_role_of_its_group() -> None:
    entry = foundation().one("aws:eks/accessEntry:AccessEntry", "deploy").inputs
    assert entry["kubernetesGroups"] == ["candlefish-operators"]
    assert entry["clusterName"] == "candlefish-test"


def test_a_given_identity_provider_is_used_and_none_is_made() -> None:
    def program() -> SimpleNamespace:
        return SimpleNamespace(role=DeployRole("deploy", DeployRoleArgs(
            name="candlefish-deploy-test", github_repository="candlefish-ai/platform", github_environment="test",
            region=REGION, cluster_name="candlefish-test", cluster_arn="arn:cluster", repository_arns=["arn:repo"],
            bucket_arns=["arn:bucket"], distribution_arn=DISTRIBUTION, data_key_arn="arn:key",
            oidc_provider_arn="arn:provider")))

    recorded = record(program)
    assert not recorded.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    trust = json.loads(recorded.one("aws:iam/role:Role", "deploy").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Federated": "arn:provider"}
