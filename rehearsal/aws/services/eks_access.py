"""Who may use a cluster: access entries and the policies associated with them."""

from __future__ import annotations

from collections.abc import Iterable

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.eks_common import cluster_reference, replace_tags, stored_tags
from rehearsal.aws.services.shapes import absent_is_fine, chosen, in_order_of, is_absent
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_POLICY = "arn:aws:eks::aws:cluster-access-policy/"
# Some of those that ListAccessPolicies answers. Admin, AdminView, AutoNode: EKS User Guide, "Review access policy
# permissions"; ClusterAdmin, Edit, View: AWS CDK's class AccessPolicyArn; SecretReader: EKS User Guide, on
# capabilities. The last four are not checked against a source.
POLICIES = frozenset(_POLICY + name for name in (
    "AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy", "AmazonEKSSecretReaderPolicy", "AmazonEKSAutoNodePolicy", "AmazonEKSBlockStoragePolicy",
    "AmazonEKSComputePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy"))


@resource
class AccessEntry(Handler):
    """Its id is `cluster:principal ARN`."""

    type = "aws:eks/accessEntry:AccessEntry"
    defaults = {"type": "STANDARD"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from cluster_reference(inputs.get("clusterName"))
        principal = str(inputs.get("principalArn") or "")
        if ":role/" in principal:
            yield _references.role("principalArn", principal)

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("eks").create_access_entry(tags=call.tags, **chosen(inputs, {
            "clusterName": "clusterName", "principalArn": "principalArn", "kubernetesGroups": "kubernetesGroups",
            "type": "type", "userName": "username"}))
        return f"{inputs['clusterName']}:{inputs['principalArn']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        cluster, _, principal = id.partition(":")
        try:
            entry = call.client("eks").describe_access_entry(
                clusterName=cluster, principalArn=principal)["accessEntry"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return {
            "clusterName": cluster, "principalArn": principal, "accessEntryArn": entry["accessEntryArn"],
            "kubernetesGroups": in_order_of(known.get("kubernetesGroups"), entry["kubernetesGroups"]),
            "type": entry["type"], "userName": entry["username"] or _username(principal),
            "createdAt": str(entry["createdAt"]), "modifiedAt": str(entry["modifiedAt"]),
            "tags": stored_tags(call, entry["accessEntryArn"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        cluster, _, principal = id.partition(":")
        client = call.client("eks")
        if changed & {"kubernetesGroups", "userName"}:
            client.update_access_entry(clusterName=cluster, principalArn=principal,
                                       kubernetesGroups=new.get("kubernetesGroups") or [],
                                       **chosen(new, {"userName": "username"}))
        if "tags" in changed:
            arn = client.describe_access_entry(
                clusterName=cluster, principalArn=principal)["accessEntry"]["accessEntryArn"]
            replace_tags(call, arn, stored_tags(call, arn))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        cluster, _, principal = id.partition(":")
        with absent_is_fine():
            call.client("eks").delete_access_entry(clusterName=cluster, principalArn=principal)


def _username(principal: str) -> str:
    """What EKS takes when no name is given: the session's for a role, the ARN for a user."""
    if ":role/" not in principal:
        return principal
    account, name = principal.split(":")[4], principal.rpartition("/")[2]
    return f"arn:aws:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}"


@resource
class AccessPolicyAssociation(Handler):
    """Its id is `cluster#principal ARN#policy ARN`."""

    type = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from cluster_reference(inputs.get("clusterName"))
        policy = inputs.get("policyArn")
        if policy:
            yield Reference("policyArn", policy, lambda call: policy in POLICIES)

    def create(self, call: Call, inputs: Properties) -> str:
        scope = inputs["accessScope"]
        if (scope["type"] == "namespace") != bool(scope.get("namespaces")):
            raise ProviderError("An error occurred (InvalidParameterException) when calling the AssociateAccessPolicy "
                                "operation: namespaces are given with an access scope of type namespace, and only "
                                "with that")
        call.client("eks").associate_access_policy(
            clusterName=inputs["clusterName"], principalArn=inputs["principalArn"], policyArn=inputs["policyArn"],
            accessScope=chosen(scope, {"type": "type", "namespaces": "namespaces"}))
        return f"{inputs['clusterName']}#{inputs['principalArn']}#{inputs['policyArn']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        cluster, principal, policy = id.split("#")
        try:
            associated = call.client("eks").list_associated_access_policies(
                clusterName=cluster, principalArn=principal)["associatedAccessPolicies"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        for each in associated:
            if each["policyArn"] == policy:
                scope = {key: value for key, value in each["accessScope"].items() if value}
                return {"clusterName": cluster, "principalArn": principal, "policyArn": policy, "accessScope": scope,
                        "associatedAt": str(each["associatedAt"]), "modifiedAt": str(each["modifiedAt"])}
        return None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        cluster, principal, policy = id.split("#")
        with absent_is_fine():
            call.client("eks").disassociate_access_policy(
                clusterName=cluster, principalArn=principal, policyArn=policy)
