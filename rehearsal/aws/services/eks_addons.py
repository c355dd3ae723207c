"""EKS add-ons and pod identity associations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.eks_common import cluster_reference, replace_tags, stored_tags
from rehearsal.aws.services.shapes import absent_is_fine, chosen, is_absent
from rehearsal.engine.values import Properties


@resource
class Addon(Handler):
    """Its id is `cluster:addon`."""

    type = "aws:eks/addon:Addon"
    kept = ("preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate", "namespaceConfig")
    documents = ("configurationValues",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from cluster_reference(inputs.get("clusterName"))
        if inputs.get("serviceAccountRoleArn"):
            yield _references.role("serviceAccountRoleArn", inputs["serviceAccountRoleArn"])
        for index, identity in enumerate(inputs.get("podIdentityAssociations") or ()):
            yield _references.role(f"podIdentityAssociations[{index}].roleArn", identity["roleArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("eks").create_addon(tags=call.tags, **chosen(inputs, {
            "clusterName": "clusterName", "addonName": "addonName", "addonVersion": "addonVersion",
            "configurationValues": "configurationValues", "serviceAccountRoleArn": "serviceAccountRoleArn",
            "resolveConflictsOnCreate": "resolveConflicts", "podIdentityAssociations": "podIdentityAssociations"}))
        return f"{inputs['clusterName']}:{inputs['addonName']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        cluster, _, name = id.partition(":")
        try:
            addon = call.client("eks").describe_addon(clusterName=cluster, addonName=name)["addon"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return {
            "arn": addon["addonArn"], "clusterName": cluster, "addonName": name, "addonVersion": addon["addonVersion"],
            "configurationValues": addon.get("configurationValues", ""), "createdAt": str(addon["createdAt"]),
            "modifiedAt": str(addon["modifiedAt"]), "serviceAccountRoleArn": addon.get("serviceAccountRoleArn", ""),
            "podIdentityAssociations": addon.get("podIdentityAssociations", []),
            "tags": stored_tags(call, addon["addonArn"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        cluster, _, name = id.partition(":")
        properties = {"addonVersion": "addonVersion", "configurationValues": "configurationValues",
                      "serviceAccountRoleArn": "serviceAccountRoleArn",
                      "podIdentityAssociations": "podIdentityAssociations"}
        if changed & set(properties):
            call.client("eks").update_addon(
                clusterName=cluster, addonName=name,
                **{api: new.get(property) or ([] if property == "podIdentityAssociations" else "")
                   for property, api in properties.items() if property in changed},
                **chosen(new, {"resolveConflictsOnUpdate": "resolveConflicts"}))
        if "tags" in changed:
            arn = call.client("eks").describe_addon(clusterName=cluster, addonName=name)["addon"]["addonArn"]
            replace_tags(call, arn, stored_tags(call, arn))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        cluster, _, name = id.partition(":")
        with absent_is_fine():
            call.client("eks").delete_addon(clusterName=cluster, addonName=name, preserve=bool(known.get("preserve")))


@resource
class PodIdentityAssociation(Handler):
    """Its id is what an import takes: `cluster,a-…`."""

    type = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    kept = ("policy",)
    defaults = {"disableSessionTags": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from cluster_reference(inputs.get("clusterName"))
        if inputs.get("roleArn"):
            yield _references.role("roleArn", inputs["roleArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        made = call.client("eks").create_pod_identity_association(tags=call.tags, **chosen(inputs, {
            "clusterName": "clusterName", "namespace": "namespace", "serviceAccount": "serviceAccount",
            "roleArn": "roleArn", "disableSessionTags": "disableSessionTags", "targetRoleArn": "targetRoleArn"}))
        return f"{inputs['clusterName']},{made['association']['associationId']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        found = self._described(call, id)
        if found is None:
            return None
        return {"associationArn": found["associationArn"], "associationId": found["associationId"],
                "clusterName": found["clusterName"], "namespace": found["namespace"],
                "serviceAccount": found["serviceAccount"], "roleArn": found["roleArn"],
                "disableSessionTags": found.get("disableSessionTags", False),
                "targetRoleArn": found.get("targetRoleArn") or "", "externalId": found.get("externalId") or "",
                "tags": stored_tags(call, found["associationArn"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        cluster, _, association = id.partition(",")
        if changed & {"roleArn", "disableSessionTags", "targetRoleArn"}:
            call.client("eks").update_pod_identity_association(
                clusterName=cluster, associationId=association, roleArn=new["roleArn"],
                disableSessionTags=bool(new.get("disableSessionTags")),
                **chosen(new, {"targetRoleArn": "targetRoleArn"}))
        if "tags" in changed:
            arn = (self._described(call, id) or {})["associationArn"]
            replace_tags(call, arn, stored_tags(call, arn))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        cluster, _, association = id.partition(",")
        with absent_is_fine():
            call.client("eks").delete_pod_identity_association(clusterName=cluster, associationId=association)

    def _described(self, call: Call, id: str) -> dict[str, Any] | None:
        cluster, _, association = id.partition(",")
        try:
            found: dict[str, Any] = call.client("eks").describe_pod_identity_association(
                clusterName=cluster, associationId=association)["association"]
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return found
