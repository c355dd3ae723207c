"""Shield Advanced: protections of single resources, kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from rehearsal.aws.handler import Call, Reference, resource
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.engine.values import Properties

# CreateProtection of the API reference: what can be protected, as the ARN's service and the beginning of its resource
_PROTECTABLE = (("cloudfront", "distribution/"), ("elasticloadbalancing", "loadbalancer/"),
                ("route53", "hostedzone/"), ("globalaccelerator", "accelerator/"), ("ec2", "eip-allocation/"))


@resource
class Protection(KeptObject):
    """Id: a UUID. One a resource."""

    type = "aws:shield/protection:Protection"
    global_region = "us-east-1"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        return ()

    def identify(self, call: Call, inputs: Properties) -> str:
        arn = str(inputs["resourceArn"])
        parts = [*arn.split(":", 5), "", "", "", "", "", ""]
        if not any(parts[2] == service and parts[5].startswith(kind) for service, kind in _PROTECTABLE):
            raise refused("InvalidResourceException", f"{arn} cannot be protected: only distributions, load balancers, "
                          "hosted zones, accelerators and Elastic IP addresses can", "CreateProtection")
        return str(uuid.uuid5(uuid.NAMESPACE_URL, arn))

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": f"arn:aws:shield::{call.account}:protection/{id}", "tags": call.tags}
