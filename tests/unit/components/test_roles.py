"""Roles of pipelines and people, what bounds them, and what they are in the cluster."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.components.roles import Roles, RolesArgs
from infra.plans import deploy_policies
from infra.plans.names import Names
from tests.stacks import BY_TYPE
from tests.unit.components.recording import ACCOUNT, REGION, Registrations, foundation, record
from tests.unit.verify import world

pytestmark = pytest.mark.unit
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/candlefish-boundary-test"
ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"


@pytest.fixture(scope="module")
def roles() -> Registrations:
    return foundation()


def documents(of: Registrations, key: str) -> list[dict[str, Any]]:
    return [json.loads(policy.inputs["policy"]) for policy in of.of(POLICY) if policy.name.startswith(f"roles-{key}-")]


def statement(of: Registrations, key: str, sid: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for document in documents(of, key) for each in document["Statement"]
                                 if each.get("Sid") == sid)
    return found


@pytest.mark.parametrize(("key", "subject"), [("deploy", "environment:test"), ("preview", "environment:test-read")])
def test_only_jobs_of_the_repository_in_their_place_take_on_a_role(
        roles: Registrations, key: str, subject: str) -> None:
    role = roles.one(ROLE, f"roles-{key}").inputs
    assert role["name"] == f"candlefish-{key}-test"
    condition = json.loads(role["assumeRolePolicy"])["Statement"][0]["Condition"]
    assert condition == {"StringEquals": {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": f"repo:candlefish-ai/platform:{subject}"}}


def test_people_on_call_need_a_second_factor(roles: Registrations) -> None:
    trust = json.loads(roles.one(ROLE, "roles-on-call").inputs["assumeRolePolicy"])["Statement"][0]
    assert trust["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def test_every_managed_policy_fits_into_iams_limits_with_the_longest_names() -> None:
    regions = ["ap-southeast-1", "ap-southeast-2", "ap-northeast-1"]
    own = [f"arn:aws:iam::123456789012:role/candlefish-preview-production-{number}" for number in range(7)]
    made = deploy_policies.deploy("123456789012", regions, "production",
                                  "arn:aws:iam::123456789012:policy/candlefish-boundary-production", own)
    assert 1 < len(made) <= deploy_policies.ATTACHED_POLICIES
    assert max(map(deploy_policies.size, made)) <= deploy_policies.MANAGED_POLICY_CHARACTERS
    assert deploy_policies.size(deploy_policies.boundary("123456789012", "production")) <= 6144


def test_a_stand_in_may_use_the_copies_of_the_other_and_nothing_else_of_it() -> None:
    alone, stand_in = (deploy_policies.boundary("123456789012", "recovery", other) for other in (None, "production"))

    def denied(policy: deploy_policies.Document, action: str, tag: str) -> bool:
        for each in policy["Statement"]:
            if each["Effect"] != "Deny":
                continue
            foreign = each["Condition"]["StringNotEquals"]["aws:ResourceTag/Environment"]
            named = any(fnmatch.fnmatchcase(action, pattern) for pattern in each.get("Action", each.get("NotAction")))
            if named == ("Action" in each) and tag not in ([foreign] if isinstance(foreign, str) else foreign):
                return True
        return False

    use, change = "kms:Decrypt", "rds:DeleteDBInstance"
    assert [denied(alone, use, tag) for tag in ("recovery", "production", "staging")] == [False, True, True]
    assert [denied(stand_in, use, tag) for tag in ("recovery", "production", "staging")] == [False, False, True]
    assert [denied(stand_in, change, tag) for tag in ("recovery", "production", "staging")] == [False, True, True]


def test_a_statement_that_no_policy_can_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="Long alone is longer than 6144"):
        deploy_policies.packed([{"Sid": "Long", "Action": ["x" * 7000]}])


def test_the_stack_makes_as_many_policies_as_the_statements_fill(roles: Registrations) -> None:
    assert [len(documents(roles, key)) for key in ("deploy", "preview")] == [3, 1]
    attached = {each.name for each in roles.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")}
    assert {"roles-deploy-1", "roles-deploy-2", "roles-deploy-3", "roles-preview-1"} <= attached


def test_a_deployment_may_make_roles_only_within_the_boundary(roles: Registrations) -> None:
    bound = statement(roles, "deploy", "BoundRoles")
    assert bound["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    assert all("/candlefish/test/" in arn for arn in bound["Resource"])
    giving = {"iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}
    others = {action for document in documents(roles, "deploy") for each in document["Statement"]
              if each["Effect"] == "Allow" and each["Sid"] != "BoundRoles" for action in each["Action"]}
    assert giving <= set(bound["Action"])
    assert not giving & others
    assert not {"*", "iam:*"} & others


def test_a_deployment_may_not_change_what_bounds_it(roles: Registrations) -> None:
    denied = statement(roles, "deploy", "OwnBounds")
    assert denied["Effect"] == "Deny"
    assert {f"arn:aws:iam::{ACCOUNT}:role/candlefish-deploy-test", BOUNDARY,
            f"arn:aws:iam::{ACCOUNT}:policy/candlefish-deploy-test-*"} <= set(denied["Resource"])


def test_nothing_of_another_environment_is_in_reach(roles: Registrations) -> None:
    boundary = json.loads(roles.one(POLICY, "boundary").inputs["policy"])
    for denied in (statement(roles, "deploy", "OtherEnvironments"), boundary["Statement"][-1]):
        assert (denied["Effect"], denied["Action"], denied["Resource"]) == ("Deny", "*", "*")
        assert denied["Condition"]["StringNotEquals"] == {"aws:ResourceTag/Environment": "test"}


def test_everything_but_reads_is_tied_to_the_account_or_to_regions(roles: Registrations) -> None:
    for document in documents(roles, "deploy"):
        for each in document["Statement"]:
            if each["Effect"] == "Deny" or "*" not in each["Resource"]:
                continue
            reads = all(re.match(r"[a-z0-9-]+:(Describe|Get|List)", action) for action in each["Action"])
            assert reads or "aws:RequestedRegion" in each["Condition"]["StringEquals"]


def test_a_preview_changes_nothing_and_sees_no_secret(roles: Registrations) -> None:
    for document in documents(roles, "preview"):
        for each in document["Statement"]:
            if each["Effect"] == "Allow" and each.get("Sid") != "StateKey":
                assert all(re.match(r"[a-z0-9-]+:(Describe|Get|List)", action) for action in each["Action"])
    contents = statement(roles, "preview", "Contents")
    assert (contents["Effect"], contents["Resource"]) == ("Deny", "*")
    assert {"secretsmanager:GetSecretValue", "ssm:GetParameter*", "dynamodb:GetItem"} <= set(
        contents["Action"])


def test_a_deployment_has_the_services_of_every_resource_type_of_the_stacks() -> None:
    modules = {type.split(":")[1].partition("/")[0] for types in BY_TYPE.values() for type in types
               if type.startswith("aws:")}
    missing = {module for module in modules
               if deploy_policies.PREFIXES.get(module, module) not in {*deploy_policies.SERVICES, "iam"}}
    assert missing == set(), "add the service to infra/plans/deploy_policies.py"


@pytest.mark.parametrize(("sid", "needed"), [
    ("LinkedRoles", "restore-testing.backup.amazonaws.com"),  # made with the first plan that tests restores
    ("PassRoles", "ecr.amazonaws.com"),  # what makes the replicas' repositories
    ("Unnamed", "backup-storage:MountCapsule"),  # a vault's key: the service's prefix is not `backup`
])
def test_a_deployment_has_what_a_service_asks_for_beside_its_own_actions(
        roles: Registrations, sid: str, needed: str) -> None:
    assert needed in json.dumps(statement(roles, "deploy", sid))


def test_each_role_has_its_entry_and_only_the_deployment_is_administrator(roles: Registrations) -> None:
    associations = {each.name: each.inputs for each in roles.of(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation")}
    policies = {name: each["policyArn"].rpartition("/")[2] for name, each in associations.items()}
    assert policies == {"access-deploy": "AmazonEKSClusterAdminPolicy", "access-preview": "AmazonEKSViewPolicy",
                        "access-on-call": "AmazonEKSViewPolicy"}
    assert associations["access-on-call"]["accessScope"] == {
        "type": "namespace", "namespaces": ["candlefish-test", "monitoring"]}
    entry = roles.one("aws:eks/accessEntry:AccessEntry", "access-on-call").inputs
    assert entry["kubernetesGroups"] == ["candlefish-on-call", "candlefish-viewers"]


def test_those_on_call_are_bound_in_each_namespace_that_they_look_into(roles: Registrations) -> None:
    made = {each.inputs["metadata"]["namespace"]: each.inputs for each in roles.of(
        "kubernetes:rbac.authorization.k8s.io/v1:Role")}
    assert made.keys() == {"candlefish-test", "monitoring"}
    assert {namespace: {verb for rule in role["rules"] for verb in rule["verbs"]} for namespace, role in made.items()
            } == {"monitoring": {"create", "get", "list", "watch"},
                  "candlefish-test": {"create", "delete", "get", "list", "watch"}}
    deleted = [rule["resources"] for rule in made["candlefish-test"]["rules"] if "delete" in rule["verbs"]]
    assert deleted == [["jobs"]]  # relays of `candlefish connect`


def test_who_looks_sees_nodes_pods_and_certificates_of_the_whole_cluster_and_changes_nothing(
        roles: Registrations) -> None:
    role = roles.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "access-viewers").inputs
    assert {each for rule in role["rules"] for each in rule["resources"]} == {
        "nodes", "namespaces", "pods", "certificates"}
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    binding = roles.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "access-viewers").inputs
    assert binding["subjects"][0]["name"] in roles.one(
        "aws:eks/accessEntry:AccessEntry", "access-preview").inputs["kubernetesGroups"]


def test_those_on_call_may_ask_what_verify_asks(roles: Registrations) -> None:
    """Of AWS, as the checks do it in a stack on which all pass."""
    spoken = {"elbv2": "elasticloadbalancing"}
    asked = {"apigateway:GET" if service.startswith("apigateway") else f"{spoken.get(service, service)}:{operation}"
             for service, _, operation in world.aws()}
    policy = json.loads(roles.one("aws:iam/rolePolicy:RolePolicy", "roles-on-call").inputs["policy"])
    look = next(each for each in policy["Statement"] if each["Sid"] == "Look")
    assert asked - {*look["Action"]} == set()


def test_a_given_identity_provider_is_used_and_none_is_made() -> None:
    def program() -> SimpleNamespace:
        return SimpleNamespace(roles=Roles("roles", RolesArgs(
            names=Names("test").roles, account_id=ACCOUNT, regions=[REGION], environment="test",
            github_repository="candlefish-ai/platform", cluster_arn="arn:cluster", boundary_name="boundary",
            oidc_provider_arn="arn:provider")))

    recorded = record(program)
    assert not recorded.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    trust = json.loads(recorded.one(ROLE, "roles-deploy").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Federated": "arn:provider"}


@pytest.mark.parametrize("action", [
    "cloudfront:CreateMonitoringSubscription", "cloudfront:DeleteMonitoringSubscription"])
def test_a_deployment_may_do_what_has_no_resource_on_any(roles: Registrations, action: str) -> None:
    unnamed = statement(roles, "deploy", "UnnamedGlobal")
    assert action in unnamed["Action"]
    assert unnamed["Resource"] == ["*"]


def test_a_deployment_may_take_a_zones_query_log_away(roles: Registrations) -> None:
    assert "arn:aws:route53:::queryloggingconfig/*" in statement(roles, "deploy", "Route53")["Resource"]


def test_the_state_is_the_one_content_that_a_preview_reads(roles: Registrations) -> None:
    bucket = statement(roles, "preview", "State")["Resource"]
    assert [arn.rpartition(":")[2] for arn in bucket] == ["candlefish-pulumi-state-123456789012/*"]
    assert statement(roles, "preview", "OtherObjects")["NotResource"] == bucket
    key = {"kms:ResourceAliases": ["alias/candlefish-pulumi"]}
    assert statement(roles, "preview", "StateKey")["Condition"] == {"ForAnyValue:StringEquals": key}
    assert statement(roles, "preview", "OtherKeys")["Condition"] == {"ForAllValues:StringNotEquals": key}
    denied = {*statement(roles, "preview", "Contents")["Action"]}
    assert {*deploy_policies.CONTENTS} - denied == {"kms:Decrypt", "s3:GetObject*"}
    page = (Path(__file__).parents[3] / "docs/first-time.md").read_text()
    assert f" --bucket {deploy_policies.STATE_BUCKET}-ACCOUNT " in page
    assert f" --alias-name {deploy_policies.STATE_KEY} " in page
