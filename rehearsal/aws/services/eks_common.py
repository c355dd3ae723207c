"""What the EKS modules share: clusters as described, references, tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Reference
from rehearsal.aws.services.iam import described_role
from rehearsal.aws.services.shapes import is_absent, tag_changes
from rehearsal.engine.provider import ProviderError


def described(call: Call, name: str) -> dict[str, Any] | None:
    """The cluster as EKS describes it, or None."""
    try:
        cluster: dict[str, Any] = call.client("eks").describe_cluster(name=name)["cluster"]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return cluster


def cluster_reference(name: Any) -> Iterable[Reference]:
    if name:
        yield Reference("clusterName", name, lambda call: described(call, name) is not None)


def replace_tags(call: Call, arn: str, now: Mapping[str, str] | None) -> None:
    """Makes the object's tags what the call says."""
    add, remove = tag_changes(now or {}, call.tags)
    if add:
        call.client("eks").tag_resource(resourceArn=arn, tags=add)
    if remove:
        call.client("eks").untag_resource(resourceArn=arn, tagKeys=remove)


def stored_tags(call: Call, arn: str) -> dict[str, str]:
    """By ListTagsForResource: the objects' own descriptions keep the tags of their creation."""
    tags: dict[str, str] = call.client("eks").list_tags_for_resource(resourceArn=arn)["tags"]
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def needs_trust(call: Call, arn: str, service: str, refusal: str) -> None:
    """Refuses with EKS's words when the role's trust policy does not let the service assume it. A role of another
    account can't be looked at and passes."""
    if arn.split(":")[4] != call.account:
        return
    role = described_role(call, arn.rpartition("/")[2])
    document = role["AssumeRolePolicyDocument"] if role else {}
    document = json.loads(unquote(document)) if isinstance(document, str) else document
    for statement in document.get("Statement", ()):
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, Mapping) else []
        if statement.get("Effect") == "Allow" and service in ([services] if isinstance(services, str) else services):
            return
    raise ProviderError(f"An error occurred (InvalidParameterException): {refusal}")
