"""Roles, policies and identities on the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

import rehearsal.aws.services.iam
import rehearsal.aws.services.iam_identities  # noqa: F401
from rehearsal.aws.handler import DATA_SOURCES
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import dangling, made

pytestmark = pytest.mark.rehearsal
ROLE, INLINE = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT, POLICY = "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/policy:Policy"
MANAGED = "arn:aws:iam::aws:policy/"


def trust(service: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}]}, indent=1)


def allow(action: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": "*"}]})


def test_a_role_lives_through_its_updates(aws: Any) -> None:
    role = made(aws, ROLE, {
        "name": "app", "assumeRolePolicy": trust("ec2.amazonaws.com"), "description": "d",
        "inlinePolicies": [{"name": "one", "policy": allow("s3:GetObject")}],
        "managedPolicyArns": [f"{MANAGED}AmazonSSMManagedInstanceCore"]})
    role.change(description="e").change(maxSessionDuration=7200)
    role.change(assumeRolePolicy=trust("lambda.amazonaws.com"))
    role.change(inlinePolicies=[{"name": "two", "policy": allow("sqs:SendMessage")}])
    role.change(managedPolicyArns=[f"{MANAGED}service-role/AWSLambdaBasicExecutionRole"])
    role.change(permissionsBoundary=f"{MANAGED}AdministratorAccess").change(tags={"a": "b"})
    role.delete_twice()


def test_a_policy_document_comes_back_in_the_programs_own_spelling(aws: Any) -> None:
    role = made(aws, ROLE, {"name": "app", "assumeRolePolicy": trust("ec2.amazonaws.com")})
    assert role.outputs["assumeRolePolicy"] == trust("ec2.amazonaws.com")


def test_a_role_with_a_policy_of_another_resource_is_not_deleted(aws: Any) -> None:
    role = made(aws, ROLE, {"name": "app", "assumeRolePolicy": trust("ec2.amazonaws.com")})
    attachment = made(aws, ATTACHMENT, {"role": role.id, "policyArn": f"{MANAGED}AmazonEKS_CNI_Policy"})
    inline = made(aws, INLINE, {"role": role.id, "name": "own", "policy": allow("s3:GetObject")})
    inline.change(policy=allow("s3:PutObject"))
    with pytest.raises(ClientError, match="DeleteConflict"):
        role.delete()
    attachment.delete_twice()
    inline.delete_twice()
    role.delete_twice()


def test_policies_that_do_not_exist_are_found_out(aws: Any) -> None:
    assert dangling(aws, ATTACHMENT, {"role": "nobody", "policyArn": f"{MANAGED}AmazonEKSNoSuchPolicy"}) == [
        "role", "policyArn"]
    assert dangling(aws, ATTACHMENT, {"policyArn": f"arn:aws:iam::{aws.account}:policy/none"}) == ["policyArn"]
    assert dangling(aws, INLINE, {"role": "nobody"}) == ["role"]
    assert dangling(aws, ROLE, {"managedPolicyArns": [f"{MANAGED}None", f"{MANAGED}ReadOnlyAccess"]}) == [
        "managedPolicyArns[0]"]


def test_a_managed_policy_keeps_its_arn_through_more_versions_than_iam_holds(aws: Any) -> None:
    policy = made(aws, POLICY, {"name": "app", "policy": allow("s3:GetObject"), "description": "d"})
    for action in ("a:A", "b:B", "c:C", "d:D", "e:E", "f:F"):
        policy.change(policy=allow(action))
    policy.change(tags={"a": "b"})
    role = made(aws, ROLE, {"name": "app", "assumeRolePolicy": trust("ec2.amazonaws.com")})
    attachment = made(aws, ATTACHMENT, {"role": role.id, "policyArn": policy.id})
    with pytest.raises(ProviderError, match="DeleteConflict"):
        policy.delete()
    attachment.delete_twice()
    policy.delete_twice()


def test_an_identity_provider_keeps_its_arn_when_it_changes(aws: Any) -> None:
    provider = made(aws, "aws:iam/openIdConnectProvider:OpenIdConnectProvider", {
        "url": "https://token.actions.githubusercontent.com", "clientIdLists": ["sts.amazonaws.com"],
        "thumbprintLists": ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]})
    assert provider.id.endswith(":oidc-provider/token.actions.githubusercontent.com")
    provider.change(clientIdLists=["sts.amazonaws.com", "other"]).change(tags={"a": "b"})
    provider.delete_twice()


def test_an_instance_profile_changes_its_role(aws: Any) -> None:
    roles = [made(aws, ROLE, {"name": name, "assumeRolePolicy": trust("ec2.amazonaws.com")}) for name in "ab"]
    profile = made(aws, "aws:iam/instanceProfile:InstanceProfile", {"name": "nodes", "role": "a"})
    profile.change(role="b").change(tags={"a": "b"}).delete_twice()
    assert dangling(aws, "aws:iam/instanceProfile:InstanceProfile", {"role": "nobody"}) == ["role"]
    for role in roles:
        role.delete_twice()


def test_a_service_linked_role_is_made_once(aws: Any) -> None:
    role = made(aws, "aws:iam/serviceLinkedRole:ServiceLinkedRole", {"awsServiceName": "spot.amazonaws.com"})
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        made(aws, "aws:iam/serviceLinkedRole:ServiceLinkedRole", {"awsServiceName": "spot.amazonaws.com"})
    role.change(description="d").change(tags={"a": "b"}).delete_twice()


def test_the_data_source_finds_a_role(aws: Any) -> None:
    role = made(aws, ROLE, {"name": "app", "assumeRolePolicy": trust("ec2.amazonaws.com")})
    token = "aws:iam/getRole:getRole"
    assert DATA_SOURCES[token](aws.call(token), {"name": "app"})["arn"] == role.outputs["arn"]
    with pytest.raises(ProviderError, match="NoSuchEntity"):
        DATA_SOURCES[token](aws.call(token), {"name": "nobody"})
