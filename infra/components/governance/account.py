"""What an account has once: its trail, its recorder, its detectors, its defaults (M5)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.governance.records import AccountRecords, AccountRecordsArgs
from infra.plans import audit


@dataclass(frozen=True)
class AccountAuditArgs:
    """`name`: of the trail and the analyzer. `topic_arn`: hears of findings."""

    name: str
    region: str
    topic_arn: pulumi.Input[str]
    records: AccountRecordsArgs


class AccountAudit(Component):
    """Records of what happens, detectors that look at them, and the account's safe defaults. Exactly one stack of an
    account has it; the others' resources are covered by it."""

    module = "governance"

    trail_arn: pulumi.Output[str]
    bucket_name: pulumi.Output[str]
    detector_id: pulumi.Output[str]

    def __init__(self, name: str, args: AccountAuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        records = AccountRecords(name, args.records, self.child())
        detector = aws.guardduty.Detector(
            name, enable=True, finding_publishing_frequency="FIFTEEN_MINUTES", opts=self.child())
        for feature in audit.FEATURES:
            aws.guardduty.DetectorFeature(
                f"{name}-{feature.lower().replace('_', '-')}", detector_id=detector.id, name=feature,
                status="ENABLED", opts=self.child())
        hub = aws.securityhub.Account(
            name, enable_default_standards=False, control_finding_generator="SECURITY_CONTROL", opts=self.child())
        aws.securityhub.StandardsSubscription(
            name, standards_arn=audit.standard_arn(args.region), opts=self.child(depends_on=[hub]))
        aws.accessanalyzer.Analyzer(name, analyzer_name=args.name, type="ACCOUNT", opts=self.child())
        rule = aws.cloudwatch.EventRule(
            name, description="Findings of GuardDuty and Security Hub", event_pattern=audit.finding_pattern(),
            opts=self.child())
        aws.cloudwatch.EventTarget(name, rule=rule.name, arn=args.topic_arn, opts=self.child())
        aws.ebs.EncryptionByDefault(name, enabled=True, opts=self.child())
        aws.s3.AccountPublicAccessBlock(
            name, block_public_acls=True, block_public_policy=True, ignore_public_acls=True,
            restrict_public_buckets=True, opts=self.child())
        self.trail_arn, self.bucket_name, self.detector_id = records.trail_arn, records.bucket_name, detector.id
        self.register_outputs({"trailArn": self.trail_arn, "bucketName": self.bucket_name,
                               "detectorId": self.detector_id})
