"""What watches the account: GuardDuty's findings, AWS Config's rules (M5)."""

from __future__ import annotations

from collections import Counter

from operations.aws import pages
from operations.verify.model import Skipped, Unfit
from operations.verify.scene import Scene

LEAST_SEVERITY = 4  # GuardDuty's "medium" begins here ("Findings severity levels"), as in infra/plans/audit.py
OPEN = {"service.archived": {"Equals": ["false"]}, "severity": {"GreaterThanOrEqual": LEAST_SEVERITY}}
SHOWN = 5
AT_ONCE = 50  # the most that one GetFindings takes


def detectors(scene: Scene) -> str:
    """GuardDuty is on, and nothing of medium severity or above is open."""
    _expect_owned(scene, "GuardDuty")
    client = scene.aws("guardduty")
    found = list(pages(client, "list_detectors", "DetectorIds"))
    if not found:
        raise Unfit(f"GuardDuty has no detector in {scene.settings.region}; `up` makes it")
    for detector in found:
        if client.get_detector(DetectorId=detector)["Status"] != "ENABLED":
            raise Unfit(f"detector {detector} of GuardDuty is off; `up` puts it on")
        open_ones = list(pages(client, "list_findings", "FindingIds", DetectorId=detector,
                               FindingCriteria={"Criterion": OPEN}))
        if open_ones:
            kinds = Counter(each["Type"] for each in client.get_findings(
                DetectorId=detector, FindingIds=open_ones[:AT_ONCE])["Findings"])
            raise Unfit(f"GuardDuty has {len(open_ones)} open findings of medium severity or above: "
                        f"{', '.join(f'{kind} ({count})' for kind, count in kinds.most_common(SHOWN))}; see to them, "
                        "then archive them")
    return "GuardDuty is on; no open finding of medium severity or above"


def compliance(scene: Scene) -> str:
    """AWS Config records, and its rules hold."""
    _expect_owned(scene, "AWS Config")
    client = scene.aws("config")
    recorders = client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    if not any(each["recording"] for each in recorders):
        raise Unfit(f"AWS Config does not record in {scene.settings.region}; `up` starts it")
    rules = {each["ConfigRuleName"]: each.get("Compliance", {}).get("ComplianceType", "INSUFFICIENT_DATA")
             for each in pages(client, "describe_compliance_by_config_rule", "ComplianceByConfigRules")}
    broken = sorted(name for name, state in rules.items() if state == "NON_COMPLIANT")
    if broken:
        raise Unfit(f"{len(broken)} of {len(rules)} rules of AWS Config do not hold: {', '.join(broken)}; "
                    f"aws configservice get-compliance-details-by-config-rule --config-rule-name {broken[0]} "
                    "--compliance-types NON_COMPLIANT names the resources")
    if not rules:
        raise Unfit(f"AWS Config has no rules in {scene.settings.region}; `up` makes them")
    judged = sum(state in ("COMPLIANT", "NOT_APPLICABLE") for state in rules.values())
    if not judged:
        raise Skipped(f"AWS Config has not evaluated any of its {len(rules)} rules yet")
    return f"{judged} of {len(rules)} rules hold, the others have not been evaluated" if judged < len(rules) \
        else f"all {len(rules)} rules hold"


def _expect_owned(scene: Scene, what: str) -> None:
    """And at work: a rehearsal keeps what the program makes of it, and nothing more."""
    if not scene.settings.governance.owns_account_audit:
        raise Skipped(f"{what} is the account's, and another stack's to make and verify "
                      "(governance.ownsAccountAudit is false)")
    if scene.rehearsed:
        raise Skipped(f"a rehearsal: {what} is kept there, and judges nothing")
