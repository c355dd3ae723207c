"""Rules of a web ACL: their names on both sides, what WAF refuses, and the capacity they need."""

from __future__ import annotations

from collections.abc import Iterator

from rehearsal.aws.services._convert import Names
from rehearsal.engine.values import Properties

NAMES = Names(
    {
        "cloudwatchMetricsEnabled": "CloudWatchMetricsEnabled",
        "ruleActionOverrides": "RuleActionOverrides",
        "awsManagedRulesBotControlRuleSet": "AWSManagedRulesBotControlRuleSet",
        "awsManagedRulesAtpRuleSet": "AWSManagedRulesATPRuleSet",
        "awsManagedRulesAcfpRuleSet": "AWSManagedRulesACFPRuleSet",
        "CustomRequestHandling.insertHeaders": "InsertHeaders",
        "CustomResponse.responseHeaders": "ResponseHeaders",
        "excludedRules": "ExcludedRules",
        "managedRuleGroupConfigs": "ManagedRuleGroupConfigs",
        "requestBodies": "RequestBody",
        "dataProtections": "DataProtections",
        "customKeys": "CustomKeys",
    }
)

# Capacity units, modelled on the WAF Developer Guide ("WCUs", "AWS Managed Rules rule groups list"), but not compared
# with it; the real ones are what CheckCapacity answers.
_MANAGED = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesWordPressRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesATPRuleSet": 50,
    "AWSManagedRulesACFPRuleSet": 50,
    "AWSManagedRulesBotControlRuleSet": 50,
    "AWSManagedRulesAntiDDoSRuleSet": 50,
}
_STATEMENTS = {
    "regexMatchStatement": 3,
    "sizeConstraintStatement": 1,
    "sqliMatchStatement": 20,
    "xssMatchStatement": 40,
    "geoMatchStatement": 1,
    "ipSetReferenceStatement": 1,
    "labelMatchStatement": 1,
    "asnMatchStatement": 1,
    "regexPatternSetReferenceStatement": 25,
}
# By positionalConstraint ("String match rule statement" of the guide).
_STRING_MATCH = {"EXACTLY": 2, "STARTS_WITH": 2, "ENDS_WITH": 2, "CONTAINS": 10, "CONTAINS_WORD": 10}
_TRANSFORMATION = 10


def capacity(rules: list[Properties]) -> int:
    return sum(_of_statement(rule["statement"]) for rule in rules)


def _of_statement(statement: Properties) -> int:
    total = 0
    for kind, body in statement.items():
        if body is None:
            continue
        if kind == "managedRuleGroupStatement":
            total += _MANAGED.get(body["name"], 50)
        elif kind == "rateBasedStatement":
            total += 2 + 30 * len(body.get("customKeys") or ())
        elif kind == "ruleGroupReferenceStatement":
            total += 1
        elif kind in ("andStatement", "orStatement"):
            total += sum(_of_statement(each) for each in body["statements"])
        elif kind == "notStatement":
            total += _of_statement(body["statement"])
        else:
            plain = [each for each in body.get("textTransformations") or () if each.get("type") != "NONE"]
            base = _STRING_MATCH.get(str(body.get("positionalConstraint")), _STATEMENTS.get(kind, 10))
            total += base + _TRANSFORMATION * len(plain)
        if isinstance(body, dict) and body.get("scopeDownStatement"):
            total += _of_statement(body["scopeDownStatement"])
    return total


def problems(rules: list[Properties]) -> Iterator[str]:
    """Why WAF would refuse the rules, where the emulator would not."""
    priorities: dict[int, str] = {}
    names: set[str] = set()
    for rule in rules:
        name = rule["name"]
        if name in names:
            yield f"Error reason: two rules are named {name}"
        names.add(name)
        if rule["priority"] in priorities:
            yield (
                f"Error reason: the rules {priorities[rule['priority']]} and {name} have the same priority "
                f"{rule['priority']}"
            )
        priorities[rule["priority"]] = name
        group = any(
            rule["statement"].get(kind) for kind in ("managedRuleGroupStatement", "ruleGroupReferenceStatement")
        )
        if group and not rule.get("overrideAction"):
            yield (
                f"Error reason: the rule {name} holds a rule group and needs overrideAction (none or count), not action"
            )
        if not group and not rule.get("action"):
            yield f"Error reason: the rule {name} needs an action"
        rate = rule["statement"].get("rateBasedStatement")
        if rate and not 10 <= rate["limit"] <= 2_000_000_000:
            yield f"Error reason: the rate limit of {name} must be between 10 and 2,000,000,000, and is {rate['limit']}"
        if rate and rate.get("evaluationWindowSec", 300) not in (60, 120, 300, 600):
            yield f"Error reason: evaluationWindowSec of {name} must be 60, 120, 300 or 600"
