"""The web application firewalls stand where they should and look at requests (N5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from infra.plans.firewall import Scope
from infra.plans.places import EDGE_REGION
from operations.aws import code, pages
from operations.verify.model import Unfit
from operations.verify.scene import Scene

# WAF keeps what it sampled for three hours (GetSampledRequests, API reference), and gives 500 at most.
WINDOW, MOST = timedelta(hours=1), 500
_ARN = re.compile(r"arn:[^:]+:wafv2:[^:]+:\d+:(?P<scope>global|regional)/webacl/(?P<name>[^/]+)/(?P<id>[^/]+)")


def attached(scene: Scene) -> str:
    """CloudFront's is on the site's distribution, the regional one on the load balancer and on the REST API's stage;
    both log."""
    arns = {scope: scene.outputs.text("webAcls", scope.value.lower()) for scope in Scope}
    distribution, config = scene.outputs.text("distributionId"), scene.aws("cloudfront", EDGE_REGION)
    found = {f"distribution {distribution}": (Scope.CLOUDFRONT, config.get_distribution_config(
        Id=distribution)["DistributionConfig"].get("WebACLId", ""))}
    balancer = scene.outputs.text("listenerArn").replace(":listener/", ":loadbalancer/").rpartition("/")[0]
    for where, resource in (("the load balancer", balancer), ("the REST API", _rest_api(scene))):
        acl = scene.aws("wafv2").get_web_acl_for_resource(ResourceArn=resource).get("WebACL") or {}
        found[where] = (Scope.REGIONAL, acl.get("ARN", ""))
    wrong = [f"{where} has {arn or 'none'}, not {arns[scope]}"
             for where, (scope, arn) in found.items() if arn != arns[scope]]
    if wrong:
        raise Unfit(f"web ACL: {'; '.join(wrong)}; `up` puts it right")
    for scope, arn in arns.items():
        try:
            _waf(scene, scope).get_logging_configuration(ResourceArn=arn)
        except ClientError as error:
            if code(error) != "WAFNonexistentItemException":
                raise
            raise Unfit(f"web ACL {arn} logs nowhere; `up` makes its logging configuration") from error
    return f"on {', '.join(found)}; both log"


def sampled(scene: Scene) -> str:
    """`RateLimitRule` is there, blocks, and WAF samples what it matches: what it has of the last hour."""
    rule, said = scene.outputs.text("webAcls", "rateLimitRule"), []
    now = scene.now()
    for scope in Scope:
        arn = scene.outputs.text("webAcls", scope.value.lower())
        metric = _metric(scene, scope, arn, rule)
        answer = _waf(scene, scope).get_sampled_requests(
            WebAclArn=arn, RuleMetricName=metric, Scope=scope.value, MaxItems=MOST,
            TimeWindow={"StartTime": now - WINDOW, "EndTime": now})
        addresses = {each["Request"].get("ClientIP") for each in answer.get("SampledRequests") or ()}
        said.append(f"{scope.value.lower()} {answer.get('PopulationSize', 0)} requests"
                    + (f" of {len(addresses)} addresses" if addresses else ""))
    return f"{rule} matched in the last hour: {', '.join(said)}"


def _metric(scene: Scene, scope: Scope, arn: str, rule: str) -> str:
    """The rule's metric's name. Raises Unfit for a rule that is missing, does not block, or is not sampled."""
    parts = _ARN.fullmatch(arn)
    if parts is None:
        raise Unfit(f"{arn} is no web ACL's ARN")
    acl = _waf(scene, scope).get_web_acl(Name=parts["name"], Scope=scope.value, Id=parts["id"])["WebACL"]
    found = next((each for each in acl["Rules"] if each["Name"] == rule), None)
    if found is None:
        raise Unfit(f"web ACL {parts['name']} has no rule {rule}; `up` puts it back")
    if "Block" not in (found.get("Action") or {}):
        raise Unfit(f"{rule} of web ACL {parts['name']} does not block; `up` puts it right")
    seen = found["VisibilityConfig"]
    if not seen["SampledRequestsEnabled"]:
        raise Unfit(f"{rule} of web ACL {parts['name']} does not sample requests")
    return str(seen["MetricName"])


def _rest_api(scene: Scene) -> str:
    """ARN of its stage, as GetWebACLForResource takes it."""
    name, stage = scene.outputs.text("restApi", "name"), scene.outputs.text("restApi", "stage")
    for api in pages(scene.aws("apigateway"), "get_rest_apis", "items"):
        if api["name"] == name:
            return f"arn:aws:apigateway:{scene.settings.region}::/restapis/{api['id']}/stages/{stage}"
    raise Unfit(f"there is no REST API {name}")


def _waf(scene: Scene, scope: Scope) -> Any:
    return scene.aws("wafv2", EDGE_REGION if scope is Scope.CLOUDFRONT else None)
