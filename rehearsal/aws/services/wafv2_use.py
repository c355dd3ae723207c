"""What a web ACL protects, and where it logs: WAFv2, by moto."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, input_shape, refused, unless
from rehearsal.aws.services.wafv2 import GONE
from rehearsal.aws.services.wafv2_rules import NAMES
from rehearsal.engine.values import Properties


def web_acl(property: str, value: str) -> Reference:
    def exists(call: Call) -> bool:
        parts = value.split(":")[-1].split("/")
        if len(parts) != 4 or parts[1] != "webacl" or not re.fullmatch(r"[0-9a-f-]{36}", parts[3]):
            return False
        scope = "CLOUDFRONT" if parts[0] == "global" else "REGIONAL"
        region = "us-east-1" if parts[0] == "global" else call.region
        return found(lambda: call.client("wafv2", region).get_web_acl(Name=parts[2], Id=parts[3], Scope=scope),
                     *GONE) is not None
    return Reference(property, value, exists)


@resource
class WebAclLoggingConfiguration(Handler):
    type = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield web_acl("resourceArn", inputs["resourceArn"])
        for index, each in enumerate(inputs["logDestinationConfigs"]):
            check = {"logs": references.log_group, "s3": references.bucket}.get(each.split(":")[2])
            if check:
                yield check(f"logDestinationConfigs[{index}]", each)

    def create(self, call: Call, inputs: Properties) -> str:
        for each in inputs["logDestinationConfigs"]:
            name = each.removesuffix(":*").split("/")[0].split(":")[-1]
            name = each.split(":log-group:")[-1] if ":log-group:" in each else name
            name = each.split(":deliverystream/")[-1] if ":deliverystream/" in each else name
            if not name.startswith("aws-waf-logs-"):
                raise refused("WAFInvalidParameterException", "Error reason: The ARN isn't valid. A valid ARN "
                                                              "begins with "
                              "arn: and includes other information separated by colons or slashes., field: "
                              f"LOG_DESTINATION, parameter: {each}: its name must begin with aws-waf-logs-",
                              "PutLoggingConfiguration")
        client = call.client("wafv2")
        shape = input_shape(client, "PutLoggingConfiguration").members["LoggingConfiguration"]
        sent = {key: inputs.get(key) for key in ("logDestinationConfigs", "resourceArn", "loggingFilter",
                                                 "redactedFields")}
        client.put_logging_configuration(LoggingConfiguration=NAMES.request(shape, sent))
        return str(inputs["resourceArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("wafv2")
        answer = found(lambda: client.get_logging_configuration(ResourceArn=id), *GONE)
        if answer is None:
            return None
        shown: Properties = NAMES.response(client.meta.service_model.shape_for("LoggingConfiguration"),
                                           answer["LoggingConfiguration"])
        return {key: shown[key] for key in ("logDestinationConfigs", "resourceArn", "loggingFilter", "redactedFields")
                if shown.get(key)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*GONE):
            call.client("wafv2").delete_logging_configuration(ResourceArn=id)


@resource
class WebAclAssociation(Handler):
    """Id: `{web ACL's ARN},{resource's ARN}`. Only regional web ACLs; a distribution names its own."""

    type = "aws:wafv2/webAclAssociation:WebAclAssociation"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield web_acl("webAclArn", inputs["webAclArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        if ":global/" in inputs["webAclArn"]:
            raise refused("WAFInvalidParameterException", f"{inputs['webAclArn']} has the scope CLOUDFRONT: give it "
                                                          "to the "
                          "distribution's webAclId", "AssociateWebACL")
        call.client("wafv2").associate_web_acl(WebACLArn=inputs["webAclArn"], ResourceArn=inputs["resourceArn"])
        return f"{inputs['webAclArn']},{inputs['resourceArn']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        acl, _, target = id.partition(",")
        answer = found(lambda: call.client("wafv2").get_web_acl_for_resource(ResourceArn=target), *GONE)
        if not answer or (answer.get("WebACL") or {}).get("ARN") != acl:
            return None
        return {"webAclArn": acl, "resourceArn": target}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Every property replaces."""

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*GONE):
            call.client("wafv2").disassociate_web_acl(ResourceArn=id.partition(",")[2])
