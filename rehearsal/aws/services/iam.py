"""IAM roles with their policies, instance profiles, service-linked roles."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services.iam_documents import as_known, policy_exists, text_of
from rehearsal.aws.services.shapes import (
    absent_is_fine,
    chosen,
    in_order_of,
    is_absent,
    name_of,
    retag,
    tags_of,
)
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

GLOBAL = "us-east-1"


def described_role(call: Call, name: str) -> dict[str, Any] | None:
    try:
        role: dict[str, Any] = call.client("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return role


def retag_role(call: Call, name: str) -> None:
    client = call.client("iam")
    retag(tags_of((described_role(call, name) or {}).get("Tags")), call.tags,
          lambda tags: client.tag_role(RoleName=name, Tags=tags),
          lambda keys: client.untag_role(RoleName=name, TagKeys=keys))


def _policies(property: str, arns: Any) -> Iterable[Reference]:
    for index, arn in enumerate(arns or ()):
        yield Reference(f"{property}[{index}]", arn, partial(_policy_exists, arn))


def _policy_exists(arn: str, call: Call) -> bool:
    return policy_exists(call, arn)


def _no_role(operation: str, name: str) -> ProviderError:
    return ProviderError(f"An error occurred (NoSuchEntity) when calling the {operation} operation: "
                         f"The role with name {name} cannot be found.")


@resource
class Role(Handler):
    type = "aws:iam/role:Role"
    naming = Naming(maximum=64)
    kept = ("namePrefix", "forceDetachPolicies")
    documents = ("assumeRolePolicy",)
    defaults = {"maxSessionDuration": 3600, "path": "/", "forceDetachPolicies": False}
    global_region = GLOBAL

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from _policies("managedPolicyArns", inputs.get("managedPolicyArns"))
        if inputs.get("permissionsBoundary"):
            yield from _policies("permissionsBoundary", [inputs["permissionsBoundary"]])

    def create(self, call: Call, inputs: Properties) -> str:
        client, name = call.client("iam"), name_of(call, inputs)
        client.create_role(
            RoleName=name, AssumeRolePolicyDocument=text_of(inputs["assumeRolePolicy"]), Tags=call.tag_list,
            **chosen(inputs, {"description": "Description", "maxSessionDuration": "MaxSessionDuration",
                              "path": "Path", "permissionsBoundary": "PermissionsBoundary"}))
        for policy in inputs.get("inlinePolicies") or ():
            if policy.get("policy"):
                client.put_role_policy(RoleName=name, PolicyName=policy["name"],
                                       PolicyDocument=text_of(policy["policy"]))
        for arn in inputs.get("managedPolicyArns") or ():
            client.attach_role_policy(RoleName=name, PolicyArn=arn)
        return name

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        role = described_role(call, id)
        if role is None:
            return None
        client = call.client("iam")
        documents = {policy.get("name"): policy.get("policy") for policy in known.get("inlinePolicies") or ()}
        names = in_order_of(list(documents), client.list_role_policies(RoleName=id)["PolicyNames"])
        attached = client.list_attached_role_policies(RoleName=id)["AttachedPolicies"]
        return {
            "arn": role["Arn"], "name": role["RoleName"], "path": role["Path"], "uniqueId": role["RoleId"],
            "description": role.get("Description", ""), "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "assumeRolePolicy": as_known(role["AssumeRolePolicyDocument"], known.get("assumeRolePolicy")),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "managedPolicyArns": in_order_of(known.get("managedPolicyArns"),
                                             [policy["PolicyArn"] for policy in attached]),
            "inlinePolicies": [
                {"name": name, "policy": as_known(
                    client.get_role_policy(RoleName=id, PolicyName=name)["PolicyDocument"], documents.get(name))}
                for name in names],
            "tags": tags_of(role.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("iam")
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(RoleName=id, PolicyDocument=text_of(new["assumeRolePolicy"]))
        if changed & {"description", "maxSessionDuration"}:
            client.update_role(RoleName=id, Description=new.get("description") or "",
                               MaxSessionDuration=new.get("maxSessionDuration", 3600))
        if "permissionsBoundary" in changed:
            if new.get("permissionsBoundary"):
                client.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=new["permissionsBoundary"])
            else:
                client.delete_role_permissions_boundary(RoleName=id)
        if "managedPolicyArns" in changed:
            before, after = set(old.get("managedPolicyArns") or ()), set(new.get("managedPolicyArns") or ())
            for arn in sorted(before - after):
                with absent_is_fine():
                    client.detach_role_policy(RoleName=id, PolicyArn=arn)
            for arn in sorted(after - before):
                client.attach_role_policy(RoleName=id, PolicyArn=arn)
        if "inlinePolicies" in changed:
            wanted = {policy["name"]: policy["policy"] for policy in new.get("inlinePolicies") or ()
                      if policy.get("policy")}
            for policy in old.get("inlinePolicies") or ():
                if policy.get("name") and policy["name"] not in wanted:
                    with absent_is_fine():
                        client.delete_role_policy(RoleName=id, PolicyName=policy["name"])
            for name, document in wanted.items():
                client.put_role_policy(RoleName=id, PolicyName=name, PolicyDocument=text_of(document))
        if "tags" in changed:
            retag_role(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """Takes its own policies with it; others' attachments only when `forceDetachPolicies` says so."""
        client = call.client("iam")
        if described_role(call, id) is None:
            return
        attached = {policy["PolicyArn"] for policy in client.list_attached_role_policies(RoleName=id)[
            "AttachedPolicies"]}
        inline = set(client.list_role_policies(RoleName=id)["PolicyNames"])
        if not known.get("forceDetachPolicies"):
            attached &= set(known.get("managedPolicyArns") or ())
            inline &= {policy.get("name") for policy in known.get("inlinePolicies") or ()}
        for arn in sorted(attached):
            client.detach_role_policy(RoleName=id, PolicyArn=arn)
        for name in sorted(inline):
            client.delete_role_policy(RoleName=id, PolicyName=name)
        with absent_is_fine():
            client.delete_role(RoleName=id)


@resource
class RolePolicy(Handler):
    """Its id is `role:policy`."""

    type = "aws:iam/rolePolicy:RolePolicy"
    naming = Naming(maximum=128)
    kept = ("namePrefix",)
    tags_property = None
    documents = ("policy",)
    global_region = GLOBAL

    def references(self, inputs: Properties) -> Iterable[Reference]:
        if inputs.get("role"):
            yield Reference("role", inputs["role"], lambda call: described_role(call, inputs["role"]) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        name = name_of(call, inputs)
        call.client("iam").put_role_policy(RoleName=inputs["role"], PolicyName=name,
                                           PolicyDocument=text_of(inputs["policy"]))
        return f"{inputs['role']}:{name}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        role, _, name = id.partition(":")
        try:
            policy = call.client("iam").get_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return {"role": role, "name": name, "policy": as_known(policy["PolicyDocument"], known.get("policy"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        role, _, name = id.partition(":")
        call.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text_of(new["policy"]))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        role, _, name = id.partition(":")
        with absent_is_fine():
            call.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


@resource
class RolePolicyAttachment(Handler):
    """Its id is what an import takes: `role/arn`."""

    type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    tags_property = None
    global_region = GLOBAL

    def references(self, inputs: Properties) -> Iterable[Reference]:
        if inputs.get("role"):
            yield Reference("role", inputs["role"], lambda call: described_role(call, inputs["role"]) is not None)
        if inputs.get("policyArn"):
            yield Reference("policyArn", inputs["policyArn"], lambda call: policy_exists(call, inputs["policyArn"]))

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        role, _, arn = id.partition("/")
        try:
            attached = call.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        here = any(policy["PolicyArn"] == arn for policy in attached)
        return {"role": role, "policyArn": arn} if here else None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        raise ProviderError(f"a policy attachment is replaced, not updated ({', '.join(sorted(changed))})")

    def delete(self, call: Call, id: str, known: Properties) -> None:
        role, _, arn = id.partition("/")
        with absent_is_fine():
            call.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)


@data_source("aws:iam/getRole:getRole")
def get_role(call: Call, arguments: Properties) -> Properties:
    role = described_role(call, arguments["name"])
    if role is None:
        raise _no_role("GetRole", arguments["name"])
    state = Role().read(call, arguments["name"], {}) or {}
    return {**{name: state[name] for name in ("arn", "assumeRolePolicy", "createDate", "description",
                                              "maxSessionDuration", "name", "path", "permissionsBoundary",
                                              "tags", "uniqueId")},
            "id": role["RoleName"], "roleLastUseds": [{"lastUsedDate": "", "region": ""}]}
