"""WAF's samples, which moto does not answer. No request passes the emulated firewall, so there are none; the web ACL
and the rule that are asked about must be there."""

from __future__ import annotations

import json

from moto.core.common_types import TYPE_RESPONSE
from moto.wafv2.exceptions import WAFNonexistentItemException
from moto.wafv2.models import GLOBAL_REGION
from moto.wafv2.responses import WAFV2Response


def install() -> None:
    setattr(WAFV2Response, "get_sampled_requests", _sampled_requests)  # noqa: B010 (mypy knows no such method)


def _sampled_requests(response: WAFV2Response) -> TYPE_RESPONSE:
    asked = json.loads(response.body)
    if asked["Scope"] == "CLOUDFRONT":
        response.region = GLOBAL_REGION
    acl = response.wafv2_backend.wacls.get(asked["WebAclArn"])
    rules = acl.to_dict()["Rules"] if acl else []
    if asked["RuleMetricName"] not in {rule["VisibilityConfig"]["MetricName"] for rule in rules}:
        raise WAFNonexistentItemException
    return 200, {}, json.dumps({"SampledRequests": [], "PopulationSize": 0, "TimeWindow": asked["TimeWindow"]})
