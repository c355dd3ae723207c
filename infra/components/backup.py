"""The daily backup of databases and tables, its copy in the recovery region, and the monthly test of both (D5)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.vault import Vault, VaultArgs
from infra.plans import backup as plan
from infra.plans import policies
from infra.settings import model
from infra.settings.backup import Backup as Settings

_MANAGED = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor"


@dataclass(frozen=True)
class BackupArgs:
    """`copy_vault_arn`: in the recovery region; None: recovery points stay here. `project`, `stack`: the tags by which
    AWS Backup finds this stack's databases and tables. `database_subnet_group`: where a restored copy is put, as there
    may be no default network. `alerts_topic_arn`: hears of failed jobs."""

    environment: str
    project: str
    stack: str
    settings: Settings
    lifecycle: model.Lifecycle
    data_key_arn: pulumi.Input[str]
    database_subnet_group: pulumi.Input[str]
    copy_vault_arn: pulumi.Input[str] | None
    alerts_topic_arn: pulumi.Input[str]


class Backup(Component):
    """One vault, one plan, one selection: every database and table that carries the stack's tags is in the plan.

    RDS keeps its own point-in-time backups beside it: a continuous backup of AWS Backup would take over the
    instance's retention and window, and fight with the program about them.
    """

    module = "backup"

    vault_name: pulumi.Output[str]
    vault_arn: pulumi.Output[str]
    plan_id: pulumi.Output[str]
    restore_role_arn: pulumi.Output[str] | None

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name = name
        vault = Vault(name, VaultArgs(args.settings, args.lifecycle, args.data_key_arn), self.child())
        self.vault_name, self.vault_arn = vault.name, vault.arn
        daily = aws.backup.Plan(name, rules=[self._rule(args)], opts=self.child())
        self.plan_id = daily.id
        aws.backup.Selection(
            name, plan_id=daily.id, iam_role_arn=self._role("Backup"),
            resources=[plan.DATABASES, plan.TABLES], opts=self.child(),
            conditions=[aws.backup.SelectionConditionArgs(string_equals=[
                aws.backup.SelectionConditionStringEqualArgs(key=f"aws:ResourceTag/{key}", value=value)
                for key, value in plan.owned_by(args.project, args.stack).items()])])
        self.restore_role_arn = self._restore_test(args) if args.settings.restore_test else None
        self._alert(args)
        self.register_outputs({"vaultName": self.vault_name, "vaultArn": self.vault_arn, "planId": self.plan_id,
                               "restoreRoleArn": self.restore_role_arn})

    def _rule(self, args: BackupArgs) -> aws.backup.PlanRuleArgs:
        copies = [] if args.copy_vault_arn is None else [aws.backup.PlanRuleCopyActionArgs(
            destination_vault_arn=args.copy_vault_arn,
            lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=args.settings.copy_retention_days))]
        return aws.backup.PlanRuleArgs(
            rule_name="daily", target_vault_name=self.vault_name, schedule=plan.DAILY,
            start_window=plan.START_WINDOW_MINUTES, completion_window=plan.COMPLETION_WINDOW_MINUTES,
            lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=args.settings.retention_days),
            copy_actions=copies)

    def _role(self, purpose: str) -> pulumi.Output[str]:
        """AWS's policy for the purpose and no other; known once it is attached, as a job without it fails."""
        key = f"{self._name}-{purpose.lower()}"
        role = aws.iam.Role(
            key, description=f"AWS Backup: {purpose.lower()}", opts=self.child(),
            assume_role_policy=json.dumps(policies.service_trust("backup.amazonaws.com")))
        attachment = aws.iam.RolePolicyAttachment(key, role=role.name, policy_arn=f"{_MANAGED}{purpose}",
                                                  opts=self.child())
        return pulumi.Output.all(role.arn, attachment.id).apply(lambda known: str(known[0]))

    def _restore_test(self, args: BackupArgs) -> pulumi.Output[str]:
        """Restores the newest recovery point of each kind, keeps it for validation and deletes it again."""
        role_arn = self._role("Restores")
        testing = aws.backup.RestoreTestingPlan(
            self._name, name=plan.testing_name(args.environment), schedule_expression=plan.MONTHLY_TEST,
            start_window_hours=plan.TEST_START_WINDOW_HOURS, opts=self.child(),
            recovery_point_selection=aws.backup.RestoreTestingPlanRecoveryPointSelectionArgs(
                algorithm="LATEST_WITHIN_WINDOW", include_vaults=[self.vault_arn], recovery_point_types=["SNAPSHOT"],
                selection_window_days=7))
        overrides = {
            # A copy gets the network's default security group with it, which lets nobody in.
            "database": {"dbSubnetGroupName": args.database_subnet_group},
            "tables": {"encryptionType": "KMS", "kmsMasterKeyArn": args.data_key_arn}}
        for part, kind in plan.TESTED.items():
            aws.backup.RestoreTestingSelection(
                f"{self._name}-{part}", name=plan.selection_name(args.environment, part),
                restore_testing_plan_name=testing.name, protected_resource_type=kind, protected_resource_arns=["*"],
                iam_role_arn=role_arn, restore_metadata_overrides=overrides[part],
                validation_window_hours=plan.TEST_VALIDATION_HOURS, opts=self.child())
        return role_arn

    def _alert(self, args: BackupArgs) -> None:
        """By EventBridge: a vault's own notifications tell of every finished job, good or bad."""
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-failures", description="Backup, copy and restore jobs that failed",
            event_pattern=self.vault_name.apply(plan.failures), opts=self.child())
        aws.cloudwatch.EventTarget(f"{self._name}-failures", rule=rule.name, arn=args.alerts_topic_arn,
                                   opts=self.child())
