"""What those who look after an account ask, and moto does not answer: WAF's samples, GuardDuty's findings, AWS Config's
verdicts, a canary's runs. Nobody judges anything in the rehearsal, so there is none of it, and the answers say so in
each service's own way; what is asked about must exist."""

from __future__ import annotations

import json

from moto.config.responses import ConfigResponse
from moto.core.common_types import TYPE_RESPONSE
from moto.guardduty import urls as guardduty_urls
from moto.guardduty.responses import GuardDutyResponse
from moto.synthetics import urls as synthetics_urls
from moto.synthetics.responses import SyntheticsResponse
from moto.wafv2.exceptions import WAFNonexistentItemException
from moto.wafv2.models import GLOBAL_REGION
from moto.wafv2.responses import WAFV2Response


def install() -> None:
    for response, answer in ((WAFV2Response, get_sampled_requests), (GuardDutyResponse, list_findings),
                             (GuardDutyResponse, get_findings), (SyntheticsResponse, get_canary_runs),
                             (ConfigResponse, describe_compliance_by_config_rule)):
        setattr(response, answer.__name__, answer)
    for end in ("findings", "findings/get"):
        guardduty_urls.url_paths[f"{{0}}/detector/(?P<detector_id>[^/]+)/{end}$"] = GuardDutyResponse.dispatch
    synthetics_urls.url_paths["{0}/canary/(?P<name>[^/]+)/runs$"] = SyntheticsResponse.dispatch


def get_sampled_requests(response: WAFV2Response) -> TYPE_RESPONSE:
    """No request passes the emulated firewall. The web ACL and a rule with this metric must be there."""
    asked = json.loads(response.body)
    if asked["Scope"] == "CLOUDFRONT":
        response.region = GLOBAL_REGION
    acl = response.wafv2_backend.wacls.get(asked["WebAclArn"])
    rules = acl.to_dict()["Rules"] if acl else []
    if asked["RuleMetricName"] not in {rule["VisibilityConfig"]["MetricName"] for rule in rules}:
        raise WAFNonexistentItemException
    return 200, {}, json.dumps({"SampledRequests": [], "PopulationSize": 0, "TimeWindow": asked["TimeWindow"]})


def describe_compliance_by_config_rule(response: ConfigResponse) -> str:
    rules = response.config_backend.describe_config_rules(
        response._get_param("ConfigRuleNames"), response._get_param("NextToken"))
    found = [{"ConfigRuleName": rule["ConfigRuleName"], "Compliance": {"ComplianceType": "INSUFFICIENT_DATA"}}
             for rule in rules.pop("ConfigRules")]
    return json.dumps({"ComplianceByConfigRules": found, **rules})


def list_findings(response: GuardDutyResponse) -> str:
    response.guardduty_backend.get_detector(response.path.split("/")[2])
    return json.dumps({"findingIds": []})


def get_findings(response: GuardDutyResponse) -> str:
    response.guardduty_backend.get_detector(response.path.split("/")[2])
    return json.dumps({"findings": []})


def get_canary_runs(response: SyntheticsResponse) -> str:
    response.synthetics_backend.get_canary(response.path.split("/")[2])
    return json.dumps({"CanaryRuns": []})
