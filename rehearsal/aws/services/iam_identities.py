"""Managed policies of the account, OpenID Connect providers, instance profiles, service-linked roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services.iam import GLOBAL, described_role, retag_role
from rehearsal.aws.services.iam_documents import as_known, text_of
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

VERSIONS_KEPT = 5  # of a managed policy, the IAM quota


@resource
class Policy(Handler):
    """Its id is its ARN."""

    type = "aws:iam/policy:Policy"
    naming = Naming(maximum=128)
    kept = ("namePrefix", "delayAfterPolicyCreationInMs")
    documents = ("policy",)
    defaults = {"path": "/"}
    global_region = GLOBAL

    def create(self, call: Call, inputs: Properties) -> str:
        return str(call.client("iam").create_policy(
            PolicyName=name_of(call, inputs), PolicyDocument=text_of(inputs["policy"]), Tags=call.tag_list,
            **chosen(inputs, {"description": "Description", "path": "Path"}))["Policy"]["Arn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("iam")
        try:
            policy = client.get_policy(PolicyArn=id)["Policy"]
            version = client.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return {"arn": id, "name": policy["PolicyName"], "path": policy["Path"], "policyId": policy["PolicyId"],
                "description": policy.get("Description", ""), "attachmentCount": policy["AttachmentCount"],
                "policy": as_known(version["Document"], known.get("policy")), "tags": tags_of(policy.get("Tags"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("iam")
        if "policy" in changed:
            others = [version["VersionId"] for version in client.list_policy_versions(PolicyArn=id)["Versions"]
                      if not version["IsDefaultVersion"]]
            if len(others) >= VERSIONS_KEPT - 1:
                oldest = min(others, key=lambda version: int(version.removeprefix("v")))
                client.delete_policy_version(PolicyArn=id, VersionId=oldest)
            client.create_policy_version(PolicyArn=id, PolicyDocument=text_of(new["policy"]), SetAsDefault=True)
        if "tags" in changed:
            retag(tags_of(client.get_policy(PolicyArn=id)["Policy"].get("Tags")), call.tags,
                  lambda tags: client.tag_policy(PolicyArn=id, Tags=tags),
                  lambda keys: client.untag_policy(PolicyArn=id, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("iam")
        with absent_is_fine():
            if client.get_policy(PolicyArn=id)["Policy"]["AttachmentCount"]:
                raise ProviderError("An error occurred (DeleteConflict) when calling the DeletePolicy operation: "
                                    f"Cannot delete a policy attached to entities: {id}")
            for version in client.list_policy_versions(PolicyArn=id)["Versions"]:
                if not version["IsDefaultVersion"]:
                    client.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
            client.delete_policy(PolicyArn=id)


@resource
class OpenIdConnectProvider(Handler):
    """Its id is its ARN, which the URL makes."""

    type = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    global_region = GLOBAL

    def create(self, call: Call, inputs: Properties) -> str:
        return str(call.client("iam").create_open_id_connect_provider(
            Url=inputs["url"], ClientIDList=inputs.get("clientIdLists") or [], Tags=call.tag_list,
            **chosen(inputs, {"thumbprintLists": "ThumbprintList"}))["OpenIDConnectProviderArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        try:
            found = call.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=id)
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        url = found["Url"]
        if "url" in known and url.removeprefix("https://") == str(known["url"]).removeprefix("https://"):
            url = known["url"]
        return {"arn": id, "url": url, "clientIdLists": in_order_of(known.get("clientIdLists"),
                                                                    found["ClientIDList"]),
                "thumbprintLists": found["ThumbprintList"], "tags": tags_of(found.get("Tags"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """The emulator has none of the calls that change one; made again, it has the same ARN."""
        self.delete(call, id, old)
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=id)


@resource
class InstanceProfile(Handler):
    type = "aws:iam/instanceProfile:InstanceProfile"
    naming = Naming(maximum=128)
    kept = ("namePrefix",)
    defaults = {"path": "/"}
    global_region = GLOBAL

    def references(self, inputs: Properties) -> Iterable[Reference]:
        if inputs.get("role"):
            yield Reference("role", inputs["role"], lambda call: described_role(call, inputs["role"]) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        client, name = call.client("iam"), name_of(call, inputs)
        client.create_instance_profile(InstanceProfileName=name, Tags=call.tag_list, **chosen(inputs, {"path": "Path"}))
        if inputs.get("role"):
            client.add_role_to_instance_profile(InstanceProfileName=name, RoleName=inputs["role"])
        return name

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        profile = self._described(call, id)
        if profile is None:
            return None
        roles = profile["Roles"]
        return {"arn": profile["Arn"], "name": profile["InstanceProfileName"], "path": profile["Path"],
                "uniqueId": profile["InstanceProfileId"], "role": roles[0]["RoleName"] if roles else "",
                "createDate": profile["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                "tags": tags_of(profile.get("Tags"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("iam")
        if "role" in changed:
            if old.get("role"):
                with absent_is_fine():
                    client.remove_role_from_instance_profile(InstanceProfileName=id, RoleName=old["role"])
            if new.get("role"):
                client.add_role_to_instance_profile(InstanceProfileName=id, RoleName=new["role"])
        if "tags" in changed:
            retag(tags_of((self._described(call, id) or {}).get("Tags")), call.tags,
                  lambda tags: client.tag_instance_profile(InstanceProfileName=id, Tags=tags),
                  lambda keys: client.untag_instance_profile(InstanceProfileName=id, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("iam")
        for role in (self._described(call, id) or {}).get("Roles", ()):
            client.remove_role_from_instance_profile(InstanceProfileName=id, RoleName=role["RoleName"])
        with absent_is_fine():
            client.delete_instance_profile(InstanceProfileName=id)

    def _described(self, call: Call, id: str) -> dict[str, Any] | None:
        try:
            profile: dict[str, Any] = call.client("iam").get_instance_profile(InstanceProfileName=id)[
                "InstanceProfile"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return profile


@resource
class ServiceLinkedRole(Handler):
    """Its id is its ARN."""

    type = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
    kept = ("description",)  # the emulator writes its own
    global_region = GLOBAL

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("iam")
        role = client.create_service_linked_role(
            AWSServiceName=inputs["awsServiceName"],
            **chosen(inputs, {"customSuffix": "CustomSuffix", "description": "Description"}))["Role"]
        if call.tags:
            client.tag_role(RoleName=role["RoleName"], Tags=call.tag_list)
        return str(role["Arn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        name = id.rpartition("/")[2]
        role = described_role(call, name)
        if role is None:
            return None
        suffix = known.get("customSuffix") or (name.partition("_")[2])
        return {"arn": role["Arn"], "name": name, "path": role["Path"], "uniqueId": role["RoleId"],
                "awsServiceName": role["Path"].split("/")[2], "customSuffix": suffix,
                "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                "tags": tags_of(role.get("Tags"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client, name = call.client("iam"), id.rpartition("/")[2]
        if "description" in changed:
            client.update_role(RoleName=name, Description=new.get("description") or "")
        if "tags" in changed:
            retag_role(call, name)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("iam").delete_service_linked_role(RoleName=id.rpartition("/")[2])
