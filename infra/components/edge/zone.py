"""The hosted zone: looked up, or created, signed and logged (N2)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans.zone import query_log_policy, zone_signing_key_policy
from infra.settings import model


@dataclass(frozen=True)
class ZoneArgs:
    """aws_global: provider in us-east-1, where a created zone's signing key and query log must live.
    log_key_arn: key in us-east-1 for the query log."""

    domain: model.Domain
    aws_global: aws.Provider
    log_key_arn: pulumi.Input[str]
    log_retention_days: int = 365


class Zone(Component):
    """The zone of `domain.name`: looked up, or created with DNSSEC and query logs (CKV2_AWS_38, 39).

    The registrar must then be told the zone's name servers and, for DNSSEC, the key's DS record: `ds_record`.
    """

    module = "edge"

    zone_id: pulumi.Output[str]
    ds_record: pulumi.Output[str | None]  # None: the zone is not ours

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        if args.domain.create_zone:
            self._create(name, args)
        else:
            found = aws.route53.get_zone_output(name=args.domain.name, private_zone=False,
                                                opts=pulumi.InvokeOutputOptions(parent=self))
            self.zone_id = found.zone_id
            self.ds_record = pulumi.Output.from_input(None)
        self.register_outputs({"zoneId": self.zone_id, "dsRecord": self.ds_record})

    def _create(self, name: str, args: ZoneArgs) -> None:
        there = self.child(provider=args.aws_global)
        zone = aws.route53.Zone(f"{name}-zone", name=args.domain.name, comment="Candlefish, managed by Pulumi",
                                opts=self.child())
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=self))
        key = aws.kms.Key(
            f"{name}-signing", description=f"Signs {args.domain.name}", customer_master_key_spec="ECC_NIST_P256",
            key_usage="SIGN_VERIFY", deletion_window_in_days=7,  # KMS does not rotate asymmetric keys
            policy=rendered(zone_signing_key_policy, account_id=account.account_id), opts=there)
        signing = aws.route53.KeySigningKey(f"{name}-signing", hosted_zone_id=zone.zone_id, name="candlefish",
                                            key_management_service_arn=key.arn, opts=self.child())
        aws.route53.HostedZoneDnsSec(f"{name}-dnssec", hosted_zone_id=signing.hosted_zone_id, opts=self.child())

        logs = aws.cloudwatch.LogGroup(
            f"{name}-queries", name=f"/aws/route53/{args.domain.name}", kms_key_id=args.log_key_arn,
            retention_in_days=args.log_retention_days, opts=there)
        policy = aws.cloudwatch.LogResourcePolicy(
            f"{name}-queries", policy_name=f"route53-{args.domain.name.replace('.', '-')}",
            policy_document=rendered(query_log_policy, log_group_arn=logs.arn, account_id=account.account_id),
            opts=there)
        aws.route53.QueryLog(f"{name}-queries", zone_id=zone.zone_id, cloudwatch_log_group_arn=logs.arn,
                             opts=self.child(depends_on=[policy]))
        self.zone_id = zone.zone_id
        self.ds_record = signing.ds_record
