"""CloudFront distributions and their extra metrics, by MiniStack. Policies are in `cloudfront_policies`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services._convert import found, pairs, refused, retag, tag_map, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services._references import function
from rehearsal.aws.services.acm import certificate
from rehearsal.aws.services.cloudfront_shape import request, response
from rehearsal.aws.services.wafv2_use import web_acl
from rehearsal.engine.values import Properties

GONE = ("NoSuchDistribution", "NoSuchResource")
HOSTED_ZONE = "Z2FDTNDATAQYW2"  # of every distribution; from the Route 53 API reference, AliasTarget


def tags_of(call: Call, arn: str) -> dict[str, str]:
    answer = found(lambda: call.client("cloudfront").list_tags_for_resource(Resource=arn), *GONE)
    return tag_map(answer["Tags"].get("Items")) if answer else {}


def retag_edge(call: Call, arn: str) -> None:
    client = call.client("cloudfront")
    retag(
        call,
        tags_of(call, arn),
        lambda tags: client.tag_resource(Resource=arn, Tags={"Items": pairs(tags)}),
        lambda keys: client.untag_resource(Resource=arn, TagKeys={"Items": keys}),
    )


def part_exists(get: str, code: str) -> Any:
    """A reference to a policy, an origin access control or the like, by id."""

    def make(property: str, value: str) -> Reference:
        return Reference(
            property,
            value,
            lambda call: found(lambda: getattr(call.client("cloudfront"), get)(Id=value), code) is not None,
        )

    return make


@resource
class Distribution(Handler):
    type = "aws:cloudfront/distribution:Distribution"
    defaults = {
        "httpVersion": "http2",
        "priceClass": "PriceClass_All",
        "retainOnDelete": False,
        "staging": False,
        "waitForDeployment": True,
        "isIpv6Enabled": False,
    }
    kept = (
        "retainOnDelete",
        "waitForDeployment",
        "viewerMtlsConfig",
        "connectionFunctionAssociation",
        "cacheTagConfig",
        "anycastIpListId",
    )
    global_region = "us-east-1"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        from rehearsal.aws.services.cloudfront_policies import POLICIES, edge_function, policy

        acm = (inputs.get("viewerCertificate") or {}).get("acmCertificateArn")
        if acm:
            yield certificate("viewerCertificate.acmCertificateArn", acm)
        if inputs.get("webAclId"):
            yield web_acl("webAclId", inputs["webAclId"])
        for index, origin in enumerate(inputs["origins"]):
            if origin.get("originAccessControlId"):
                yield part_exists("get_origin_access_control", "NoSuchOriginAccessControl")(
                    f"origins[{index}].originAccessControlId", origin["originAccessControlId"]
                )
        for path, behavior in _behaviors(inputs):
            for property in POLICIES:
                if behavior.get(property):
                    yield policy(f"{path}.{property}", property, behavior[property])
            for index, each in enumerate(behavior.get("functionAssociations") or ()):
                yield edge_function(f"{path}.functionAssociations[{index}].functionArn", each["functionArn"])
            for index, each in enumerate(behavior.get("lambdaFunctionAssociations") or ()):
                yield function(
                    f"{path}.lambdaFunctionAssociations[{index}].lambdaArn", each["lambdaArn"].rpartition(":")[0]
                )

    def create(self, call: Call, inputs: Properties) -> str:
        _check(inputs)
        client = call.client("cloudfront")
        shape = client.meta.service_model.shape_for("DistributionConfig")
        answer = client.create_distribution_with_tags(
            DistributionConfigWithTags={
                "DistributionConfig": request(shape, inputs, call.context.operation),
                "Tags": {"Items": call.tag_list},
            }
        )
        return str(answer["Distribution"]["Id"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("cloudfront")
        answer = found(lambda: client.get_distribution(Id=id), *GONE)
        if answer is None:
            return None
        got = answer["Distribution"]
        config = got["DistributionConfig"]
        shown = response(client.meta.service_model.shape_for("DistributionConfig"), config)
        modified = got.get("LastModifiedTime")
        return shown | {
            "arn": got["ARN"],
            "domainName": got["DomainName"],
            "etag": answer["ETag"],
            "hostedZoneId": HOSTED_ZONE,
            "status": got["Status"],
            "callerReference": config["CallerReference"],
            "inProgressValidationBatches": got.get("InProgressInvalidationBatches", 0),
            "lastModifiedTime": str(modified) if modified else "",
            "loggingV1Enabled": bool(shown["loggingConfig"]),
            "trustedKeyGroups": [{"enabled": False, "items": []}],
            "trustedSigners": [{"enabled": False, "items": []}],
            "tags": tags_of(call, got["ARN"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("cloudfront")
        if changed - {"tags", "tagsAll", "retainOnDelete", "waitForDeployment"}:
            _check(new)
            self._put(call, id, new)
        if "tags" in changed:
            retag_edge(call, client.get_distribution(Id=id)["Distribution"]["ARN"])

    def _put(self, call: Call, id: str, inputs: Properties) -> None:
        client = call.client("cloudfront")
        current = client.get_distribution_config(Id=id)
        shape = client.meta.service_model.shape_for("DistributionConfig")
        client.update_distribution(
            Id=id,
            IfMatch=current["ETag"],
            DistributionConfig=request(shape, inputs, current["DistributionConfig"]["CallerReference"]),
        )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """Disabled first: CloudFront refuses to delete what still serves."""
        client = call.client("cloudfront")
        current = found(lambda: client.get_distribution_config(Id=id), *GONE)
        if current is None:
            return
        if current["DistributionConfig"]["Enabled"]:
            client.update_distribution(
                Id=id, IfMatch=current["ETag"], DistributionConfig={**current["DistributionConfig"], "Enabled": False}
            )
        if known.get("retainOnDelete"):
            return
        with unless(*GONE):
            client.delete_distribution(Id=id, IfMatch=client.get_distribution_config(Id=id)["ETag"])


def _behaviors(inputs: Properties) -> list[tuple[str, Properties]]:
    ordered = inputs.get("orderedCacheBehaviors") or []
    return [
        ("defaultCacheBehavior", inputs["defaultCacheBehavior"]),
        *((f"orderedCacheBehaviors[{index}]", each) for index, each in enumerate(ordered)),
    ]


def _check(inputs: Properties) -> None:
    """What CloudFront refuses and the emulator takes."""
    origins = {each["originId"] for each in inputs["origins"]}
    groups = {each["originId"] for each in inputs.get("originGroups") or ()}
    problems = [
        ("NoSuchOrigin", f"{path}.targetOriginId {behavior['targetOriginId']!r} is no origin and no origin group")
        for path, behavior in _behaviors(inputs)
        if behavior["targetOriginId"] not in origins | groups
    ]
    problems += [
        (
            "NoSuchOrigin",
            f"the origin group {group['originId']} names the origin {member['originId']!r}, which does not exist",
        )
        for group in inputs.get("originGroups") or ()
        for member in group["members"]
        if member["originId"] not in origins
    ]
    certificate_ = inputs["viewerCertificate"]
    acm = certificate_.get("acmCertificateArn")
    if acm and acm.split(":")[3] != "us-east-1":
        problems.append(("InvalidViewerCertificate", f"the certificate must be in us-east-1, and is {acm}"))
    if inputs.get("aliases") and not acm and not certificate_.get("iamCertificateId"):
        problems.append(
            (
                "InvalidViewerCertificate",
                f"to use aliases, give a certificate that covers them: {', '.join(inputs['aliases'])}",
            )
        )
    if inputs.get("webAclId", "").startswith("arn:") and ":global/" not in inputs["webAclId"]:
        problems.append(
            ("InvalidWebACLId", f"the web ACL of a distribution has the scope CLOUDFRONT: {inputs['webAclId']}")
        )
    for path, behavior in _behaviors(inputs):
        problems += [
            (
                "InvalidLambdaFunctionAssociation",
                f"{path}: the function ARN must name a published version "
                "of a "
                f"function in us-east-1, not {each['lambdaArn']}",
            )
            for each in behavior.get("lambdaFunctionAssociations") or ()
            if not each["lambdaArn"].rpartition(":")[2].isdigit() or each["lambdaArn"].split(":")[3] != "us-east-1"
        ]
    for code, message in problems:
        raise refused(code, message, "CreateDistribution")


@resource
class MonitoringSubscription(KeptObject):
    """Id: the distribution's."""

    type = "aws:cloudfront/monitoringSubscription:MonitoringSubscription"
    tags_property = None
    global_region = "us-east-1"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield part_exists("get_distribution", GONE[0])("distributionId", inputs["distributionId"])

    def identify(self, call: Call, inputs: Properties) -> str:
        return str(inputs["distributionId"])
